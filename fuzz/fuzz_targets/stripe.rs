//! Stripe: the signature header, notices, bodies that say no, the pages of a bill.
#![no_main]

use connectors::gateway::Notice;
use connectors::stripe::bill::BillReader;
use connectors::stripe::event::read_event;
use connectors::stripe::read_error;
use connectors::stripe::signature::{SignatureHeader, WebhookSecret};
use connectors::stripe::wire::{BalanceTransaction, List};
use domain::Ts;
use libfuzzer_sys::fuzz_target;

/// 2025-11-20T02:00:00Z.
const NOW: i64 = 1_763_604_000;

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    match which % 5 {
        0 => drop(SignatureHeader::read(&String::from_utf8_lossy(bytes))),
        1 => believed(bytes),
        2 => event(bytes),
        3 => drop(read_error(bytes)),
        _ => bill(bytes),
    }
});

/// A header (the first line) that nobody with the secret wrote is never believed; the one that
/// belongs to the body is.
fn believed(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (header, body) = text.split_once('\n').unwrap_or((&text, ""));
    let secret = WebhookSecret::new("whsec_that_is_in_no_corpus");
    let now = Ts::from_micros(NOW * 1_000_000);
    assert!(secret.verify(Some(header), body.as_bytes(), now).is_err());
    let right = secret.header(NOW, body.as_bytes());
    assert_eq!(secret.verify(Some(&right), body.as_bytes(), now), Ok(()));
}

/// Money that a notice tells of is never less than none.
fn event(bytes: &[u8]) {
    if let Ok(Notice::Paid { paid, .. }) = read_event(bytes) {
        assert!(paid.amount.amount >= 0);
    }
}

/// One page a line. Lines are numbered from 1, are no more than the movements, and have never less
/// than no money.
fn bill(bytes: &[u8]) {
    let mut reader = BillReader::default();
    let mut movements = 0;
    let mut after: Option<String> = None;
    for page in bytes.split(|byte| *byte == b'\n') {
        let Ok(page) = serde_json::from_slice::<List<BalanceTransaction>>(page) else {
            continue;
        };
        movements += page.data.len();
        if reader.add(&page.data).is_err() {
            return;
        }
        match page.next_after(after.as_deref(), |movement| &movement.id) {
            Ok(Some(last)) => after = Some(last),
            Ok(None) | Err(_) => break,
        }
    }
    assert!(reader.lines.len() <= movements);
    for (line, number) in reader.lines.iter().zip(1..) {
        assert!(line.line == number && line.amount.amount >= 0);
    }
}
