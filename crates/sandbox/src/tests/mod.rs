//! The money rules that all gateways share, tried on a toy: two steps, refunds at once.

mod toy;

use crate::book::{NewPayment, NewRefund, Payment};
use crate::control::views::{
    Faults, OutcomeRequest, PayCallback, PayRequest, PaymentState, RandomFaults, RefundRefusal,
    RefundStatus, UnknownOutcome,
};
use crate::faults::Hit;
use crate::refusal::MoneyRefusal;
use crate::{Sandbox, SandboxClock, SandboxConfig};
use domain::payment::Method;
use domain::{Currency, Span, Ts};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use toy::TOY;

struct StandingClock(Mutex<Ts>);

impl SandboxClock for StandingClock {
    fn now(&self) -> Ts {
        *self.0.lock().unwrap()
    }

    fn advance(&self, by: Span) -> Result<Ts, String> {
        let mut now = self.0.lock().unwrap();
        *now = *now + by;
        Ok(*now)
    }
}

fn sandbox() -> Sandbox {
    let now = Ts::parse("2026-03-02T01:00:00Z").unwrap();
    let clock = Arc::new(StandingClock(Mutex::new(now)));
    Sandbox::open_with(SandboxConfig::default(), clock, &[toy::open]).unwrap()
}

fn asked(number: &str, cents: i64, sandbox: &Sandbox) -> NewPayment {
    NewPayment {
        gateway: TOY,
        out_trade_no: number.to_owned(),
        method: Method::CHECKOUT,
        description: "Follow-up".to_owned(),
        notify_url: None,
        return_url: None,
        total: cents,
        currency: Currency::NZD,
        payable_until: sandbox.now() + Span::hours(1),
        payer: None,
        handle: format!("handle-{number}"),
        terms: json!({ "cents": cents }),
        extra: Value::Null,
    }
}

fn refund_of(number: &str, refund: &str, cents: i64) -> NewRefund {
    NewRefund {
        gateway: TOY,
        out_trade_no: number.to_owned(),
        out_refund_no: refund.to_owned(),
        refund_id: format!("id-{refund}"),
        reason: None,
        notify_url: None,
        amount: cents,
        terms: Value::Null,
        extra: Value::Null,
    }
}

fn paid(number: &str, cents: i64, sandbox: &Sandbox) -> Payment {
    sandbox.open_payment(asked(number, cents, sandbox)).unwrap();
    sandbox.pay(number, PayRequest::default()).unwrap();
    sandbox.capture_payment(TOY, number).unwrap()
}

#[test]
fn the_payer_agrees_and_the_merchant_fetches_the_money_once() {
    let sandbox = sandbox();
    sandbox.open_payment(asked("P1", 3000, &sandbox)).unwrap();
    let early = sandbox.capture_payment(TOY, "P1").unwrap_err();
    assert!(matches!(early, MoneyRefusal::NotApproved), "{early}");

    let dearer = PayRequest {
        callback: PayCallback::WrongAmount,
        ..PayRequest::default()
    };
    for _ in 0..2 {
        let agreed = sandbox.pay("P1", dearer.clone()).unwrap();
        assert_eq!(agreed.state, PaymentState::Approved);
    }
    assert!(sandbox.totals().gateways.is_empty(), "nothing is paid yet");

    let payment = sandbox.capture_payment(TOY, "P1").unwrap();
    assert_eq!(payment.paid.unwrap().total, 2999, "as the payer agreed");
    let again = sandbox.capture_payment(TOY, "P1").unwrap_err();
    assert!(matches!(again, MoneyRefusal::Paid), "{again}");
    let totals = sandbox.gateway_totals(TOY, Currency::NZD);
    assert_eq!((totals.paid.count, totals.net), (1, 2999));
    assert_eq!(sandbox.totals().net_fen, 0, "dollars are no fen");
}

