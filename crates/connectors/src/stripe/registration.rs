//! Stripe's entry in the list of gateways: its settings and its terms.

use super::{Stripe, StripeConfig};
use crate::gateway::{
    MethodTerms, PayKind, PaymentGateway, RefundTerms, Registration, Setting, SettingError,
    SettingKind, Terms, Values,
};
use domain::Currency;
use domain::payment::{GatewayName, Method};
use std::sync::Arc;

/// Stripe in the list of gateways.
pub const REGISTRATION: Registration = Registration {
    name: GatewayName::STRIPE,
    settings: &[
        Setting {
            name: "STRIPE_URL",
            help: "where Stripe is; the sandbox's address for trials",
            kind: SettingKind::Text,
            default: Some("https://api.stripe.com"),
        },
        Setting {
            name: "STRIPE_SECRET_KEY",
            help: "the secret key (sk_...) or a restricted one (rk_...)",
            kind: SettingKind::Secret,
            default: None,
        },
        Setting {
            name: "STRIPE_PUBLISHABLE_KEY",
            help: "the publishable key (pk_...), shown to payers",
            kind: SettingKind::Text,
            default: None,
        },
        Setting {
            name: "STRIPE_WEBHOOK_SECRET",
            help: "the signing secret of the webhook endpoint (whsec_...)",
            kind: SettingKind::Secret,
            default: None,
        },
    ],
    open,
};

fn open(values: &Values) -> Result<Arc<dyn PaymentGateway>, SettingError> {
    let text = |name: &str| values.get(name).map(str::to_owned);
    let config = StripeConfig {
        base_url: text("STRIPE_URL")?,
        secret_key: text("STRIPE_SECRET_KEY")?,
        publishable_key: text("STRIPE_PUBLISHABLE_KEY")?,
        webhook_secret: text("STRIPE_WEBHOOK_SECRET")?,
        timeout: values.timeout,
    };
    let gateway =
        Stripe::new(config).map_err(|wrong| SettingError::new("STRIPE_ settings:", wrong))?;
    Ok(Arc::new(gateway))
}

/// What Stripe offers.
pub(super) fn terms() -> Terms {
    Terms {
        label_zh: "国际银行卡（Stripe）",
        label_en: "Card (Stripe)",
        methods: vec![MethodTerms {
            method: Method::CARD,
            label_zh: "银行卡",
            label_en: "Card",
            kind: PayKind::Card,
            payer: None,
        }],
        // A New Zealand account is paid out in New Zealand dollars.
        currencies: vec![Currency::NZD],
        // Where Stripe has accounts and acquires cards at home. It takes foreign cards everywhere,
        // but has no acquiring in mainland China, whose payers have better ways.
        countries: vec!["NZ", "AU", "GB", "US", "CA", "IE", "SG", "HK"],
        // Any number of parts up to the whole; no last day is stated, banks decide.
        refunds: RefundTerms::NONE,
    }
}
