//! In which language a page is: as the address says, else as the browser wishes.

use axum::http::{HeaderMap, header};
use domain::lifecycle::Language;

/// As the address and the page's `lang` have it (BCP 47).
pub const fn tag(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh-CN",
        Language::En => "en",
    }
}

/// The other one.
pub const fn other(language: Language) -> Language {
    match language {
        Language::Zh => Language::En,
        Language::En => Language::Zh,
    }
}

/// The language that a tag such as `zh-Hans-CN` or `en-NZ` is of, if we have it.
pub fn of_tag(tag: &str) -> Option<Language> {
    let first = tag.split(['-', '_']).next()?.trim();
    if first.eq_ignore_ascii_case("zh") {
        Some(Language::Zh)
    } else if first.eq_ignore_ascii_case("en") {
        Some(Language::En)
    } else {
        None
    }
}

/// What the address chose, else what the browser prefers of ours, else Chinese.
pub fn chosen(asked: Option<&str>, headers: &HeaderMap) -> Language {
    asked
        .and_then(of_tag)
        .or_else(|| preferred(headers))
        .unwrap_or_default()
}

/// The language with the highest weight in `Accept-Language` (RFC 9110, 12.5.4), the first of equals.
fn preferred(headers: &HeaderMap) -> Option<Language> {
    let wishes = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut best: Option<(u16, Language)> = None;
    for wish in wishes.split(',') {
        let mut parts = wish.split(';');
        let Some(language) = parts.next().and_then(of_tag) else {
            continue;
        };
        let weight = parts
            .find_map(|part| part.trim().strip_prefix("q="))
            .map_or(1_000, thousandths);
        if weight > 0 && best.is_none_or(|(highest, _)| weight > highest) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// A weight of 0 to 1 with at most three decimals, in thousandths; nothing where it is none.
fn thousandths(weight: &str) -> u16 {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let fits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, fits) {
        ("1", true) => 1_000,
        ("0", true) => format!("{decimals:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn browser(wishes: &str) -> HeaderMap {
        let value = HeaderValue::from_str(wishes).unwrap();
        HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, value)])
    }

    #[test]
    fn the_address_decides_before_the_browser() {
        assert_eq!(chosen(Some("en"), &browser("zh-CN")), Language::En);
        assert_eq!(chosen(Some("zh-CN"), &browser("en")), Language::Zh);
        assert_eq!(chosen(Some("fr"), &browser("en-NZ")), Language::En);
    }

    #[test]
    fn the_browser_s_weights_are_kept() {
        for (wishes, language) in [
            ("en-NZ,en;q=0.9", Language::En),
            ("zh-Hans-CN", Language::Zh),
            ("fr, en;q=0.5, zh;q=0.8", Language::Zh),
            ("en;q=0, zh;q=0.1", Language::Zh),
            ("zh;q=0.8,en;q=0.875", Language::En),
            ("en;q=much, zh;q=0.001", Language::Zh),
            ("fr, *", Language::Zh),
            ("", Language::Zh),
        ] {
            assert_eq!(chosen(None, &browser(wishes)), language, "{wishes}");
        }
        assert_eq!(chosen(None, &HeaderMap::new()), Language::Zh);
    }
}
