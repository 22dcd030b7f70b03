//! Alipay: answers cut up, the forms of notices, bills in their archive and out of it.
#![no_main]

use connectors::alipay::bill::{self, Contents};
use connectors::alipay::wire::{Yuan, read_time};
use connectors::alipay::{answer, form, signature};
use libfuzzer_sys::fuzz_target;

const METHOD: &str = "alipay.trade.query";

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    match which % 5 {
        0 => answer(bytes),
        1 => notice(bytes),
        2 => numbered(bill::open(bytes).ok()),
        3 => {
            // Files of one bill, already unpacked, with a NUL between them.
            let text = String::from_utf8_lossy(bytes);
            let files: Vec<String> = text.split('\0').map(str::to_owned).collect();
            numbered(bill::read(&files).ok());
        }
        _ => {
            let text = String::from_utf8_lossy(bytes);
            drop((bill::cells(&text), read_time(&text)));
            drop(serde_json::from_str::<Yuan>(&text).map(|yuan| yuan.money()));
        }
    }
});

/// The inner object stands in the body as it was cut out, and put together again it is cut out
/// the same.
fn answer(body: &[u8]) {
    let Ok(cut) = answer::split(body, METHOD) else {
        return;
    };
    let inner = cut.content.as_bytes();
    assert!(body.windows(inner.len()).any(|part| part == inner));
    let joined = answer::join(METHOD, cut.content, "c2lnbg==");
    let again = answer::split(joined.as_bytes(), METHOD).expect("just put together");
    assert_eq!(
        (again.content, again.sign.as_deref()),
        (cut.content, Some("c2lnbg=="))
    );
    drop(serde_json::from_str::<answer::Head>(cut.content));
}

/// What was read is written and read as the same.
fn notice(body: &[u8]) {
    let Ok(parameters) = form::decode(body) else {
        return;
    };
    drop(signature::notice_message(&parameters));
    let written = form::encode(&parameters);
    if written.len() <= form::MAX_FORM_BYTES {
        assert_eq!(form::decode(written.as_bytes()), Ok(parameters));
    }
}

/// Lines are numbered from 1, one after the other.
fn numbered(contents: Option<Contents>) {
    if let Some((lines, _)) = contents {
        let numbers = lines.iter().map(|line| line.line);
        assert!(numbers.eq(1..=lines.len() as u32));
    }
}
