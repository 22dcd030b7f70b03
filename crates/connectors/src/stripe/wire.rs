//! Stripe's JSON, as far as we read it. Amounts are whole minor units, times whole Unix seconds.
//!
//! Fields that we don't read are left out; unknown ones are ignored, since Stripe adds fields
//! without notice and without a new version.

use domain::{Currency, Money, MoneyError, Ts};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Our number of a payment, in the metadata of an intent, of its charge, and of its refunds.
pub const OUT_TRADE_NO: &str = "out_trade_no";
/// Our number of a refund, in its metadata.
pub const OUT_REFUND_NO: &str = "out_refund_no";

/// The last second of the year 9999: later times are not times.
const LAST_SECOND: i64 = 253_402_300_799;

/// What a merchant may write on an object. Others on the same account write there too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Metadata(Option<BTreeMap<String, String>>);

impl Metadata {
    /// Our number of the payment, if it is one: 32 hexadecimal digits in lower case.
    pub fn out_trade_no(&self) -> Option<&str> {
        self.get(OUT_TRADE_NO)
            .filter(|number| is_out_trade_no(number))
    }

    /// Our number of the refund, if it is one: `RF` and 32 hexadecimal digits.
    pub fn out_refund_no(&self) -> Option<&str> {
        self.get(OUT_REFUND_NO)
            .filter(|number| is_out_refund_no(number))
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.as_ref()?.get(key).map(String::as_str)
    }
}

/// Whether a text has the form of our payments' numbers.
pub(super) fn is_out_trade_no(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 32 && text.bytes().all(is_digit)
}

/// Whether a text has the form of our refunds' numbers.
pub(super) fn is_out_refund_no(text: &str) -> bool {
    text.strip_prefix("RF").is_some_and(is_out_trade_no)
}

/// An object, or only its id where it was not asked for in full (`expand[]`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Expandable<T> {
    /// Only its id.
    Id(String),
    /// The whole.
    Object(Box<T>),
}

/// A payment, from its start to its end, over any number of tries.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PaymentIntent {
    /// `pi_...`
    pub id: String,
    /// `requires_payment_method`, `requires_confirmation`, `requires_action`, `processing`,
    /// `requires_capture`, `canceled` or `succeeded`.
    pub status: String,
    /// What was asked for.
    pub amount: i64,
    /// What came; zero until then.
    #[serde(default)]
    pub amount_received: Option<i64>,
    /// In lower case.
    pub currency: String,
    /// Lets a page finish this payment. Not in notices.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// The last try; the one that succeeded, once one did.
    #[serde(default)]
    pub latest_charge: Option<Expandable<Charge>>,
    /// What we wrote on it.
    #[serde(default)]
    pub metadata: Metadata,
}

/// One try at a card.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Charge {
    /// `ch_...` or `py_...`
    pub id: String,
    /// When it was made.
    pub created: i64,
}

/// A return of money.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refund {
    /// `re_...` or `pyr_...`
    pub id: String,
    /// How much.
    pub amount: i64,
    /// In lower case.
    pub currency: String,
    /// When it was made; there is no time of its success.
    pub created: i64,
    /// `pending`, `requires_action`, `succeeded`, `failed` or `canceled`.
    #[serde(default)]
    pub status: Option<String>,
    /// Why it failed, such as `lost_or_stolen_card`.
    #[serde(default)]
    pub failure_reason: Option<String>,
    /// What we wrote on it.
    #[serde(default)]
    pub metadata: Metadata,
}

/// A page of a list, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct List<T> {
    /// Its objects.
    pub data: Vec<T>,
    /// Whether there are more after the last one.
    pub has_more: bool,
}

impl<T> List<T> {
    /// What the next page comes after; nothing if this was the last one.
    ///
    /// # Errors
    ///
    /// In words, where the list does not get on: taking it for the whole would lose the rest.
    pub fn next_after(
        &self,
        after: Option<&str>,
        id: impl Fn(&T) -> &str,
    ) -> Result<Option<String>, String> {
        if !self.has_more {
            return Ok(None);
        }
        match self.data.last().map(id) {
            None => Err("a list says that there is more, but not what".to_owned()),
            Some(last) if Some(last) == after => Err(format!("a list stands still at {last}")),
            Some(last) => Ok(Some(last.to_owned())),
        }
    }
}

/// What comes with every status that is not 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ErrorAnswer {
    /// The error.
    pub error: ErrorDetail,
}

/// An error, in Stripe's words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ErrorDetail {
    /// `api_error`, `card_error`, `idempotency_error`, `invalid_request_error`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Such as `charge_already_refunded`; not every error has one.
    #[serde(default)]
    pub code: Option<String>,
    /// For people.
    #[serde(default)]
    pub message: Option<String>,
    /// The intent that the request was about, as it stands.
    #[serde(default)]
    pub payment_intent: Option<Box<PaymentIntent>>,
}

impl ErrorDetail {
    /// The most exact name that the error has.
    pub fn name(&self) -> &str {
        self.code.as_deref().unwrap_or(&self.kind)
    }
}

/// A notice; `T` is what its kind is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Event<T> {
    /// `evt_...`, the same in every repetition.
    pub id: String,
    /// Such as `payment_intent.succeeded`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    pub created: i64,
    /// What it is about.
    pub data: EventData<T>,
}

/// What a notice is about, as it was when the notice was made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct EventData<T> {
    /// The object.
    pub object: T,
}

/// A movement of the account's balance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BalanceTransaction {
    /// `txn_...`
    pub id: String,
    /// `charge`, `refund`, `payout`, `adjustment`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    pub created: i64,
    /// Stripe's fee, in the currency of the balance; positive is what we pay.
    pub fee: i64,
    /// The currency of the balance, in lower case; it may differ from the payment's.
    pub currency: String,
    /// What moved it, in full where it was asked for. Read only for the kinds that we know.
    #[serde(default)]
    pub source: serde_json::Value,
}

/// A charge or a refund, as the source of a movement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BalanceSource {
    /// `ch_...`, `py_...`, `re_...` or `pyr_...`
    pub id: String,
    /// How much, in the currency of the payment; never negative.
    pub amount: i64,
    /// The currency of the payment, in lower case.
    pub currency: String,
    /// How it stands now.
    #[serde(default)]
    pub status: Option<String>,
    /// The intent that it belongs to.
    #[serde(default)]
    pub payment_intent: Option<String>,
    /// What we wrote on it.
    #[serde(default)]
    pub metadata: Metadata,
}

/// A currency of the wire, in lower case there.
pub(super) fn read_currency(text: &str) -> Result<Currency, String> {
    let known = text.to_ascii_uppercase().parse();
    known.map_err(|error: MoneyError| error.to_string())
}

/// An amount of the wire as money.
pub(super) fn read_money(amount: i64, currency: &str) -> Result<Money, String> {
    let currency = read_currency(currency)?;
    if amount < 0 {
        return Err(format!("an amount is negative: {amount} {currency}"));
    }
    Ok(Money::new(amount, currency))
}

/// Unix seconds of the wire as a time.
pub(super) fn read_seconds(seconds: i64) -> Result<Ts, String> {
    if (0..=LAST_SECOND).contains(&seconds) {
        Ok(Ts::from_micros(seconds * 1_000_000))
    } else {
        Err(format!("{seconds} is no time"))
    }
}
