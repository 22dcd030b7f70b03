//! The JSON of PayPal's Orders v2 and Payments v2, as it goes over the wire. Amounts are decimal
//! strings in major units.
//!
//! Field names and statuses are those of PayPal's published OpenAPI descriptions
//! (`checkout_orders_v2`, `payments_payment_v2`). Fields that we neither send nor read are left out;
//! unknown ones are ignored, since PayPal adds fields without notice.

use domain::{Money, Ts};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The OAuth token, the answer to `POST /v1/oauth2/token`.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// Goes into `Authorization: Bearer`. Secret.
    pub access_token: String,
    /// `Bearer`.
    #[serde(default)]
    pub token_type: String,
    /// For how many seconds it is good, about 32,400.
    pub expires_in: i64,
}

/// An amount: `{"currency_code":"NZD","value":"115.00"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// The ISO 4217 letters.
    pub currency_code: String,
    /// In major units, with as many decimals as the currency has.
    pub value: String,
}

impl Amount {
    /// As PayPal writes this amount.
    pub fn of(money: Money) -> Self {
        Self {
            currency_code: money.currency.to_string(),
            value: money.to_decimal(),
        }
    }

    /// The amount, if it is one of a currency that the platform works in.
    pub fn read(&self) -> Result<Money, String> {
        let currency = self
            .currency_code
            .parse()
            .map_err(|reason| format!("amount: {reason}"))?;
        Money::from_decimal(&self.value, currency).map_err(|reason| format!("amount: {reason}"))
    }
}

/// A link to what can be done next.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Link {
    /// Where.
    pub href: String,
    /// What for: `self`, `approve`, `payer-action`, `capture`, `up`, ...
    pub rel: String,
    /// The HTTP method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

/// Body of `POST /v2/checkout/orders`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateOrder {
    /// `CAPTURE`: the money is fetched at once when the payer has agreed.
    pub intent: String,
    /// One: what is paid for.
    pub purchase_units: Vec<PurchaseUnitRequest>,
    /// How the payer gets there and back.
    pub payment_source: PaymentSource,
}

/// What is paid for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PurchaseUnitRequest {
    /// Our number, seen by us only; at most 127 characters.
    pub custom_id: String,
    /// Our number, seen by the payer and unique per merchant; at most 127 characters.
    pub invoice_id: String,
    /// For the payer to read, at most 127 characters.
    pub description: String,
    /// How much.
    pub amount: Amount,
}

/// Who pays: somebody with a PayPal account, or a guest on PayPal's page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PaymentSource {
    /// PayPal's own page.
    pub paypal: Wallet,
}

/// PayPal's own page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wallet {
    /// What it looks like and where it leads.
    pub experience_context: ExperienceContext,
}

/// What PayPal's page looks like and where it leads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExperienceContext {
    /// Where the payer comes back to after agreeing; PayPal adds `token` and `PayerID`.
    pub return_url: String,
    /// Where the payer comes back to without agreeing.
    pub cancel_url: String,
    /// `PAY_NOW`: the button says so, and there is no further page of ours.
    pub user_action: String,
    /// `NO_SHIPPING`: no address is asked for.
    pub shipping_preference: String,
    /// `IMMEDIATE_PAYMENT_REQUIRED`: no slow means, so that a capture is not `PENDING`.
    pub payment_method_preference: String,
}

/// An order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// PayPal's number of the order.
    pub id: String,
    /// `CREATED`, `SAVED`, `PAYER_ACTION_REQUIRED`, `APPROVED`, `VOIDED`, `COMPLETED`.
    pub status: String,
    /// What is paid for, and what came of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purchase_units: Vec<PurchaseUnit>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// What can be done next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

/// What is paid for, and what came of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PurchaseUnit {
    /// `default` where none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_id: Option<String>,
    /// Our number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_id: Option<String>,
    /// Our number again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<String>,
    /// For the payer to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How much was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payments: Option<Payments>,
}

