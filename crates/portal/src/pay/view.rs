//! What the page says and offers, in a reader's language: everything but its markup.

use super::qr::{Drawing, draw};
use super::standing::{Standing, Watched, refunds_of};
use crate::headers::Origin;
use crate::reading::{Moment, clock, day, moment, moment_soon, money};
use crate::words::Words;
use domain::consultation::{Consultation, ConsultationType};
use domain::lifecycle::Language;
use domain::payment::{GatewayName, PayWith, Payment, Refund, RefundStatus};
use domain::{Money, Ts};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// What the payer's gateway and method are called, in Chinese and English.
#[derive(Debug, Clone)]
pub struct Names {
    /// The gateway: 微信支付, WeChat Pay.
    pub gateway: (String, String),
    /// The method: 微信扫码, Scan with WeChat.
    pub method: (String, String),
    /// Whether an operator takes the money.
    pub at_counter: bool,
}

/// What the page is made from.
pub struct Told<'a> {
    /// The order.
    pub order: &'a Consultation,
    /// Its payment that is looked at.
    pub payment: &'a Payment,
    /// What gateway and method are called.
    pub names: Names,
    /// When.
    pub now: Ts,
    /// By whose clock.
    pub zone: &'a TimeZone,
    /// Where the payer's part is played, if it is.
    pub sandbox_url: Option<&'a str>,
    /// Whether the gateway was asked a moment ago.
    pub asked_just_now: bool,
}

/// What the page says and offers.
#[derive(Debug)]
pub struct View {
    /// What scripts watch.
    pub watched: Watched,
    /// How it stands, in a few words.
    pub heading: String,
    /// What that means, and what comes next.
    pub lead: String,
    /// What is paid for.
    pub what: &'static str,
    /// How much, or how much was paid.
    pub amount: String,
    /// Over what.
    pub gateway: String,
    /// What a QR code is called for those who can't see it.
    pub code_name: String,
    /// Over what and how.
    pub over: String,
    /// The order's number.
    pub order_number: String,
    /// Our number of the payment.
    pub payment_number: String,
    /// Until when it can be paid, and how much of that is left, as a clock shows it.
    pub until: Option<(Moment, String)>,
    /// When the money came.
    pub paid_at: Option<Moment>,
    /// What the payer can do.
    pub action: Action,
    /// Where the payer's part is played in the sandbox, where the page itself has no way to pay.
    pub cashier: Option<String>,
    /// The words with which the payer says that they have paid, where they can.
    pub confirm: Option<&'static str>,
    /// Whether to say that the gateway was asked and knows of nothing.
    pub asked_in_vain: bool,
    /// The refunds.
    pub refunds: Vec<RefundLine>,
}

/// What a payer can do.
#[derive(Debug)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Wait for the gateway.
    Wait,
    /// Scan a code.
    Scan(Drawing),
    /// Go to the gateway's page.
    Go {
        /// Its address, http or https.
        url: String,
    },
    /// Go there by a form.
    Post {
        /// Where, http or https.
        action: String,
        /// Whose address that is.
        origin: Origin,
        /// With what.
        fields: BTreeMap<String, String>,
    },
    /// Pay inside the gateway's app.
    OpenInApp {
        /// The signed fields, as JSON.
        fields: String,
        /// Through which app's bridge a page can hand them over, if there is one.
        bridge: &'static str,
    },
    /// Fill in a card in Stripe's fields.
    FillIn {
        /// Whose page it is.
        publishable_key: String,
        /// Which payment it is.
        client_secret: String,
    },
    /// Pay at the counter.
    Counter,
    /// What the gateway gave can't be shown.
    Unshowable,
}

/// A refund, as the payer sees it.
#[derive(Debug)]
pub struct RefundLine {
    /// How much, once that is settled.
    pub amount: Option<String>,
    /// How it stands.
    pub words: String,
    /// When the money went.
    pub gone_at: Option<Moment>,
}

