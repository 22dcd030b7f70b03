//! A sixth gateway, as somebody who needs one would write it: everything that the program has to
//! know of it is in this folder, and its [`REGISTRATION`] is the one line that makes it known. Its
//! counterparty is a purse in this process.

use connectors::gateway::{
    Answer, Bill, Callback, CallbackError, Heard, MethodTerms, Notice, Operation, PaidNotice,
    PayKind, PaymentGateway, PaymentRef, PaymentStarted, PaymentState, RefundRef, RefundState,
    RefundTerms, Registration, Reply, Setting, SettingError, SettingKind, StartPayment,
    StartRefund, Terms, Values,
};
use domain::payment::{GatewayName, Method, PayWith};
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use domain::{Currency, Money, Span, Ts};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

pub const SHELLS: GatewayName = GatewayName::known("shells");

/// The line of registration.
pub const REGISTRATION: Registration = Registration {
    name: SHELLS,
    settings: &[Setting {
        name: "SHELLS_TOKEN",
        help: "the password of the purse",
        kind: SettingKind::Secret,
        default: None,
    }],
    open,
};

/// What lies in the purse: who paid what and when, and what went back.
#[derive(Default)]
pub struct Purse {
    pub asked: BTreeMap<String, Money>,
    pub paid: BTreeMap<String, (Money, Ts)>,
    pub back: BTreeMap<String, (String, Money, Ts)>,
}

/// The purses of this process, by their passwords.
static PURSES: LazyLock<Mutex<BTreeMap<String, Arc<Mutex<Purse>>>>> = LazyLock::new(Mutex::default);

/// The purse with this password.
pub fn purse(token: &str) -> Arc<Mutex<Purse>> {
    let mut purses = PURSES.lock().expect("purses");
    Arc::clone(purses.entry(token.to_owned()).or_default())
}

struct Shells {
    token: String,
    purse: Arc<Mutex<Purse>>,
    terms: Terms,
}

fn open(values: &Values) -> Result<Arc<dyn PaymentGateway>, SettingError> {
    let token = values.get("SHELLS_TOKEN")?.to_owned();
    let methods = vec![MethodTerms {
        method: Method::known("hand_over"),
        label_zh: "贝壳",
        label_en: "Shells",
        kind: PayKind::Redirect,
        payer: None,
    }];
    Ok(Arc::new(Shells {
        purse: purse(&token),
        token,
        terms: Terms {
            label_zh: "贝壳",
            label_en: "Shells",
            methods,
            currencies: vec![Currency::CNY],
            countries: vec!["CN", "NZ"],
            refunds: RefundTerms {
                count: Some(2),
                within: Some(Span::hours(24)),
                apart: None,
            },
        },
    }))
}

impl Shells {
    fn paid(&self, number: &str) -> Option<PaidNotice> {
        let purse = self.purse.lock().expect("purse");
        let (amount, paid_at) = *purse.paid.get(number)?;
        Some(PaidNotice {
            out_trade_no: number.to_owned(),
            transaction_id: format!("shell-{number}"),
            amount,
            paid_at,
        })
    }

    fn gone(&self, number: &str) -> Option<RefundState> {
        let purse = self.purse.lock().expect("purse");
        let (_, _, at) = purse.back.get(number)?;
        Some(RefundState::Succeeded {
            refund_id: format!("back-{number}"),
            at: *at,
        })
    }

    fn read(&self, callback: &Callback<'_>) -> Result<Notice, CallbackError> {
        let given = callback.header("shells-token").unwrap_or_default();
        let (given, token) = (given.as_bytes(), self.token.as_bytes());
        aws_lc_rs::constant_time::verify_slices_are_equal(given, token)
            .map_err(|_| CallbackError::BadSignature("not the purse's password".to_owned()))?;
        let number = std::str::from_utf8(callback.body)
            .map_err(|reason| CallbackError::Malformed(reason.to_string()))?;
        let paid = self.paid(number).ok_or_else(|| {
            CallbackError::Malformed(format!("the purse holds nothing for {number}"))
        })?;
        Ok(Notice::Paid {
            notice_id: paid.transaction_id.clone(),
            paid,
        })
    }