/// What came of a purchase unit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Payments {
    /// Money fetched; one at most for an order with intent `CAPTURE`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub captures: Vec<Capture>,
    /// Money given back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
}

/// Money fetched.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Capture {
    /// PayPal's number of the money.
    pub id: String,
    /// `COMPLETED`, `PENDING`, `DECLINED`, `FAILED`, `PARTIALLY_REFUNDED`, `REFUNDED`.
    pub status: String,
    /// Why it is pending or declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_details: Option<StatusDetails>,
    /// How much was really paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Our number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_id: Option<String>,
    /// Our number again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// When it last changed; a refund changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_time: Option<String>,
    /// What can be done next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

/// Why something is as it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusDetails {
    /// Such as `PENDING_REVIEW`, `ECHECK`.
    pub reason: String,
}

/// Body of `POST /v2/payments/captures/{id}/refund`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefundRequest {
    /// How much; left out, PayPal would give back all that is left.
    pub amount: Amount,
    /// Our number of the refund, at most 127 characters.
    pub invoice_id: String,
    /// Shown to the payer, at most 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note_to_payer: Option<String>,
}

/// Money given back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refund {
    /// PayPal's number of the refund.
    pub id: String,
    /// `COMPLETED`, `PENDING`, `FAILED`, `CANCELLED`.
    pub status: String,
    /// Why it is pending or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_details: Option<StatusDetails>,
    /// How much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Our number of the refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<String>,
    /// Shown to the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note_to_payer: Option<String>,
    /// When it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_time: Option<String>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update_time: Option<String>,
    /// `up` leads to the capture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
}

/// A webhook's body.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// `WH-...`, the same in every repetition.
    pub id: String,
    /// When it was made.
    #[serde(default)]
    pub create_time: String,
    /// What `resource` is: `checkout-order`, `capture`, `refund`.
    #[serde(default)]
    pub resource_type: String,
    /// Such as `PAYMENT.CAPTURE.COMPLETED`.
    pub event_type: String,
    /// In words.
    #[serde(default)]
    pub summary: String,
    /// What it is about, in the form of [`Order`], [`Capture`] or [`Refund`].
    pub resource: serde_json::Value,
}

/// The body of every answer that says no.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorAnswer {
    /// Such as `UNPROCESSABLE_ENTITY`.
    pub name: String,
    /// In words.
    #[serde(default)]
    pub message: String,
    /// What PayPal's support asks for.
    #[serde(default)]
    pub debug_id: String,
    /// What exactly is wrong.
    #[serde(default)]
    pub details: Vec<ErrorDetail>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// Such as `ORDER_NOT_APPROVED`.
    #[serde(default)]
    pub issue: String,
    /// In words.
    #[serde(default)]
    pub description: String,
}

/// RFC 3339 in UTC with whole seconds, as PayPal writes times; parts of a second are cut off.
pub fn utc_time(at: Ts) -> String {
    let whole = Timestamp::from_second(at.unix_seconds()).unwrap_or_else(|_| at.into());
    whole.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_decimal_strings() {
        let amount = Amount::of(Money::new(11_500, Currency::NZD));
        let json = serde_json::to_string(&amount).unwrap();
        assert_eq!(json, r#"{"currency_code":"NZD","value":"115.00"}"#);
        assert_eq!(amount.read(), Ok(Money::new(11_500, Currency::NZD)));
        let foreign = Amount {
            currency_code: "JPY".to_owned(),
            value: "115".to_owned(),
        };
        assert!(foreign.read().unwrap_err().contains("JPY"));
    }

    #[test]
    fn times_are_in_utc_and_whole_seconds() {
        let at = Ts::parse("2025-11-20T15:00:00.999+13:00").unwrap();
        assert_eq!(utc_time(at), "2025-11-20T02:00:00Z");
    }

    proptest! {
        #[test]
        fn an_amount_that_is_sent_is_read_as_the_same(minor: i64) {
            let money = Money::new(minor, Currency::NZD);
            prop_assert_eq!(Amount::of(money).read(), Ok(money));
        }
    }
}
