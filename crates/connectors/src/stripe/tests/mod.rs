//! Stripe's published sample, answers as the documentation has them, and what must be refused.

mod bills;
mod hostile;
mod notices;
mod payments;
mod refunds;
mod server;

use super::{Stripe, StripeConfig, StripeConfigError};
use crate::gateway::{PaymentRef, RefundRef, StartPayment, StartRefund, Values};
use domain::payment::Method;
use domain::{Currency, Money, Span, Ts};
use serde_json::{Value, json};
use std::time::Duration;

const OUT_TRADE_NO: &str = "0195563f7a2c7c3e9d4b2a1f00c0ffee";
const OUT_REFUND_NO: &str = "RF0195563f7a2c7c3e9d4b2a1f00decade";
const INTENT: &str = "pi_3MtwBwLkdIwHu7ix28a3tqPa";
const SECRET: &str = "whsec_test_secret";

fn now() -> Ts {
    Ts::parse("2026-03-02T01:00:00Z").unwrap()
}

fn seconds(seconds: i64) -> Ts {
    Ts::from_micros(seconds * 1_000_000)
}

fn dollars(cents: i64) -> Money {
    Money::new(cents, Currency::NZD)
}

fn config(base_url: &str) -> StripeConfig {
    StripeConfig {
        base_url: base_url.to_owned(),
        secret_key: "sk_test_4eC39HqLyjWDarjtT1zdp7dc".to_owned(),
        publishable_key: "pk_test_TYooMQauvdEDq54NiTphI7jx".to_owned(),
        webhook_secret: SECRET.to_owned(),
        timeout: Duration::from_secs(5),
    }
}

fn stripe(base_url: &str) -> Stripe {
    Stripe::new(config(base_url)).unwrap()
}

/// Nobody is there.
fn nowhere() -> Stripe {
    stripe("http://127.0.0.1:9")
}

fn payment() -> PaymentRef {
    PaymentRef {
        out_trade_no: OUT_TRADE_NO.to_owned(),
        method: Method::CARD,
        amount: dollars(3000),
        created_at: now(),
        expires_at: now() + Span::minutes(30),
        handle: Some(INTENT.to_owned()),
        transaction_id: None,
    }
}

fn start() -> StartPayment {
    StartPayment {
        payment: PaymentRef {
            handle: None,
            ..payment()
        },
        description: "Consultation 复诊 & more".to_owned(),
        payer: None,
        client_ip: None,
        return_url: None,
    }
}

fn refund() -> RefundRef {
    RefundRef {
        payment: PaymentRef {
            transaction_id: Some(INTENT.to_owned()),
            ..payment()
        },
        total: dollars(3000),
        out_refund_no: OUT_REFUND_NO.to_owned(),
        amount: dollars(1000),
        sent_at: now(),
        refund_id: None,
    }
}

fn start_refund() -> StartRefund {
    StartRefund {
        refund: refund(),
        reason: "问诊退款".to_owned(),
    }
}

/// An intent as Stripe shows it, with what changes put over it.
fn intent(changes: &Value) -> Value {
    let whole = json!({
        "id": INTENT, "object": "payment_intent", "amount": 3000, "amount_received": 0,
        "automatic_payment_methods": { "enabled": true }, "capture_method": "automatic",
        "client_secret": format!("{INTENT}_secret_YrKJUKribcBjcG8HVhfZluoGH"),
        "created": 1_772_413_200, "currency": "nzd", "last_payment_error": null,
        "latest_charge": null, "livemode": false, "metadata": { "out_trade_no": OUT_TRADE_NO },
        "status": "requires_payment_method",
    });
    over(whole, changes)
}

/// A refund as Stripe shows it, with what changes put over it.
fn refund_object(changes: &Value) -> Value {
    let whole = json!({
        "id": "re_1Nispe2eZvKYlo2Cd31jOCgZ", "object": "refund", "amount": 1000,
        "charge": "ch_1NirD82eZvKYlo2CIvbtLWuY", "created": 1_772_413_300, "currency": "nzd",
        "metadata": { "out_refund_no": OUT_REFUND_NO, "out_trade_no": OUT_TRADE_NO },
        "payment_intent": INTENT, "reason": null, "status": "succeeded",
    });
    over(whole, changes)
}

fn over(mut whole: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        whole[name] = value.clone();
    }
    whole
}

fn error(kind: &str, code: &str) -> Value {
    json!({ "error": { "type": kind, "code": code, "message": "in Stripe's words" } })
}

#[test]
fn a_wrong_configuration_is_named_without_its_secrets() {
    let right = config("https://api.stripe.com");
    for (wrong, named) in [
        (
            StripeConfig {
                base_url: "https://api.stripe.com/v1".to_owned(),
                ..right.clone()
            },
            "without path",
        ),
        (
            StripeConfig {
                base_url: "ftp://api.stripe.com".to_owned(),
                ..right.clone()
            },
            "http(s)",
        ),
        (
            StripeConfig {
                publishable_key: right.secret_key.clone(),
                ..right.clone()
            },
            "starts with pk_",
        ),
        (
            StripeConfig {
                secret_key: right.publishable_key.clone(),
                ..right.clone()
            },
            "starts with sk_ or rk_",
        ),
        (
            StripeConfig {
                secret_key: "sk_a\nb".to_owned(),
                ..right.clone()
            },
            "no spaces",
        ),
        (
            StripeConfig {
                webhook_secret: "whsec_".to_owned(),
                ..right
            },
            "starts with whsec_",
        ),
    ] {
        let error: StripeConfigError = Stripe::new(wrong.clone()).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(named), "{said}");
        assert!(!said.contains(&wrong.secret_key), "{said}");
    }
}

#[test]
fn nothing_printed_holds_a_secret() {
    let config = config("https://api.stripe.com");
    let printed = format!("{config:?} {:?}", stripe("https://api.stripe.com"));
    assert!(!printed.contains(&config.secret_key), "{printed}");
    assert!(!printed.contains(&config.webhook_secret), "{printed}");
}

#[test]
fn it_opens_from_its_settings_and_names_the_one_that_is_missing() {
    let config = config("https://api.stripe.com");
    let mut values = Values {
        values: [
            ("STRIPE_URL", config.base_url),
            ("STRIPE_SECRET_KEY", config.secret_key),
            ("STRIPE_PUBLISHABLE_KEY", config.publishable_key),
            ("STRIPE_WEBHOOK_SECRET", config.webhook_secret),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect(),
        public_url: "https://example.com".to_owned(),
        timeout: Duration::from_secs(5),
    };
    let named: Vec<&str> = super::REGISTRATION
        .settings
        .iter()
        .map(|s| s.name)
        .collect();
    assert!(named.iter().all(|name| values.values.contains_key(*name)));
    let gateway = (super::REGISTRATION.open)(&values).unwrap();
    assert_eq!(gateway.name().name(), "stripe");
    assert_eq!(gateway.terms().currencies, [Currency::NZD]);
    values.values.remove("STRIPE_SECRET_KEY");
    let missing = (super::REGISTRATION.open)(&values).err().unwrap();
    assert_eq!(missing.name, "STRIPE_SECRET_KEY");
}
