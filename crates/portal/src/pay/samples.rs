//! A payment in every standing, with every way to pay: what the page's tests render.

use super::view::{Names, Told};
use domain::consultation::{
    CancelAsked, Cause, Consultation, ConsultationType, Facts, Mode, NewConsultation, Outcome,
    create,
};
use domain::lifecycle::Status as _;
use domain::payment::{
    GatewayName, Method, PayWith, Payment, PaymentStatus, Purpose, Refund, RefundStatus,
};
use domain::{DepartmentId, Money, NewIds, OrderId, PaymentId, RefundId, Share, Span, Ts, UserId};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A complaint that must never be on the page.
pub const COMPLAINT: &str = "头痛三天";

/// What every sample is about.
pub struct Sample {
    pub name: String,
    pub order: Consultation,
    pub sandbox_url: Option<&'static str>,
    pub asked_just_now: bool,
    pub at_counter: bool,
    zone: TimeZone,
}

struct Counted(u128);

impl NewIds for Counted {
    fn next_id(&mut self) -> Uuid {
        self.0 += 1;
        Uuid::from_u128(self.0)
    }
}

/// When every sample is looked at: two minutes after the payment was asked for.
pub fn now() -> Ts {
    Ts::parse("2026-03-02T09:02:00+08:00").unwrap()
}

fn order() -> Consultation {
    let new = NewConsultation {
        id: OrderId(Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0001)),
        patient: UserId(Uuid::from_u128(2)),
        price: Money::fen(3_000),
        mode: Mode::Dispatch,
        consultation_type: ConsultationType::Text,
        department: DepartmentId(Uuid::from_u128(3)),
        complaint: COMPLAINT.to_owned(),
        booking: None,
    };
    let made = create(
        &new,
        &Facts::default(),
        now() - Span::minutes(5),
        &mut Counted(100),
    );
    match made.unwrap() {
        Outcome::Decided(decision) => decision.order,
        Outcome::AlreadyApplied => panic!("a new order is new"),
    }
}

fn payment(gateway: GatewayName, method: Method) -> Payment {
    let created_at = now() - Span::minutes(2);
    let id = PaymentId(Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0009));
    Payment {
        id,
        gateway,
        method,
        payer: None,
        out_trade_no: id.uuid().simple().to_string(),
        status: PaymentStatus::Pending,
        amount: Money::fen(3_000),
        paid: None,
        paid_at: None,
        transaction_id: None,
        client_ip: None,
        handle: None,
        pay_with: None,
        proof: None,
        expires_at: created_at + Span::minutes(5),
        created_at,
        updated_at: created_at,
    }
}

/// Every way to pay, with whose and what it is called.
pub fn kinds() -> Vec<(&'static str, GatewayName, Method, PayWith)> {
    let fields = BTreeMap::from([
        ("orderId".to_owned(), "0197".to_owned()),
        ("signature".to_owned(), "a+b/c==".to_owned()),
    ]);
    let bridge = json!({
        "appId": "wx8888888888888888",
        "package": "prepay_id=wx201410272009395522657a690389285100",
    });
    let go = PayWith::Redirect {
        url: "https://www.paypal.com/checkoutnow?token=5O190127TN364715T&fundingSource=paypal"
            .to_owned(),
    };
    let post = PayWith::Form {
        action: "https://gateway.95516.com/gateway/api/frontTransReq.do".to_owned(),
        fields,
    };
    let card = PayWith::Card {
        client_secret: "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_YrKJUKribcBjcG8HVhfZluoGH".to_owned(),
        publishable_key: "pk_test_TYooMQauvdEDq54NiTphI7jx".to_owned(),
    };
    let qr = PayWith::Qr {
        code_url: "weixin://wxpay/bizpayurl?pr=p4lpSuKzz".to_owned(),
    };
    vec![
        ("qr", GatewayName::WECHAT, Method::NATIVE, qr),
        (
            "inapp",
            GatewayName::WECHAT,
            Method::JSAPI,
            PayWith::InApp { fields: bridge },
        ),
        ("redirect", GatewayName::PAYPAL, Method::CHECKOUT, go),
        ("form", GatewayName::UNIONPAY, Method::FRONT, post),
        ("card", GatewayName::STRIPE, Method::CARD, card),
        (
            "counter",
            GatewayName::OFFLINE,
            Method::CASH,
            PayWith::Counter,
        ),
    ]
}

