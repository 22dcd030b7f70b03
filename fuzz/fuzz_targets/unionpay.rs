//! UnionPay: messages as forms and as answers, settlement files packed and unpacked, times.
#![no_main]

use connectors::unionpay::fields::Fields;
use connectors::unionpay::settlement_file::{read_lines, read_zip, unpack};
use connectors::unionpay::{signature, time, wire};
use domain::Ts;
use domain::reconciliation::BillLine;
use jiff::civil::{Date, date};
use libfuzzer_sys::fuzz_target;

const DAY: Date = date(2025, 11, 20);
const MERCHANT: &str = "777290058110048";

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    match which % 6 {
        0 => form(bytes),
        1 => drop(Fields::from_answer(bytes).map(|fields| understood(&fields))),
        2 => {
            if let Ok(zip) = unpack(&String::from_utf8_lossy(bytes)) {
                numbered(read_zip(&zip, DAY, MERCHANT).ok());
            }
        }
        3 => numbered(read_zip(bytes, DAY, MERCHANT).ok()),
        4 => numbered(read_lines(bytes, 1, DAY, MERCHANT).ok()),
        _ => times(&String::from_utf8_lossy(bytes)),
    }
});

/// What was read is written and read as the same.
fn form(bytes: &[u8]) {
    let Ok(fields) = Fields::from_form(bytes) else {
        return;
    };
    let again = Fields::from_form(fields.to_form().as_bytes()).expect("just written");
    assert!(again.iter().eq(fields.iter()));
    understood(&fields);
}

/// A message whose cut counts says the same when the signed text is read for it.
fn understood(fields: &Fields) {
    let message = signature::message(fields);
    if signature::verify_cut(fields).is_ok() {
        let again = Fields::from_answer(message.as_bytes()).expect("just read");
        let unsigned = fields.iter().filter(|(name, _)| *name != "signature");
        assert!(again.iter().eq(unsigned));
    }
    drop((wire::amount(fields), wire::moved_at(fields)));
}

/// A time that was read is written as the same digits.
fn times(text: &str) {
    if let Some(at) = time::read_order_time(text) {
        assert_eq!(time::order_time(at), text);
    }
    let near = Ts::from_micros(1_763_604_000_000_000);
    if let Some(at) = time::read_trace_time(text, near) {
        assert!(time::order_time(at).ends_with(text));
    }
}

/// Lines are numbered from 1, one after the other, and their amounts have at most twelve digits.
fn numbered(lines: Option<Vec<BillLine>>) {
    for (line, number) in lines.into_iter().flatten().zip(1..) {
        assert_eq!(line.line, number);
        assert!((0..=wire::MAX_FEN).contains(&line.amount.amount));
    }
}
