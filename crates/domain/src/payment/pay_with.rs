//! What the payer needs to pay: what a page shows, or where it sends them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the payer's device needs to pay, as the gateway gave it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PayWith {
    /// A QR code to be scanned with the gateway's app.
    Qr {
        /// The code's text, such as `weixin://wxpay/bizpayurl?pr=...`.
        code_url: String,
    },
    /// Fields for the gateway's own app, signed, in the gateway's own names (`wx.requestPayment`,
    /// `my.tradePay`).
    InApp {
        /// The fields.
        fields: serde_json::Value,
    },
    /// The gateway's page.
    Redirect {
        /// Its address.
        url: String,
    },
    /// The gateway's page, reached by a form that the browser posts.
    Form {
        /// Where it is posted to.
        action: String,
        /// Its fields, signed.
        fields: BTreeMap<String, String>,
    },
    /// The gateway's own fields for a card, shown on our page.
    Card {
        /// Lets the page finish this payment, and nothing else.
        client_secret: String,
        /// Says whose page it is.
        publishable_key: String,
    },
    /// Nothing: an operator takes the money and records it.
    Counter,
}