impl View {
    /// What a payment's page says at a moment.
    pub fn of(told: &Told<'_>, language: Language) -> Self {
        let Told { order, payment, .. } = *told;
        let words = Words::of(language);
        let watched = Watched::of(order, payment, told.now);
        let standing = watched.standing;
        let gateway = pick(&told.names.gateway, language);
        let method = pick(&told.names.method, language);
        let at = |at| moment(at, told.zone, language);
        let left = |seconds| {
            let end = moment_soon(payment.expires_at, told.now, told.zone, language);
            (end, clock(seconds))
        };
        let action = action(told, standing);
        let confirm = confirm(standing, &action).map(|key| words.say(key));
        let amount = money(payment.paid.unwrap_or(payment.amount), language);
        let app = app(payment, &told.names, language);
        let code = [("app", app), ("amount", amount.as_str())];
        Self {
            heading: heading(payment, standing, &told.names, language),
            code_name: words.fill("pay.qr.alt", &code),
            lead: lead(told, standing, &action, language),
            what: words.say(what(order)),
            amount,
            over: words.fill("pay.over", &[("gateway", gateway), ("method", method)]),
            gateway: gateway.to_owned(),
            order_number: order.id.to_string(),
            payment_number: payment.out_trade_no.clone(),
            until: watched.left_seconds.map(left),
            paid_at: payment.paid_at.map(at),
            cashier: cashier(told, standing, &action),
            asked_in_vain: told.asked_just_now && confirm.is_some(),
            confirm,
            action,
            refunds: refunds_of(order, payment.id)
                .into_iter()
                .map(|refund| refund_line(refund, told.zone, language))
                .collect(),
            watched,
        }
    }
}

/// How a payment stands, in a few words.
pub fn heading(payment: &Payment, standing: Standing, names: &Names, language: Language) -> String {
    let key = standing.key(payment.pay_with.as_ref());
    let gateway = pick(&names.gateway, language);
    let app = app(payment, names, language);
    Words::of(language).fill(key, &[("gateway", gateway), ("app", app)])
}

/// What the app is called that the payment is scanned with or made in: for all that we know, as its
/// gateway.
fn app<'a>(payment: &Payment, names: &'a Names, language: Language) -> &'a str {
    let words = Words::of(language);
    match payment.gateway {
        GatewayName::WECHAT => words.say("pay.app.wechat"),
        GatewayName::ALIPAY => words.say("pay.app.alipay"),
        _ => pick(&names.gateway, language),
    }
}

/// The name in a language.
fn pick(names: &(String, String), language: Language) -> &str {
    match language {
        Language::Zh => &names.0,
        Language::En => &names.1,
    }
}

/// What is paid for, without a word about the illness: the link may be passed on.
fn what(order: &Consultation) -> &'static str {
    match order.detail.consultation_type {
        ConsultationType::Text => "pay.for.text",
        ConsultationType::Phone => "pay.for.phone",
        ConsultationType::Video => "pay.for.video",
    }
}

fn action(told: &Told<'_>, standing: Standing) -> Action {
    match standing {
        Standing::Fetching => Action::Wait,
        Standing::Waiting => match &told.payment.pay_with {
            Some(with) => offered(with, told),
            None => Action::Wait,
        },
        Standing::Checking
        | Standing::Cancelling
        | Standing::Paid
        | Standing::Failed
        | Standing::Closed
        | Standing::PartlyRefunded
        | Standing::Refunded => Action::Nothing,
    }
}

/// What the gateway gave to pay with, as far as a browser may be led there.
fn offered(with: &PayWith, told: &Told<'_>) -> Action {
    match with {
        PayWith::Qr { code_url } => draw(code_url).map_or(Action::Unshowable, Action::Scan),
        PayWith::Redirect { url } => match Origin::of(url) {
            Some(_) => Action::Go { url: url.clone() },
            None => Action::Unshowable,
        },
        PayWith::Form { action, fields } => match Origin::of(action) {
            Some(origin) => Action::Post {
                action: action.clone(),
                origin,
                fields: fields.clone(),
            },
            None => Action::Unshowable,
        },
        PayWith::InApp { fields } => Action::OpenInApp {
            fields: fields.to_string(),
            bridge: bridge(told.payment.gateway),
        },
        // Only Stripe's own servers have its fields.
        PayWith::Card { .. } if told.sandbox_url.is_some() => Action::Nothing,
        PayWith::Card {
            client_secret,
            publishable_key,
        } => Action::FillIn {
            publishable_key: publishable_key.clone(),
            client_secret: client_secret.clone(),
        },
        PayWith::Counter => Action::Counter,
    }
}

/// The apps that hand a payment over from a page inside them.
fn bridge(gateway: GatewayName) -> &'static str {
    match gateway {
        GatewayName::WECHAT => "wechat",
        GatewayName::ALIPAY => "alipay",
        _ => "",
    }
}

