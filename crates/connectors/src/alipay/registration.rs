//! Alipay's entry in the list of gateways: its settings and its terms.

use super::{Alipay, AlipayConfig};
use crate::gateway::{
    MethodTerms, PayKind, PaymentGateway, RefundTerms, Registration, Setting, SettingError,
    SettingKind, Terms, Values,
};
use domain::payment::{GatewayName, Method};
use domain::{Currency, Span};
use std::sync::Arc;

/// Alipay in the list of gateways.
pub const REGISTRATION: Registration = Registration {
    name: GatewayName::ALIPAY,
    settings: &[
        Setting {
            name: "ALIPAY_URL",
            help: "where Alipay's gateway is; the sandbox's address for trials",
            kind: SettingKind::Text,
            default: Some("https://openapi.alipay.com/gateway.do"),
        },
        Setting {
            name: "ALIPAY_APP_ID",
            help: "the app's number",
            kind: SettingKind::Text,
            default: None,
        },
        Setting {
            name: "ALIPAY_SELLER_ID",
            help: "the user number of the account that gets the money, 2088...",
            kind: SettingKind::Text,
            default: None,
        },
        Setting {
            name: "ALIPAY_APP_KEY_FILE",
            help: "the file with the app's private key (PKCS#8)",
            kind: SettingKind::File,
            default: None,
        },
        Setting {
            name: "ALIPAY_PUBLIC_KEY_FILE",
            help: "the file with Alipay's public key, as the console shows it",
            kind: SettingKind::File,
            default: None,
        },
    ],
    open,
};

fn open(values: &Values) -> Result<Arc<dyn PaymentGateway>, SettingError> {
    let text = |name: &str| values.get(name).map(|value| value.trim().to_owned());
    let config = AlipayConfig {
        gateway_url: text("ALIPAY_URL")?,
        app_id: text("ALIPAY_APP_ID")?,
        seller_id: text("ALIPAY_SELLER_ID")?,
        app_private_key: text("ALIPAY_APP_KEY_FILE")?,
        alipay_public_key: text("ALIPAY_PUBLIC_KEY_FILE")?,
        notify_url: values.notify_url(GatewayName::ALIPAY),
        timeout: values.timeout,
    };
    let gateway =
        Alipay::new(config).map_err(|wrong| SettingError::new("ALIPAY_ settings:", wrong))?;
    Ok(Arc::new(gateway))
}

/// What Alipay offers (Alipay OpenAPI, products for merchants and `alipay.trade.refund`).
pub(super) fn terms() -> Terms {
    Terms {
        label_zh: "支付宝",
        label_en: "Alipay",
        methods: vec![
            method(
                Method::PAGE,
                "电脑网站支付",
                "On a computer",
                PayKind::Redirect,
            ),
            method(
                Method::WAP,
                "手机网站支付",
                "In a phone's browser",
                PayKind::Redirect,
            ),
            method(
                Method::PRECREATE,
                "支付宝扫码",
                "Scan with Alipay",
                PayKind::Qr,
            ),
            MethodTerms {
                payer: Some("buyer_id"),
                ..method(
                    Method::CREATE,
                    "支付宝内支付",
                    "Inside Alipay",
                    PayKind::InApp,
                )
            },
        ],
        currencies: vec![Currency::CNY],
        countries: vec!["CN"],
        refunds: RefundTerms {
            // No limit but the amount is published.
            count: None,
            // What the contract says; twelve months is usual. From memory: check before going
            // live.
            within: Some(Span::hours(24 * 365)),
            // "At least 3 s apart." From memory: check before going live.
            apart: Some(Span::seconds(3)),
        },
    }
}

const fn method(
    method: Method,
    label_zh: &'static str,
    label_en: &'static str,
    kind: PayKind,
) -> MethodTerms {
    MethodTerms {
        method,
        label_zh,
        label_en,
        kind,
        payer: None,
    }
}