    fn lines(&self, day: Date) -> Vec<BillLine> {
        let purse = self.purse.lock().expect("purse");
        let on_day = |at: Ts| {
            jiff::Timestamp::from(at)
                .to_zoned(jiff::tz::TimeZone::UTC)
                .date()
                == day
        };
        let mut lines: Vec<BillLine> = Vec::new();
        let paid = purse.paid.iter().filter(|(_, (_, at))| on_day(*at));
        for (number, (amount, at)) in paid {
            lines.push(line(LineKind::Payment, number, None, *amount, *at));
        }
        for (number, (of, amount, at)) in purse.back.iter().filter(|(_, (.., at))| on_day(*at)) {
            lines.push(line(LineKind::Refund, of, Some(number), *amount, *at));
        }
        for (line, place) in lines.iter_mut().zip(1..) {
            line.line = place;
        }
        lines
    }
}

fn line(kind: LineKind, of: &str, refund: Option<&String>, amount: Money, at: Ts) -> BillLine {
    BillLine {
        line: 0,
        kind,
        out_trade_no: Some(of.to_owned()),
        transaction_id: Some(format!("shell-{of}")),
        out_refund_no: refund.cloned(),
        refund_id: refund.map(|number| format!("back-{number}")),
        amount,
        fee: None,
        status: LineStatus::Succeeded,
        at,
    }
}

impl PaymentGateway for Shells {
    fn name(&self) -> GatewayName {
        SHELLS
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn start<'a>(&'a self, start: &'a StartPayment, _now: Ts) -> Answer<'a, PaymentStarted> {
        let payment = &start.payment;
        let mut purse = self.purse.lock().expect("purse");
        let number = payment.out_trade_no.clone();
        purse.asked.insert(number.clone(), payment.amount);
        let url = format!("http://127.0.0.1:9/shells/{number}");
        Box::pin(async move {
            Ok(PaymentStarted {
                handle: Some(format!("knot-{number}")),
                pay_with: PayWith::Redirect { url },
            })
        })
    }

    fn query<'a>(&'a self, payment: &'a PaymentRef, _now: Ts) -> Answer<'a, PaymentState> {
        let number = &payment.out_trade_no;
        let known = self.purse.lock().expect("purse").asked.contains_key(number);
        let state = match self.paid(number) {
            Some(paid) => PaymentState::Paid(paid),
            None if known => PaymentState::Open,
            None => PaymentState::Closed,
        };
        Box::pin(async move { Ok(state) })
    }

    fn close<'a>(&'a self, payment: &'a PaymentRef, _now: Ts) -> Answer<'a, ()> {
        let mut purse = self.purse.lock().expect("purse");
        purse.asked.remove(&payment.out_trade_no);
        Box::pin(async { Ok(()) })
    }

    fn refund<'a>(&'a self, start: &'a StartRefund, now: Ts) -> Answer<'a, RefundState> {
        let refund = &start.refund;
        let mut purse = self.purse.lock().expect("purse");
        let of = refund.payment.out_trade_no.clone();
        let state = if purse.paid.contains_key(&of) {
            let entry = (of, refund.amount, now);
            let number = refund.out_refund_no.clone();
            purse.back.entry(number).or_insert(entry);
            Ok(RefundState::Processing { refund_id: None })
        } else {
            Err(Operation::Refund.refused(SHELLS, "UNPAID", "nothing was paid"))
        };
        Box::pin(async move { state })
    }

    fn query_refund<'a>(&'a self, refund: &'a RefundRef, _now: Ts) -> Answer<'a, RefundState> {
        let state = self.gone(&refund.out_refund_no);
        Box::pin(async move { Ok(state.unwrap_or(RefundState::NotFound)) })
    }

    fn bill<'a>(&'a self, day: Date, _now: Ts) -> Answer<'a, Bill> {
        let lines = self.lines(day);
        Box::pin(async move {
            Ok(Bill {
                raw: format!("{lines:?}").into_bytes(),
                lines,
                totals: None,
            })
        })
    }

    fn callback<'a>(&'a self, callback: &'a Callback<'a>, _now: Ts) -> Heard<'a> {
        Box::pin(async move { self.read(callback) })
    }

    fn received(&self) -> Reply {
        Reply::text(200, "thanks")
    }

    fn not_received(&self, status: u16, why: &str) -> Reply {
        Reply::text(status, why)
    }
}