#[test]
fn a_number_belongs_to_its_terms_and_its_gateway() {
    let sandbox = sandbox();
    let first = sandbox.open_payment(asked("P1", 3000, &sandbox)).unwrap();
    let mut repeated = asked("P1", 3000, &sandbox);
    repeated.handle = "another".to_owned();
    let known = sandbox.open_payment(repeated).unwrap();
    assert_eq!(known.handle, first.handle, "the old handle");
    let other = sandbox
        .open_payment(asked("P1", 3001, &sandbox))
        .unwrap_err();
    assert!(matches!(other, MoneyRefusal::OtherTerms), "{other}");
    let mut elsewhere = asked("P1", 3000, &sandbox);
    elsewhere.gateway = domain::payment::GatewayName::WECHAT;
    let other = sandbox.open_payment(elsewhere).unwrap_err();
    assert!(matches!(other, MoneyRefusal::OtherTerms), "{other}");

    sandbox.advance(2 * 3600).unwrap();
    let late = sandbox
        .open_payment(asked("P1", 3000, &sandbox))
        .unwrap_err();
    assert!(matches!(late, MoneyRefusal::Expired), "{late}");
    sandbox.close_payment(TOY, "P1").unwrap();
    let closed = sandbox.close_payment(TOY, "P1").unwrap_err();
    assert!(matches!(closed, MoneyRefusal::Closed), "{closed}");
    let closed = sandbox
        .open_payment(asked("P1", 3000, &sandbox))
        .unwrap_err();
    assert!(matches!(closed, MoneyRefusal::Closed), "{closed}");
}

#[test]
fn an_agreed_payment_can_still_be_closed_and_gives_no_money_then() {
    let sandbox = sandbox();
    sandbox.open_payment(asked("P1", 3000, &sandbox)).unwrap();
    sandbox.pay("P1", PayRequest::default()).unwrap();
    sandbox.close_payment(TOY, "P1").unwrap();
    let closed = sandbox.capture_payment(TOY, "P1").unwrap_err();
    assert!(matches!(closed, MoneyRefusal::Closed), "{closed}");
}

#[test]
fn payments_and_refunds_are_found_by_the_gateways_own_numbers() {
    let sandbox = sandbox();
    let payment = paid("P1", 3000, &sandbox);
    sandbox.refund_payment(refund_of("P1", "R1", 1000)).unwrap();
    let transaction = payment.paid.unwrap().transaction_id;
    let book = sandbox.book();
    let by_handle = book.payment_of_handle(TOY, "handle-P1").unwrap();
    let by_transaction = book.payment_of_transaction(TOY, &transaction).unwrap();
    assert_eq!(by_handle.out_trade_no, by_transaction.out_trade_no);
    assert_eq!(book.refund_of_id(TOY, "id-R1").unwrap().amount, 1000);
    let wechat = domain::payment::GatewayName::WECHAT;
    assert!(book.payment_of_handle(wechat, "handle-P1").is_none());
}

#[test]
fn refunds_end_at_once_where_the_gateway_does_so() {
    let sandbox = sandbox();
    paid("P1", 3000, &sandbox);
    let refund = sandbox.refund_payment(refund_of("P1", "R1", 1000)).unwrap();
    assert_eq!(refund.status, RefundStatus::Success);
    let again = sandbox.refund_payment(refund_of("P1", "R1", 1000)).unwrap();
    assert_eq!(again.refund_id, refund.refund_id);
    let more = sandbox.refund_payment(refund_of("P1", "R2", 2001));
    assert!(matches!(more, Err(MoneyRefusal::MoreThanPaid)));
    let overflowing = sandbox.refund_payment(refund_of("P1", "R2", i64::MAX));
    assert!(matches!(overflowing, Err(MoneyRefusal::MoreThanPaid)));
    let other = sandbox.refund_payment(refund_of("P1", "R1", 999));
    assert!(matches!(other, Err(MoneyRefusal::OtherRefund)));
    assert_eq!(sandbox.gateway_totals(TOY, Currency::NZD).net, 2000);
}

#[test]
fn a_failed_refund_frees_its_money_for_another_number() {
    let sandbox = sandbox();
    paid("P1", 3000, &sandbox);
    let hang = Faults {
        refunds_hang: true,
        ..Faults::default()
    };
    sandbox.set_faults_of(TOY, hang).unwrap();
    let refund = sandbox.refund_payment(refund_of("P1", "R1", 3000)).unwrap();
    assert_eq!(refund.status, RefundStatus::Processing);
    let end = |status| OutcomeRequest {
        status,
        callback: Default::default(),
        late_seconds: None,
    };
    let never = sandbox.set_refund_outcome("R1", &end(RefundStatus::Abnormal));
    let words = never.unwrap_err().to_string();
    assert!(words.contains("they end SUCCESS, FAILED"), "{words}");
    sandbox
        .set_refund_outcome("R1", &end(RefundStatus::Failed))
        .unwrap();
    sandbox.refund_payment(refund_of("P1", "R2", 3000)).unwrap();
}

