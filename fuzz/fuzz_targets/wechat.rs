//! WeChat Pay: notices, what is sealed in them, bodies that say no, trade bills.
#![no_main]

use connectors::wechat_pay::bill::read_bill;
use connectors::wechat_pay::resource::ResourceKey;
use connectors::wechat_pay::wire::{ErrorAnswer, Notification, RefundNotice, Transaction};
use libfuzzer_sys::fuzz_target;

const KEY: &[u8] = b"0123456789abcdef0123456789ABCDEF";

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    match which % 5 {
        0 => notice(bytes),
        1 => sealed(bytes),
        2 => drop(serde_json::from_slice::<ErrorAnswer>(bytes)),
        3 => unsealed(bytes),
        _ => bill(bytes),
    }
});

fn notice(bytes: &[u8]) {
    let key = ResourceKey::new(KEY).expect("32 bytes");
    if let Ok(notification) = serde_json::from_slice::<Notification>(bytes)
        && let Ok(plain) = key.open(&notification.resource)
    {
        unsealed(&plain);
    }
}

/// What is sealed opens again, and not after a byte of it has changed.
fn sealed(bytes: &[u8]) {
    let key = ResourceKey::new(KEY).expect("32 bytes");
    let mut resource = key.seal("transaction", bytes).expect("short enough");
    assert_eq!(key.open(&resource).as_deref(), Ok(bytes));
    resource.associated_data = Some("refund".to_owned());
    assert!(key.open(&resource).is_err());
}

fn unsealed(bytes: &[u8]) {
    drop(serde_json::from_slice::<Transaction>(bytes));
    drop(serde_json::from_slice::<RefundNotice>(bytes));
}

/// Lines are numbered from 1, one after the other.
fn bill(bytes: &[u8]) {
    if let Ok((lines, _)) = read_bill(bytes) {
        let numbers = lines.iter().map(|line| line.line);
        assert!(numbers.eq(1..=lines.len() as u32));
    }
}
