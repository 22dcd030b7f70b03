//! PayPal's entry in the list of gateways: its settings and its terms.

use super::{PayPal, PayPalConfig};
use crate::gateway::{
    MethodTerms, PayKind, PaymentGateway, RefundTerms, Registration, Setting, SettingError,
    SettingKind, Terms, Values,
};
use domain::payment::{GatewayName, Method};
use domain::{Currency, Span};
use std::sync::Arc;

/// PayPal in the list of gateways.
pub const REGISTRATION: Registration = Registration {
    name: GatewayName::PAYPAL,
    settings: &[
        Setting {
            name: "PAYPAL_URL",
            help: "where PayPal is; https://api-m.sandbox.paypal.com or the sandbox's address for \
                   trials",
            kind: SettingKind::Text,
            default: Some("https://api-m.paypal.com"),
        },
        Setting {
            name: "PAYPAL_CLIENT_ID",
            help: "the client id of the merchant's REST app",
            kind: SettingKind::Text,
            default: None,
        },
        Setting {
            name: "PAYPAL_CLIENT_SECRET",
            help: "the secret of the merchant's REST app",
            kind: SettingKind::Secret,
            default: None,
        },
        Setting {
            name: "PAYPAL_WEBHOOK_ID",
            help: "the id that PayPal gave to the webhook at this server",
            kind: SettingKind::Text,
            default: None,
        },
    ],
    open,
};

fn open(values: &Values) -> Result<Arc<dyn PaymentGateway>, SettingError> {
    let text = |name: &str| values.get(name).map(str::to_owned);
    let config = PayPalConfig {
        base_url: text("PAYPAL_URL")?,
        client_id: text("PAYPAL_CLIENT_ID")?,
        client_secret: text("PAYPAL_CLIENT_SECRET")?,
        webhook_id: text("PAYPAL_WEBHOOK_ID")?,
        return_url: values.public_url.clone(),
        timeout: values.timeout,
    };
    let gateway =
        PayPal::new(config).map_err(|wrong| SettingError::new("PAYPAL_ settings:", wrong))?;
    Ok(Arc::new(gateway))
}

/// What PayPal offers us (Orders v2, Payments v2). It takes renminbi only between accounts in
/// China, so of our currencies it has the New Zealand dollar. Its payers can be in some 200
/// countries; these are the ones that patients of a New Zealand clinic are likely to pay from.
pub(super) fn terms() -> Terms {
    Terms {
        label_zh: "贝宝 PayPal",
        label_en: "PayPal",
        methods: vec![MethodTerms {
            method: Method::CHECKOUT,
            label_zh: "PayPal 或银行卡",
            label_en: "PayPal or card",
            kind: PayKind::Redirect,
            payer: None,
        }],
        currencies: vec![Currency::NZD],
        countries: vec![
            "NZ", "AU", "US", "GB", "CA", "IE", "SG", "HK", "JP", "DE", "FR", "NL",
        ],
        refunds: RefundTerms {
            // There is a most (`MAX_NUMBER_OF_REFUNDS_EXCEEDED`), but PayPal does not publish it.
            count: None,
            within: Some(Span::hours(24 * 180)),
            apart: None,
        },
    }
}
