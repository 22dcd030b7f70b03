//! Parts of a file that a player asks for (RFC 9110, range requests).

use axum::http::HeaderValue;
use engine::files::Part;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Everything; also where what is asked for is not understood, or is several parts.
    All,
    /// These bytes.
    Part(Part),
    /// Bytes that are not there.
    Nothing,
}

/// What a `Range` header asks for, of so many bytes.
pub fn wanted(header: Option<&HeaderValue>, size: u64) -> Wanted {
    let range = header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("bytes="))
        .and_then(|range| range.trim().split_once('-'));
    let Some((from, to)) = range else {
        return Wanted::All;
    };
    let number = |text: &str| text.parse::<u64>().ok();
    let (from, end) = match (from, to) {
        ("", last) => match number(last) {
            None => return Wanted::All,
            Some(last) => (size.saturating_sub(last), size),
        },
        (from, "") => match number(from) {
            None => return Wanted::All,
            Some(from) => (from, size),
        },
        (from, last) => match (number(from), number(last)) {
            (Some(from), Some(last)) if from <= last => (from, last.saturating_add(1).min(size)),
            _ => return Wanted::All,
        },
    };
    if from >= end {
        return Wanted::Nothing;
    }
    Wanted::Part(Part {
        from,
        length: end - from,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_players_ask_for_them() {
        let wanted = |text: &'static str| wanted(Some(&HeaderValue::from_static(text)), 100);
        let part = |from, length| Wanted::Part(Part { from, length });
        assert_eq!(wanted("bytes=0-"), part(0, 100));
        assert_eq!(wanted("bytes=0-0"), part(0, 1));
        assert_eq!(wanted("bytes=90-200"), part(90, 10));
        assert_eq!(wanted("bytes=-10"), part(90, 10));
        assert_eq!(wanted("bytes=-1000"), part(0, 100));
        for nothing in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(wanted(nothing), Wanted::Nothing, "{nothing}");
        }
        for all in [
            "bytes=5-2",
            "bytes=0-1,5-6",
            "lines=1-2",
            "bytes=",
            "bytes=a-",
            "bytes=-",
        ] {
            assert_eq!(wanted(all), Wanted::All, "{all}");
        }
        assert_eq!(super::wanted(None, 100), Wanted::All);
    }
}
