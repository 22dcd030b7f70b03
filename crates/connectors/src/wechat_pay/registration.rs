//! WeChat Pay's entry in the list of gateways: its settings and its terms.

use super::{PlatformKey, WechatPay, WechatPayConfig};
use crate::gateway::{
    MethodTerms, PayKind, PaymentGateway, RefundTerms, Registration, Setting, SettingError,
    SettingKind, Terms, Values,
};
use domain::payment::{GatewayName, Method};
use domain::{Currency, Span};
use std::sync::Arc;

/// WeChat Pay in the list of gateways.
pub const REGISTRATION: Registration = Registration {
    name: GatewayName::WECHAT,
    settings: &[
        Setting {
            name: "PAYMENT_GATEWAY_URL",
            help: "where WeChat Pay is; the sandbox's address for trials",
            kind: SettingKind::Text,
            default: Some("https://api.mch.weixin.qq.com"),
        },
        Setting {
            name: "WECHAT_APPID",
            help: "the app id bound to the merchant",
            kind: SettingKind::Text,
            default: None,
        },
        Setting {
            name: "WECHAT_MCHID",
            help: "the merchant's number",
            kind: SettingKind::Text,
            default: None,
        },
        Setting {
            name: "WECHAT_MERCHANT_SERIAL",
            help: "the merchant certificate's serial number",
            kind: SettingKind::Text,
            default: None,
        },
        Setting {
            name: "WECHAT_MERCHANT_KEY_FILE",
            help: "the file with the merchant's private key (PKCS#8 PEM)",
            kind: SettingKind::File,
            default: None,
        },
        Setting {
            name: "WECHAT_API_V3_KEY",
            help: "the API v3 key, 32 characters",
            kind: SettingKind::Secret,
            default: None,
        },
        Setting {
            name: "WECHAT_PLATFORM_SERIAL",
            help: "the platform key's id (PUB_KEY_ID_...) or certificate's serial number",
            kind: SettingKind::Text,
            default: None,
        },
        Setting {
            name: "WECHAT_PLATFORM_KEY_FILE",
            help: "the file with the platform's public key or certificate (PEM)",
            kind: SettingKind::File,
            default: None,
        },
    ],
    open,
};

fn open(values: &Values) -> Result<Arc<dyn PaymentGateway>, SettingError> {
    let text = |name: &str| values.get(name).map(str::to_owned);
    let config = WechatPayConfig {
        base_url: text("PAYMENT_GATEWAY_URL")?,
        appid: text("WECHAT_APPID")?,
        mchid: text("WECHAT_MCHID")?,
        merchant_serial: text("WECHAT_MERCHANT_SERIAL")?,
        merchant_private_key_pem: text("WECHAT_MERCHANT_KEY_FILE")?,
        api_v3_key: text("WECHAT_API_V3_KEY")?,
        platform_keys: vec![PlatformKey {
            serial: text("WECHAT_PLATFORM_SERIAL")?,
            pem: text("WECHAT_PLATFORM_KEY_FILE")?,
        }],
        notify_url: values.notify_url(GatewayName::WECHAT),
        timeout: values.timeout,
    };
    let gateway =
        WechatPay::new(config).map_err(|wrong| SettingError::new("WECHAT_ settings:", wrong))?;
    Ok(Arc::new(gateway))
}

/// What WeChat Pay offers (WeChat Pay API v3, prepay and refunds).
pub(super) fn terms() -> Terms {
    Terms {
        label_zh: "微信支付",
        label_en: "WeChat Pay",
        methods: vec![
            MethodTerms {
                method: Method::NATIVE,
                label_zh: "微信扫码",
                label_en: "Scan with WeChat",
                kind: PayKind::Qr,
                payer: None,
            },
            MethodTerms {
                method: Method::JSAPI,
                label_zh: "微信内支付",
                label_en: "Inside WeChat",
                kind: PayKind::InApp,
                payer: Some("openid"),
            },
            MethodTerms {
                method: Method::H5,
                label_zh: "手机浏览器支付",
                label_en: "From a phone's browser",
                kind: PayKind::Redirect,
                payer: None,
            },
        ],
        currencies: vec![Currency::CNY],
        countries: vec!["CN"],
        refunds: RefundTerms {
            count: Some(50),
            within: Some(Span::hours(24 * 365)),
            apart: Some(Span::minutes(1)),
        },
    }
}
