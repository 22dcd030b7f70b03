//! Money that an operator takes: cash at the counter, or a transfer to the hospital's account
//! (spec 20, gateways).
//!
//! There is no counterparty, so nothing is sent. An operator records what came and what went back,
//! with proof; all that this gateway says by itself is how long an attempt stays open.

mod countries;

use crate::gateway::{
    Answer, Bill, Callback, CallbackError, Heard, MethodTerms, Operation, PayKind, PaymentGateway,
    PaymentRef, PaymentStarted, PaymentState, RefundRef, RefundState, RefundTerms, Registration,
    Reply, SettingError, StartPayment, StartRefund, Terms, Values,
};
use domain::payment::{GatewayName, Method, PayWith};
use domain::{Currency, Ts};
use jiff::civil::Date;
use std::sync::Arc;

/// The gateway's name in errors, the API and the database.
const GATEWAY: GatewayName = GatewayName::OFFLINE;

/// What a refund is refused with: a person has to hand the money back.
pub const BY_HAND: &str = "BY_HAND";

/// Money taken by an operator, in the list of gateways. Always on: there is nothing to configure.
pub const REGISTRATION: Registration = Registration {
    name: GATEWAY,
    settings: &[],
    open,
};

fn open(_values: &Values) -> Result<Arc<dyn PaymentGateway>, SettingError> {
    Ok(Arc::new(Offline::new()))
}

/// The counter.
#[derive(Debug)]
pub struct Offline {
    terms: Terms,
}

impl Default for Offline {
    fn default() -> Self {
        Self::new()
    }
}

impl Offline {
    /// Needs nothing.
    pub fn new() -> Self {
        Self { terms: terms() }
    }
}

fn terms() -> Terms {
    let method = |method, label_zh, label_en| MethodTerms {
        method,
        label_zh,
        label_en,
        kind: PayKind::Counter,
        payer: None,
    };
    Terms {
        label_zh: "线下收款",
        label_en: "At the counter",
        methods: vec![
            method(Method::CASH, "现金", "Cash"),
            method(Method::TRANSFER, "银行转账", "Bank transfer"),
        ],
        currencies: vec![Currency::CNY, Currency::NZD],
        countries: countries::ALL.to_vec(),
        refunds: RefundTerms::NONE,
    }
}

impl PaymentGateway for Offline {
    fn name(&self) -> GatewayName {
        GATEWAY
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn start<'a>(&'a self, payment: &'a StartPayment, _now: Ts) -> Answer<'a, PaymentStarted> {
        let method = payment.payment.method;
        let known = self.terms.method(method).is_some();
        Box::pin(async move {
            if !known {
                let message = format!("there is no method `{method}` at the counter");
                return Err(Operation::Start.refused(GATEWAY, "PARAM_ERROR", &message));
            }
            Ok(PaymentStarted {
                handle: None,
                pay_with: PayWith::Counter,
            })
        })
    }

    /// Only an operator can say that it was paid, and says so to the engine, not to us.
    fn query<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, PaymentState> {
        let state = if now > payment.expires_at {
            PaymentState::Closed
        } else {
            PaymentState::Open
        };
        Box::pin(async move { Ok(state) })
    }

    fn close<'a>(&'a self, _payment: &'a PaymentRef, _now: Ts) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn refund<'a>(&'a self, _refund: &'a StartRefund, _now: Ts) -> Answer<'a, RefundState> {
        let message = "an operator pays it back by hand and records it with proof / \
                       请由运营人员线下退款，并登记凭证";
        Box::pin(async move { Err(Operation::Refund.refused(GATEWAY, BY_HAND, message)) })
    }

    /// Nothing was ever sent, so nothing is known.
    fn query_refund<'a>(&'a self, _refund: &'a RefundRef, _now: Ts) -> Answer<'a, RefundState> {
        Box::pin(async { Ok(RefundState::NotFound) })
    }