#[test]
fn a_gateway_has_everybodys_faults_and_its_own() {
    let sandbox = sandbox();
    let all = Faults {
        slow_millis: 5,
        refuse_refunds: Some(RefundRefusal::NoAuth),
        ..Faults::default()
    };
    let own = Faults {
        drop_callbacks: true,
        slow_millis: 3,
        refuse_refunds: Some(RefundRefusal::NotEnough),
        ..Faults::default()
    };
    sandbox.set_faults(all.clone()).unwrap();
    sandbox.set_faults_of(TOY, own.clone()).unwrap();
    let both = sandbox.faults_at(TOY);
    assert!(both.drop_callbacks);
    assert_eq!(both.slow_millis, 5);
    assert_eq!(both.refuse_refunds, Some(RefundRefusal::NotEnough));
    assert_eq!(sandbox.faults(), all);
    assert_eq!(sandbox.faults_of(TOY).unwrap(), own);
    let stranger = sandbox.faults_of(domain::payment::GatewayName::WECHAT);
    assert!(stranger.unwrap_err().to_string().contains("it plays toy"));
}

#[test]
fn what_chance_hides_is_done_and_told_when_asked_again() {
    let sandbox = sandbox();
    let faults = Faults {
        random: Some(RandomFaults {
            seed: 1,
            percent: 100,
            slow_millis: 0,
        }),
        ..Faults::default()
    };
    let number = (0..)
        .map(|number| format!("P{number}"))
        .find(|number| faults.payment_hit(number) == Some(Hit::UnknownOutcome))
        .unwrap();
    sandbox.set_faults(faults).unwrap();
    let hidden = sandbox.open_payment(asked(&number, 3000, &sandbox));
    assert!(matches!(hidden, Err(MoneyRefusal::OutcomeUntold)));
    sandbox
        .open_payment(asked(&number, 3000, &sandbox))
        .unwrap();
    sandbox.pay(&number, PayRequest::default()).unwrap();
    let hidden = sandbox.capture_payment(TOY, &number);
    assert!(matches!(hidden, Err(MoneyRefusal::OutcomeUntold)));
    let told = sandbox.capture_payment(TOY, &number);
    assert!(matches!(told, Err(MoneyRefusal::Paid)), "it was done");
}

#[test]
fn a_capture_of_unknown_outcome_is_done() {
    let sandbox = sandbox();
    sandbox.open_payment(asked("P1", 3000, &sandbox)).unwrap();
    sandbox.pay("P1", PayRequest::default()).unwrap();
    let faults = Faults {
        unknown_outcome: Some(UnknownOutcome::Capture),
        ..Faults::default()
    };
    sandbox.set_faults(faults).unwrap();
    let hidden = sandbox.capture_payment(TOY, "P1");
    assert!(matches!(hidden, Err(MoneyRefusal::OutcomeUntold)));
    assert_eq!(sandbox.gateway_totals(TOY, Currency::NZD).net, 3000);
}

#[tokio::test]
async fn a_refund_that_chance_lets_hang_takes_an_hour() {
    let sandbox = sandbox();
    paid("P1", 3000, &sandbox);
    let faults = Faults {
        random: Some(RandomFaults {
            seed: 1,
            percent: 100,
            slow_millis: 0,
        }),
        ..Faults::default()
    };
    let number = (0..)
        .map(|number| format!("R{number}"))
        .find(|number| faults.refund_hit(number) == Some(Hit::RefundHangs))
        .unwrap();
    sandbox.set_faults(faults).unwrap();
    let refund = sandbox
        .refund_payment(refund_of("P1", &number, 3000))
        .unwrap();
    assert_eq!(refund.status, RefundStatus::Processing);
    sandbox.advance(3599).unwrap();
    sandbox.run_due().await;
    assert_eq!(sandbox.gateway_totals(TOY, Currency::NZD).net, 3000);
    sandbox.advance(1).unwrap();
    sandbox.run_due().await;
    assert_eq!(sandbox.gateway_totals(TOY, Currency::NZD).net, 0);
}

#[test]
fn what_a_gateway_remembers_can_be_changed_without_the_money() {
    let sandbox = sandbox();
    sandbox.open_payment(asked("P1", 3000, &sandbox)).unwrap();
    let known = sandbox.remember_of_payment(TOY, "P1", |extra| *extra = json!({ "card": "4242" }));
    assert_eq!(known.unwrap().extra["card"], "4242");
    let (payment, state) = sandbox.payment_at(TOY, "P1").unwrap();
    assert_eq!(payment.extra["card"], "4242");
    assert_eq!(state, PaymentState::NotPay);
}
