//! PayPal: webhooks' bodies, headers and certificate addresses, answers, the transaction report.
#![no_main]

use connectors::gateway::{Notice, PaymentRef, PaymentState, RefundState};
use connectors::paypal::report::Page;
use connectors::paypal::standing::{Taken, capture_taken, payment_state, refund_state};
use connectors::paypal::webhook::address::AllowedHosts;
use connectors::paypal::webhook::{events, signature};
use connectors::paypal::wire::{Capture, ErrorAnswer, Order, Refund, TokenAnswer};
use domain::payment::Method;
use domain::{Money, Ts};
use libfuzzer_sys::fuzz_target;
use url::Url;

const NUMBER: &str = "0196f0000000700080000000000000a1";
const REFUND_NUMBER: &str = "RF0196f0000000700080000000000000a2";
const ORDER: &str = "5O190127TN364715T";
/// 2025-11-20T02:00:00Z.
const NOW: Ts = Ts::from_micros(1_763_604_000_000_000);

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    match which % 6 {
        0 => event(bytes),
        1 => answers(bytes),
        2 => report(bytes),
        3 => {
            drop(serde_json::from_slice::<ErrorAnswer>(bytes));
            drop(serde_json::from_slice::<TokenAnswer>(bytes));
        }
        4 => headers(&String::from_utf8_lossy(bytes)),
        _ => address(&String::from_utf8_lossy(bytes)),
    }
});

/// Money that a notice tells of is more than none.
fn event(bytes: &[u8]) {
    if let Ok(Notice::Paid { paid, .. }) = events::notice(bytes) {
        assert!(paid.amount.amount >= 1);
    }
}

/// The same of answers, and what is told is told of what was asked about.
fn answers(bytes: &[u8]) {
    if let Ok(order) = serde_json::from_slice::<Order>(bytes)
        && let Ok(PaymentState::Paid(paid)) = payment_state(&order, &payment(), NOW)
    {
        assert!(paid.amount.amount >= 1 && paid.out_trade_no == NUMBER && order.id == ORDER);
    }
    if let Ok(capture) = serde_json::from_slice::<Capture>(bytes)
        && let Ok(Taken::Paid(paid)) = capture_taken(&capture, NUMBER)
    {
        assert!(paid.amount.amount >= 1 && paid.transaction_id == capture.id);
    }
    if let Ok(refund) = serde_json::from_slice::<Refund>(bytes)
        && let Ok(RefundState::Succeeded { refund_id, .. }) = refund_state(&refund, REFUND_NUMBER)
    {
        assert_eq!(refund_id, refund.id);
    }
}

/// A line has the number that it was given, and never less than no money.
fn report(bytes: &[u8]) {
    let Ok(page) = serde_json::from_slice::<Page>(bytes) else {
        return;
    };
    for (detail, number) in page.transaction_details.iter().zip(1..) {
        if let Ok(Some(line)) = detail.transaction_info.line(number) {
            assert!(line.line == number && line.amount.amount >= 0);
        }
    }
}

/// One header a line, in the order in which they are asked for.
fn headers(text: &str) {
    let names = [
        "paypal-auth-algo",
        "paypal-transmission-time",
        "paypal-transmission-id",
        "paypal-transmission-sig",
        "paypal-cert-url",
    ];
    let values: Vec<&str> = text.split('\n').collect();
    let find = |name: &'static str| {
        let place = names.iter().position(|known| *known == name)?;
        values.get(place).copied()
    };
    if let Ok(headers) = signature::Headers::read(find) {
        drop((
            headers.age(NOW),
            headers.message("1JE4291016473214C", text.as_bytes()),
        ));
    }
}

/// A certificate comes from PayPal over TLS, or not at all.
fn address(text: &str) {
    let base = Url::parse("https://api-m.paypal.com").expect("an address");
    if let Ok(url) = AllowedHosts::of(&base).check(text) {
        assert_eq!(url.scheme(), "https");
        assert!(matches!(
            url.host_str(),
            Some("api.paypal.com" | "api-m.paypal.com")
        ));
        assert!(url.port().is_none() && url.username().is_empty() && url.password().is_none());
        assert!(url.path().starts_with("/v1/notifications/certs/"));
    }
}

fn payment() -> PaymentRef {
    PaymentRef {
        out_trade_no: NUMBER.to_owned(),
        method: Method::PAGE,
        amount: Money::fen(3050),
        created_at: NOW,
        expires_at: NOW,
        handle: Some(ORDER.to_owned()),
        transaction_id: None,
    }
}