    /// Nobody else keeps a book of it.
    fn bill<'a>(&'a self, _day: Date, _now: Ts) -> Answer<'a, Bill> {
        Box::pin(async {
            Ok(Bill {
                lines: Vec::new(),
                totals: None,
                raw: Vec::new(),
            })
        })
    }

    fn callback<'a>(&'a self, _callback: &'a Callback<'a>, _now: Ts) -> Heard<'a> {
        let error = CallbackError::BadSignature("offline sends no notices".to_owned());
        Box::pin(async move { Err(error) })
    }

    fn received(&self) -> Reply {
        Reply::text(200, "")
    }

    fn not_received(&self, status: u16, why: &str) -> Reply {
        Reply::text(status, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::GatewayError;
    use domain::{Money, Span};
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn now() -> Ts {
        Ts::parse("2026-03-02T01:00:00Z").unwrap()
    }

    fn payment(method: Method) -> PaymentRef {
        PaymentRef {
            out_trade_no: "0195563f7a2c7c3e9d4b2a1f00c0ffee".to_owned(),
            method,
            amount: Money::fen(3000),
            created_at: now(),
            expires_at: now() + Span::minutes(30),
            handle: None,
            transaction_id: None,
        }
    }

    async fn start(method: Method) -> Result<PaymentStarted, GatewayError> {
        let payment = StartPayment {
            payment: payment(method),
            description: "复诊问诊费".to_owned(),
            payer: None,
            client_ip: None,
            return_url: None,
        };
        Offline::new().start(&payment, now()).await
    }

    #[test]
    fn it_opens_without_any_setting_and_serves_everybody() {
        let values = Values {
            values: BTreeMap::new(),
            public_url: "http://127.0.0.1:8080".to_owned(),
            timeout: Duration::from_secs(5),
        };
        let gateway = (REGISTRATION.open)(&values).unwrap();
        let terms = gateway.terms();
        assert_eq!(terms.currencies, [Currency::CNY, Currency::NZD]);
        for country in ["CN", "NZ", "AU", "ZW"] {
            assert!(terms.countries.contains(&country), "{country}");
        }
        let sorted = countries::ALL.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(sorted, "each country once");
        let patients_may_not_choose = |terms: &MethodTerms| terms.kind == PayKind::Counter;
        assert!(terms.methods.iter().all(patients_may_not_choose));
    }

    #[tokio::test]
    async fn the_counter_is_all_that_the_payer_needs() {
        for method in [Method::CASH, Method::TRANSFER] {
            let started = start(method).await.unwrap();
            assert_eq!(started.pay_with, PayWith::Counter);
            assert_eq!(started.handle, None);
        }
        let refused = start(Method::CARD).await.unwrap_err();
        assert!(matches!(refused, GatewayError::Refused { .. }), "{refused}");
    }

    #[tokio::test]
    async fn an_attempt_is_open_until_its_last_moment() {
        let (gateway, payment) = (Offline::new(), payment(Method::CASH));
        let at = |now| gateway.query(&payment, now);
        assert_eq!(at(payment.expires_at).await, Ok(PaymentState::Open));
        let later = payment.expires_at + Span::micros(1);
        assert_eq!(at(later).await, Ok(PaymentState::Closed));
        assert_eq!(gateway.close(&payment, now()).await, Ok(()));
    }

    #[tokio::test]
    async fn a_refund_is_a_persons_work() {
        let gateway = Offline::new();
        let refund = RefundRef {
            payment: payment(Method::CASH),
            total: Money::fen(3000),
            out_refund_no: "RF0195563f7a2c7c3e9d4b2a1f00c0ffee".to_owned(),
            amount: Money::fen(3000),
            sent_at: now(),
            refund_id: None,
        };
        let start = StartRefund {
            refund: refund.clone(),
            reason: "问诊退款".to_owned(),
        };
        match gateway.refund(&start, now()).await.unwrap_err() {
            GatewayError::Refused { code, message, .. } => {
                assert_eq!(code, "BY_HAND");
                assert!(message.contains("records it with proof"), "{message}");
                assert!(message.contains("登记凭证"), "{message}");
            }
            other => panic!("{other}"),
        }
        let asked = gateway.query_refund(&refund, now()).await;
        assert_eq!(asked, Ok(RefundState::NotFound));
    }

    #[tokio::test]
    async fn there_is_nobody_to_send_bills_and_notices() {
        let gateway = Offline::new();
        let day = jiff::civil::date(2026, 3, 2);
        assert_eq!(gateway.bill(day, now()).await.unwrap().lines, []);
        let callback = Callback {
            headers: &[],
            body: b"paid",
        };
        assert_eq!(
            gateway.callback(&callback, now()).await,
            Err(CallbackError::BadSignature(
                "offline sends no notices".to_owned()
            ))
        );
    }
}
