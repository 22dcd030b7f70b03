//! What a gateway offers: ways to pay, currencies, countries, and its limits on refunds.

use domain::payment::Method;
use domain::{Currency, Span};

/// What a gateway offers, to whom, and within which limits. Facts of the gateway, not of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Its name in Chinese.
    pub label_zh: &'static str,
    /// Its name in English.
    pub label_en: &'static str,
    /// The ways to pay, the most usual first.
    pub methods: Vec<MethodTerms>,
    /// The currencies it takes from us.
    pub currencies: Vec<Currency>,
    /// The countries whose payers it serves, by ISO 3166 letters (`CN`).
    pub countries: Vec<&'static str>,
    /// Its limits on refunds.
    pub refunds: RefundTerms,
}

impl Terms {
    /// The terms of a method, if the gateway has it.
    pub fn method(&self, method: Method) -> Option<&MethodTerms> {
        self.methods.iter().find(|terms| terms.method == method)
    }
}

/// One way to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodTerms {
    /// Which.
    pub method: Method,
    /// Its name in Chinese.
    pub label_zh: &'static str,
    /// Its name in English.
    pub label_en: &'static str,
    /// What the payer is shown.
    pub kind: PayKind,
    /// What the payer must be known by at the gateway, such as `openid`; `None` where nothing.
    pub payer: Option<&'static str>,
}

/// What the payer is shown, or where they are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayKind {
    /// A QR code.
    Qr,
    /// The gateway's own app.
    InApp,
    /// The gateway's page, by redirect or form.
    Redirect,
    /// Fields for a card on our page.
    Card,
    /// An operator at the counter; patients can't choose it.
    Counter,
}

impl PayKind {
    /// As in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qr => "qr",
            Self::InApp => "inApp",
            Self::Redirect => "redirect",
            Self::Card => "card",
            Self::Counter => "counter",
        }
    }
}

/// A gateway's limits on refunds, checked before it is asked (spec 20).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundTerms {
    /// At most so many of one payment.
    pub count: Option<u32>,
    /// Not later than this after the payment.
    pub within: Option<Span>,
    /// At least so long after the last one of the same payment.
    pub apart: Option<Span>,
}

impl RefundTerms {
    /// No limits.
    pub const NONE: Self = Self {
        count: None,
        within: None,
        apart: None,
    };
}