/// Where the payer's part is played, for what the page itself can't lead to: a telephone that
/// scans, an app, or Stripe's fields.
fn cashier(told: &Told<'_>, standing: Standing, action: &Action) -> Option<String> {
    let base = told.sandbox_url?.trim_end_matches('/');
    let played = match &told.payment.pay_with {
        Some(PayWith::Qr { .. } | PayWith::InApp { .. } | PayWith::Card { .. }) => true,
        Some(PayWith::Redirect { .. } | PayWith::Form { .. } | PayWith::Counter) | None => false,
    };
    let payable = standing == Standing::Waiting && !matches!(action, Action::Unshowable);
    let number = &told.payment.out_trade_no;
    (played && payable).then(|| format!("{base}/cashier/{number}"))
}

/// The key of the words with which the payer says that they have paid: while that may be, and
/// there is somebody to ask.
const fn confirm(standing: Standing, action: &Action) -> Option<&'static str> {
    match (standing, action) {
        (Standing::Waiting, Action::Counter) => None,
        (Standing::Waiting, _) => Some("pay.confirm"),
        (Standing::Checking, _) => Some("pay.ask"),
        (
            Standing::Fetching
            | Standing::Cancelling
            | Standing::Paid
            | Standing::Failed
            | Standing::Closed
            | Standing::PartlyRefunded
            | Standing::Refunded,
            _,
        ) => None,
    }
}

/// What the heading means, and what comes next.
fn lead(told: &Told<'_>, standing: Standing, action: &Action, language: Language) -> String {
    let words = Words::of(language);
    let gateway = pick(&told.names.gateway, language);
    let sum = |amounts: &mut dyn Iterator<Item = Money>| Money {
        amount: amounts.map(|money| money.amount).sum(),
        ..told.payment.amount
    };
    let refunds = refunds_of(told.order, told.payment.id);
    let gone = refunds
        .iter()
        .filter(|refund| refund.status == RefundStatus::Succeeded);
    let back = money(sum(&mut gone.map(|refund| refund.amount)), language);
    let key = match (standing, action) {
        (Standing::Fetching, _) => "pay.fetching.means",
        (Standing::Waiting, Action::Scan(_)) => "pay.qr.means",
        (Standing::Waiting, Action::OpenInApp { .. }) => "pay.inapp.means",
        (Standing::Waiting, Action::Go { .. } | Action::Post { .. }) => "pay.elsewhere.means",
        (Standing::Waiting, Action::FillIn { .. }) => "pay.card.means",
        (Standing::Waiting, Action::Counter) => "pay.counter.means",
        (Standing::Waiting, Action::Unshowable) => "pay.unshowable.means",
        (Standing::Waiting, Action::Nothing | Action::Wait) => "pay.sandboxCard.means",
        (Standing::Checking, _) => "pay.checking.means",
        (Standing::Cancelling, _) => "pay.cancelling.means",
        (Standing::Paid, _) if told.names.at_counter => "pay.paidAtCounter.means",
        (Standing::Paid, _) => "pay.paid.means",
        (Standing::Failed, _) => "pay.failed.means",
        (Standing::Closed, _) => "pay.closed.means",
        (Standing::PartlyRefunded, _) => "pay.partlyRefunded.means",
        (Standing::Refunded, _) => "pay.refunded.means",
    };
    let app = app(told.payment, &told.names, language);
    words.fill(key, &[("gateway", gateway), ("app", app), ("back", &back)])
}

fn refund_line(refund: &Refund, zone: &TimeZone, language: Language) -> RefundLine {
    let words = Words::of(language);
    let due = refund.due_on.map(|due| day(due, language));
    let text = match (refund.status, due) {
        (RefundStatus::Requested, _) => words.say("pay.refund.requested").to_owned(),
        (RefundStatus::Reviewing, _) => words.say("pay.refund.reviewing").to_owned(),
        (RefundStatus::Processing, Some(day)) => {
            words.fill("pay.refund.processingUntil", &[("day", &day)])
        }
        (RefundStatus::Processing, None) => words.say("pay.refund.processing").to_owned(),
        (RefundStatus::Succeeded, _) => words.say("pay.refund.succeeded").to_owned(),
        (RefundStatus::Failed, _) => words.say("pay.refund.failed").to_owned(),
        (RefundStatus::Refused, _) => words.say("pay.refund.refused").to_owned(),
    };
    let gone_at = match refund.status {
        RefundStatus::Succeeded => refund.gone_at.or(Some(refund.updated_at)),
        RefundStatus::Requested
        | RefundStatus::Reviewing
        | RefundStatus::Processing
        | RefundStatus::Failed
        | RefundStatus::Refused => None,
    };
    RefundLine {
        amount: (!refund.amount.is_zero()).then(|| money(refund.amount, language)),
        words: text,
        gone_at: gone_at.map(|at| moment(at, zone, language)),
    }
}
