//! What a kill leaves.

use crate::harness::{StandingClock, TempDir, World, payment, refund};
use connectors::gateway::{Notice, PaymentState, RefundState};
use sandbox::{Sandbox, SandboxError};
use std::fs::OpenOptions;
use std::io::Write as _;

#[tokio::test]
async fn a_kill_loses_nothing_that_was_answered() {
    let dir = TempDir::new();
    let clock = StandingClock::new(true);
    let before = World::open(dir.config(), clock.clone()).await;
    before.paid("ORDER-0001", 3000).await;
    before.start("ORDER-0002", 500).await;
    before
        .control("POST", "payments/ORDER-0002/pay", "{}")
        .await
        .unwrap();
    before.start("ORDER-0003", 700).await;
    before.faults(r#"{"refundsHang":true}"#).await;
    let part = refund("ORDER-0001", "R1", 1000, 3000);
    before.gateway.refund(&part, before.now()).await.unwrap();
    // ORDER-0002's notice is still waiting, R1 hangs.

    let killed = dir.snapshot();
    let after = World::open(killed.config(), clock).await;
    assert_eq!(after.sandbox.totals(), before.sandbox.totals());
    assert_eq!(after.sandbox.faults(), before.sandbox.faults());
    // The merchant's old credentials still work: the keys were kept.
    let key = |world: &World| world.values()["WECHAT_API_V3_KEY"].clone();
    assert_eq!(key(&after), key(&before));
    let state = after.query("ORDER-0003").await;
    assert_eq!(state, Ok(PaymentState::Open));
    let again = after.gateway.refund(&part, after.now()).await;
    assert!(
        matches!(again, Ok(RefundState::Processing { .. })),
        "{again:?}"
    );

    assert_eq!(after.sandbox.run_due().await, 1);
    let got = before.got();
    assert!(
        matches!(got.as_slice(), [Ok(Notice::Paid { paid, .. })] if paid.out_trade_no == "ORDER-0002"),
        "the waiting notice goes to where it was to go: {got:?}"
    );
    after.faults("{}").await;
    after.sandbox.run_due().await;
    assert_eq!(after.sandbox.totals().refunded.fen, 1000);
}

#[tokio::test]
async fn a_torn_last_line_is_cut_and_a_damaged_one_is_named() {
    let dir = TempDir::new();
    let clock = StandingClock::new(true);
    let world = World::open(dir.config(), clock.clone()).await;
    world.paid("ORDER-0001", 3000).await;

    let torn = dir.snapshot();
    let append = |dir: &TempDir, text: &[u8]| {
        let mut file = OpenOptions::new()
            .append(true)
            .open(dir.file("book.jsonl"))
            .unwrap();
        file.write_all(text).unwrap();
    };
    append(&torn, br#"[{"done":1},{"paym"#);
    let reopened = World::open(torn.config(), clock.clone()).await;
    assert_eq!(reopened.sandbox.totals().net_fen, 3000);
    reopened.start("ORDER-0002", 1).await;
    let killed = torn.snapshot();
    let third = World::open(killed.config(), clock.clone()).await;
    assert!(third.sandbox.payment("ORDER-0002").is_ok());

    let damaged = dir.snapshot();
    append(&damaged, b"nonsense\n");
    let error = Sandbox::open(damaged.config(), clock).err().unwrap();
    assert!(
        matches!(&error, SandboxError::Book { line, .. } if *line > 1),
        "{error}"
    );
}

#[tokio::test]
async fn a_directory_belongs_to_one_sandbox_until_it_is_closed() {
    let dir = TempDir::new();
    let clock = StandingClock::new(true);
    let first = World::open(dir.config(), clock.clone()).await;
    let second = Sandbox::open(dir.config(), clock.clone());
    assert!(matches!(second.err().unwrap(), SandboxError::InUse(_)));
    first.sandbox.close();
    let lost = first
        .gateway
        .start(&payment("ORDER-0001", 1, first.now()), first.now())
        .await
        .unwrap_err();
    assert!(lost.to_string().contains("SYSTEM_ERROR"), "{lost}");
    let second = Sandbox::open(dir.config(), clock).unwrap();
    assert_eq!(second.totals().paid.count, 0);
}
