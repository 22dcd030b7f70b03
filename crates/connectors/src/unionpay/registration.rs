//! UnionPay's entry in the list of gateways: its settings and its terms.

use super::{UnionPay, UnionPayConfig};
use crate::gateway::{
    MethodTerms, PayKind, PaymentGateway, RefundTerms, Registration, Setting, SettingError,
    SettingKind, Terms, Values,
};
use domain::payment::{GatewayName, Method};
use domain::{Currency, Span};
use std::sync::Arc;

/// UnionPay in the list of gateways.
pub const REGISTRATION: Registration = Registration {
    name: GatewayName::UNIONPAY,
    settings: &[
        Setting {
            name: "UNIONPAY_URL",
            help: "where UnionPay's gateway is; the sandbox's address for trials",
            kind: SettingKind::Text,
            default: Some("https://gateway.95516.com"),
        },
        Setting {
            name: "UNIONPAY_FILE_URL",
            help: "where UnionPay's settlement files are",
            kind: SettingKind::Text,
            default: Some("https://filedownload.95516.com/"),
        },
        Setting {
            name: "UNIONPAY_MERID",
            help: "the merchant's number, 15 letters and digits",
            kind: SettingKind::Text,
            default: None,
        },
        Setting {
            name: "UNIONPAY_MERCHANT_CERT_FILE",
            help: "the file with the merchant's certificate (PEM)",
            kind: SettingKind::File,
            default: None,
        },
        Setting {
            name: "UNIONPAY_MERCHANT_KEY_FILE",
            help: "the file with the merchant's private key (PKCS#8 PEM)",
            kind: SettingKind::File,
            default: None,
        },
        Setting {
            name: "UNIONPAY_ROOT_CERT_FILE",
            help: "the file with UnionPay's root certificate (acp_prod_root.cer, PEM)",
            kind: SettingKind::File,
            default: None,
        },
        Setting {
            name: "UNIONPAY_MIDDLE_CERT_FILE",
            help: "the file with UnionPay's middle certificate (acp_prod_middle.cer, PEM)",
            kind: SettingKind::File,
            default: None,
        },
        Setting {
            name: "UNIONPAY_SIGNER",
            help: "the name in UnionPay's signing certificate; 00040000:SIGN in its test environment",
            kind: SettingKind::Text,
            default: Some(super::certificate::PRODUCTION_SIGNER),
        },
        Setting {
            name: "UNIONPAY_CHANNEL",
            help: "the payment page that payers are shown: 07 for a desk, 08 for a phone",
            kind: SettingKind::Text,
            default: Some("07"),
        },
    ],
    open,
};

fn open(values: &Values) -> Result<Arc<dyn PaymentGateway>, SettingError> {
    let text = |name: &str| values.get(name).map(str::to_owned);
    let config = UnionPayConfig {
        base_url: text("UNIONPAY_URL")?,
        file_url: text("UNIONPAY_FILE_URL")?,
        mer_id: text("UNIONPAY_MERID")?,
        merchant_certificate_pem: text("UNIONPAY_MERCHANT_CERT_FILE")?,
        merchant_private_key_pem: text("UNIONPAY_MERCHANT_KEY_FILE")?,
        root_certificates_pem: text("UNIONPAY_ROOT_CERT_FILE")?,
        middle_certificates_pem: text("UNIONPAY_MIDDLE_CERT_FILE")?,
        signer: text("UNIONPAY_SIGNER")?,
        channel_type: text("UNIONPAY_CHANNEL")?,
        notify_url: values.notify_url(GatewayName::UNIONPAY),
        front_url: values.public_url.clone(),
        timeout: values.timeout,
    };
    let gateway =
        UnionPay::new(config).map_err(|wrong| SettingError::new("UNIONPAY_ settings:", wrong))?;
    Ok(Arc::new(gateway))
}

/// What UnionPay offers (online gateway 5.1.0, purchase and refund).
pub(super) fn terms() -> Terms {
    Terms {
        label_zh: "银联在线支付",
        label_en: "UnionPay",
        methods: vec![MethodTerms {
            method: Method::FRONT,
            label_zh: "银联卡支付",
            label_en: "UnionPay card",
            kind: PayKind::Redirect,
            payer: None,
        }],
        currencies: vec![Currency::CNY],
        countries: vec!["CN"],
        refunds: RefundTerms {
            count: None,
            // Eleven months, say UnionPay's samples; the shortest eleven have 334 days. Check
            // against the contract before going live.
            within: Some(Span::hours(24 * 330)),
            apart: None,
        },
    }
}
