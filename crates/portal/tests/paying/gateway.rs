//! A gateway that gives what a test wants, and counts how often it is asked.

use connectors::gateway::{
    Answer, Bill, Callback, CallbackError, GatewayError, Heard, MethodTerms, Operation, PaidNotice,
    PayKind, PaymentGateway, PaymentRef, PaymentStarted, PaymentState, RefundRef, RefundState,
    RefundTerms, Reply, StartPayment, StartRefund, Terms,
};
use domain::payment::{GatewayName, Method, PayWith};
use domain::{Currency, Ts};
use jiff::civil::Date;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the gateway does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Nothing was paid yet.
    Open,
    /// It was paid.
    Paid,
    /// The payer failed.
    Failed,
    /// It gives no answer.
    Silent,
}

/// The double.
pub struct Double {
    name: GatewayName,
    terms: Terms,
    pay_with: PayWith,
    mood: Mutex<Mood>,
    asked: AtomicU32,
    return_url: Mutex<Option<String>>,
}

impl Double {
    /// A gateway that is paid in this way, by this method.
    pub fn new(name: GatewayName, method: Method, kind: PayKind, pay_with: PayWith) -> Self {
        let terms = Terms {
            label_zh: "样板支付",
            label_en: "Double Pay",
            methods: vec![MethodTerms {
                method,
                label_zh: "样板",
                label_en: "By double",
                kind,
                payer: None,
            }],
            currencies: vec![Currency::CNY],
            countries: vec!["CN"],
            refunds: RefundTerms::NONE,
        };
        Self {
            name,
            terms,
            pay_with,
            mood: Mutex::new(Mood::Open),
            asked: AtomicU32::new(0),
            return_url: Mutex::default(),
        }
    }

    /// From now on it answers so.
    pub fn turns(&self, mood: Mood) {
        *self.mood.lock().expect("mood") = mood;
    }

    /// How often it was asked about a payment.
    pub fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    /// Where it was told to send the payer back to.
    pub fn return_url(&self) -> Option<String> {
        self.return_url.lock().expect("address").clone()
    }

    fn mood(&self) -> Mood {
        *self.mood.lock().expect("mood")
    }

    fn silent(&self, operation: Operation) -> GatewayError {
        operation.unanswered(self.name, "it gives no answer")
    }
}

impl PaymentGateway for Double {
    fn name(&self) -> GatewayName {
        self.name
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn start<'a>(&'a self, start: &'a StartPayment, _: Ts) -> Answer<'a, PaymentStarted> {
        Box::pin(async move {
            if self.mood() == Mood::Silent {
                return Err(self.silent(Operation::Start));
            }
            self.return_url
                .lock()
                .expect("address")
                .clone_from(&start.return_url);
            Ok(PaymentStarted {
                handle: None,
                pay_with: self.pay_with.clone(),
            })
        })
    }

    fn query<'a>(&'a self, payment: &'a PaymentRef, now: Ts) -> Answer<'a, PaymentState> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            match self.mood() {
                Mood::Open => Ok(PaymentState::Open),
                Mood::Paid => Ok(PaymentState::Paid(PaidNotice {
                    out_trade_no: payment.out_trade_no.clone(),
                    transaction_id: format!("T{}", payment.out_trade_no),
                    amount: payment.amount,
                    paid_at: now,
                })),
                Mood::Failed => Ok(PaymentState::Failed {
                    reason: "no money".to_owned(),
                }),
                Mood::Silent => Err(self.silent(Operation::Query)),
            }
        })
    }

    fn close<'a>(&'a self, _: &'a PaymentRef, _: Ts) -> Answer<'a, ()> {
        Box::pin(async move { Err(self.silent(Operation::Close)) })
    }

    fn refund<'a>(&'a self, refund: &'a StartRefund, now: Ts) -> Answer<'a, RefundState> {
        Box::pin(async move {
            Ok(RefundState::Succeeded {
                refund_id: refund.refund.out_refund_no.clone(),
                at: now,
            })
        })
    }

    fn query_refund<'a>(&'a self, _: &'a RefundRef, _: Ts) -> Answer<'a, RefundState> {
        Box::pin(async move { Err(self.silent(Operation::QueryRefund)) })
    }

    fn bill<'a>(&'a self, _: Date, _: Ts) -> Answer<'a, Bill> {
        Box::pin(async move { Err(self.silent(Operation::Bill)) })
    }

    fn callback<'a>(&'a self, _: &'a Callback<'a>, _: Ts) -> Heard<'a> {
        Box::pin(async { Err(CallbackError::Malformed("it sends none".to_owned())) })
    }

    fn received(&self) -> Reply {
        Reply::text(200, "ok")
    }

    fn not_received(&self, status: u16, why: &str) -> Reply {
        Reply::text(status, why)
    }
}