fn refund(status: RefundStatus, fen: i64) -> Refund {
    let requested_at = now() - Span::minutes(1);
    let id = RefundId(Uuid::from_u128(0x77));
    Refund {
        id,
        payment: payment(GatewayName::WECHAT, Method::NATIVE).id,
        out_refund_no: format!("RF{}", id.uuid().simple()),
        refund_id: None,
        gone_at: (status == RefundStatus::Succeeded).then(now),
        status,
        purpose: Purpose::Order,
        cause: Cause::PatientCancelled,
        share: Share::FULL,
        amount: Money::fen(fen),
        rule: "200 dispatch patient".to_owned(),
        reason: None,
        due_on: (status == RefundStatus::Processing).then(|| Date::constant(2026, 3, 5)),
        retries: 0,
        last_error: None,
        proof: None,
        requested_at,
        sent_at: None,
        updated_at: now(),
    }
}

impl Sample {
    /// An order with one payment, and this done to both.
    pub fn of(
        name: impl Into<String>,
        mut payment: Payment,
        change: impl FnOnce(&mut Consultation, &mut Payment),
    ) -> Self {
        let mut order = order();
        change(&mut order, &mut payment);
        order.payments.push(payment);
        Self {
            name: name.into(),
            order,
            sandbox_url: None,
            asked_just_now: false,
            at_counter: false,
            zone: TimeZone::get("Asia/Shanghai").unwrap(),
        }
    }

    /// The page's view is made from this.
    pub fn told(&self) -> Told<'_> {
        let both = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
        Told {
            order: &self.order,
            payment: &self.order.payments[0],
            names: Names {
                gateway: both("微信支付", "WeChat Pay"),
                method: both("微信扫码", "Scan with WeChat"),
                at_counter: self.at_counter,
            },
            now: now(),
            zone: &self.zone,
            sandbox_url: self.sandbox_url,
            asked_just_now: self.asked_just_now,
        }
    }
}

/// A payment that may be paid, in one way.
pub fn waiting(gateway: GatewayName, method: Method, with: PayWith) -> Sample {
    Sample::of("waiting", payment(gateway, method), |_, payment| {
        payment.status = PaymentStatus::Processing;
        payment.pay_with = Some(with);
    })
}

fn wechat(name: &str, change: impl FnOnce(&mut Consultation, &mut Payment)) -> Sample {
    Sample::of(name, payment(GatewayName::WECHAT, Method::NATIVE), change)
}

fn paid(payment: &mut Payment, status: PaymentStatus) {
    payment.status = status;
    payment.paid = Some(payment.amount);
    payment.paid_at = Some(now() - Span::minutes(1));
    payment.transaction_id = Some("4200001".to_owned());
}

/// Every standing and every way to pay, with and without the sandbox.
pub fn all() -> Vec<Sample> {
    let mut all = Vec::new();
    for (kind, gateway, method, with) in kinds() {
        for sandbox in [None, Some("http://127.0.0.1:8090")] {
            let mut sample = waiting(gateway, method, with.clone());
            sample.name = format!(
                "waiting-{kind}{}",
                if sandbox.is_some() { "-sandbox" } else { "" }
            );
            sample.sandbox_url = sandbox;
            sample.at_counter = with == PayWith::Counter;
            all.push(sample);
        }
    }
    let (_, gateway, method, qr) = kinds().remove(0);
    let mut in_vain = waiting(gateway, method, qr);
    in_vain.name = "waiting-asked".to_owned();
    in_vain.asked_just_now = true;
    all.push(in_vain);
    all.push(wechat("fetching", |_, _| {}));
    all.push(wechat("checking", |order, payment| {
        payment.status = PaymentStatus::Processing;
        order.detail.being_checked = true;
    }));
    all.push(wechat("overdue", |_, payment| {
        payment.status = PaymentStatus::Processing;
        payment.expires_at = now();
    }));
    all.push(wechat("cancelling", |order, payment| {
        payment.status = PaymentStatus::Processing;
        let (at, reason) = (now(), None);
        order.detail.cancel_asked = Some(CancelAsked { at, reason });
    }));
    all.push(wechat("paid", |_, p| paid(p, PaymentStatus::Completed)));
    all.push(wechat("failed", |_, p| p.status = PaymentStatus::Failed));
    all.push(wechat("closed", |_, p| p.status = PaymentStatus::Closed));
    for status in RefundStatus::ALL {
        let name = format!("refund-{}", status.constant().to_lowercase());
        all.push(wechat(&name, |order, payment| {
            paid(payment, PaymentStatus::Completed);
            order.refunds.push(refund(*status, 3_000));
        }));
    }
    all.push(wechat("partly-refunded", |order, payment| {
        paid(payment, PaymentStatus::PartiallyRefunded);
        order.refunds.push(refund(RefundStatus::Succeeded, 1_000));
        order.refunds.push(refund(RefundStatus::Processing, 500));
    }));
    all.push(wechat("refunded", |order, payment| {
        paid(payment, PaymentStatus::Refunded);
        order.refunds.push(refund(RefundStatus::Succeeded, 3_000));
    }));
    all
}
