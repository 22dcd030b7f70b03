//! The published samples and our own (`tests/vectors.json`), and what must be refused.

use super::resource::{ResourceError, ResourceKey};
use super::signature::{
    PlatformKeys, answer_message, authorization, payer_message, request_message,
};
use super::wire::{EncryptedResource, Notification};
use super::{PlatformKey, WechatPay, WechatPayConfig, WechatPayConfigError};
use crate::gateway::{Callback, CallbackError, Notice, PaidNotice, RefundState};
use crate::rsa::{KeyError, SigningKey, VerifyingKey};
use aws_lc_rs::aead::AES_128_GCM;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Money, Span, Ts};
use serde_json::Value;
use std::time::Duration;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors.json")).unwrap()
}

fn vector(id: &str) -> Value {
    let all = vectors();
    let found = all["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["id"] == id);
    found.unwrap_or_else(|| panic!("no vector {id}")).clone()
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name]
        .as_str()
        .unwrap_or_else(|| panic!("no text {name}"))
}

fn own_key() -> VerifyingKey {
    VerifyingKey::from_spki_pem(text(&vectors(), "own_test_rsa_public_key_spki_pem")).unwrap()
}

fn headers(vector: &Value) -> Vec<(String, String)> {
    let headers = vector["headers"].as_object().unwrap().iter();
    headers
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

fn seconds(seconds: i64) -> Ts {
    Ts::from_micros(seconds * 1_000_000)
}

fn private_key_pem() -> String {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

fn config() -> WechatPayConfig {
    WechatPayConfig {
        base_url: "http://127.0.0.1:9".to_owned(),
        appid: "wxd678efh567hg6787".to_owned(),
        mchid: "1230000109".to_owned(),
        merchant_serial: "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C".to_owned(),
        merchant_private_key_pem: private_key_pem(),
        api_v3_key: "0123456789abcdef0123456789ABCDEF".to_owned(),
        platform_keys: vec![
            PlatformKey {
                serial: "PUB_KEY_ID_0112300001092025112000000000000001".to_owned(),
                pem: text(&vectors(), "own_test_rsa_public_key_spki_pem").to_owned(),
            },
            PlatformKey {
                serial: "D7CE59D1F522D701".to_owned(),
                pem: text(&vector("wx-public-notify"), "platform_certificate").to_owned(),
            },
        ],
        notify_url: "https://example.com/webhooks/wechat".to_owned(),
        timeout: Duration::from_secs(5),
    }
}

fn call(
    gateway: &WechatPay,
    headers: &[(String, String)],
    body: &str,
    now: Ts,
) -> Result<Notice, CallbackError> {
    gateway.read_callback(
        &Callback {
            headers,
            body: body.as_bytes(),
        },
        now,
    )
}

#[test]
fn requests_are_signed_as_wechat_reads_them() {
    let post = vector("wx-v3-request-post");
    let (url, nonce, body) = (
        text(&post, "canonical_url"),
        text(&post, "nonce"),
        text(&post, "body"),
    );
    let message = request_message("POST", url, 1_554_208_460, nonce, body.as_bytes());
    assert_eq!(message, text(&post, "message").as_bytes());
    assert!(own_key().verifies(&message, text(&post, "signature")));
    let header = authorization(
        "1230000109",
        "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C",
        nonce,
        1_554_208_460,
        text(&post, "signature"),
    );
    assert_eq!(header, text(&post, "authorization"));

    let get = vector("wx-v3-request-get");
    let url = "/v3/pay/transactions/out-trade-no/CN202511200001?mchid=1230000109";
    let message = request_message("GET", url, 1_554_208_460, nonce, b"");
    assert_eq!(message, text(&get, "message").as_bytes());
    assert!(own_key().verifies(&message, text(&get, "signature")));
    assert!(!own_key().verifies(&message, text(&post, "signature")));
}

#[test]
fn the_payers_fields_are_signed_as_wechat_reads_them() {
    let sample = vector("wx-v3-jsapi-paysign");
    let message = payer_message(
        "wxd678efh567hg6787",
        1_554_208_460,
        "593BEC0C930BF1AFEB40B4A08C8FB242",
        "prepay_id=wx201410272009395522657a690389285100",
    );
    assert_eq!(message, text(&sample, "message").as_bytes());
    assert!(own_key().verifies(&message, text(&sample, "paySign")));
}

#[test]
fn a_key_made_here_signs_what_its_public_half_verifies() {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
        STANDARD.encode(der.as_ref())
    );
    let public: aws_lc_rs::encoding::PublicKeyX509Der<'_> =
        aws_lc_rs::signature::KeyPair::public_key(&key)
            .as_der()
            .unwrap();
    let public = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        STANDARD.encode(public.as_ref())
    );
    let signature = SigningKey::from_pkcs8_pem(&pem)
        .unwrap()
        .sign("复诊".as_bytes())
        .unwrap();
    let public = VerifyingKey::from_spki_pem(&public).unwrap();
    assert!(public.verifies("复诊".as_bytes(), &signature));
    assert!(!public.verifies("初诊".as_bytes(), &signature));
}

#[test]
fn a_payment_callback_is_read() {
    let sample = vector("wx-v3-notify-pay-success");
    let gateway = WechatPay::new(config()).unwrap();
    let notice = call(
        &gateway,
        &headers(&sample),
        text(&sample, "body"),
        seconds(1_763_604_000),
    )
    .unwrap();
    let paid = PaidNotice {
        out_trade_no: "CN202511200001".to_owned(),
        transaction_id: "4200001234202511201234567890".to_owned(),
        amount: Money::fen(3000),
        paid_at: Ts::parse("2025-11-20T10:00:00+08:00").unwrap(),
    };
    assert_eq!(
        notice,
        Notice::Paid {
            notice_id: "EV-2018022511223320873".to_owned(),
            paid
        }
    );
}

#[test]
fn a_refund_callback_is_read() {
    let sample = vector("wx-v3-notify-refund-success");
    let gateway = WechatPay::new(config()).unwrap();
    let notice = call(
        &gateway,
        &headers(&sample),
        text(&sample, "body"),
        seconds(1_763_604_300),
    )
    .unwrap();
    let expected = Notice::Refund {
        notice_id: "EV-2018022511223320873".to_owned(),
        out_refund_no: "RF202511200001".to_owned(),
        state: RefundState::Succeeded {
            refund_id: "50300001234202511201234567890".to_owned(),
            at: Ts::parse("2025-11-20T10:05:00+08:00").unwrap(),
        },
    };
    assert_eq!(notice, expected);
    assert_eq!(
        super::refunds::refund_status("CLOSE", "1", None),
        Ok(RefundState::Closed)
    );
}

#[test]
fn the_published_callback_verifies_with_its_certificate() {
    let sample = vector("wx-public-notify");
    let gateway = WechatPay::new(config()).unwrap();
    let notice = call(
        &gateway,
        &headers(&sample),
        text(&sample, "body"),
        seconds(1_624_523_846),
    )
    .unwrap();
    assert!(matches!(notice, Notice::Other { event_type, .. }
        if event_type == "PAYSCORE.USER_OPEN_SERVICE"));

    // Its APIv3 key has 16 bytes, so it is opened with AES-128 beside the gateway.
    let notification: Notification = serde_json::from_str(text(&sample, "body")).unwrap();
    let key = text(&sample, "api_key_16_bytes").as_bytes();
    let key = ResourceKey::with_algorithm(&AES_128_GCM, key).unwrap();
    assert_eq!(
        key.open(&notification.resource).unwrap(),
        text(&sample, "plaintext").as_bytes()
    );
}

#[test]
fn the_published_signature_and_cipher_text_are_read() {
    let sample = vector("wx-public-sign-source");
    // Signed with the key of the published callback's certificate.
    let callback = vector("wx-public-notify");
    let certificate = text(&callback, "platform_certificate");
    let key = VerifyingKey::from_certificate_pem(certificate, "D7CE59D1F522D701").unwrap();
    assert!(key.verifies(
        text(&sample, "message").as_bytes(),
        text(&sample, "signature")
    ));

    let sample = vector("wx-public-aes-gcm");
    let key = text(&sample, "key_16_bytes").as_bytes();
    let key = ResourceKey::with_algorithm(&AES_128_GCM, key).unwrap();
    let plain = key.open_parts(
        text(&sample, "nonce"),
        text(&sample, "associated_data"),
        text(&sample, "ciphertext_b64"),
    );
    assert_eq!(plain.unwrap(), text(&sample, "plaintext").as_bytes());
}

#[test]
fn only_the_exact_bytes_are_believed() {
    let sample = vector("wx-v3-notify-pay-success");
    let gateway = WechatPay::new(config()).unwrap();
    let now = seconds(1_763_604_000);
    let body = text(&sample, "body");
    let rewritten = serde_json::from_str::<Value>(body).unwrap().to_string();
    for tampered in [
        body.replace("支付", "退款"),
        format!("{body}\n"),
        rewritten,
        String::new(),
    ] {
        let refused = call(&gateway, &headers(&sample), &tampered, now).unwrap_err();
        assert!(
            matches!(refused, CallbackError::BadSignature(_)),
            "{refused}"
        );
    }
}

#[test]
fn every_header_counts() {
    let sample = vector("wx-v3-notify-pay-success");
    let gateway = WechatPay::new(config()).unwrap();
    let now = seconds(1_763_604_000);
    let changed = |name: &str, value: &str| {
        let mut headers = headers(&sample);
        headers
            .iter_mut()
            .filter(|(key, _)| key == name)
            .for_each(|(_, old)| value.clone_into(old));
        call(&gateway, &headers, text(&sample, "body"), now).unwrap_err()
    };
    let probe = "WECHATPAY/SIGNTEST/RSx3XnrWEJjK9vinKwgOVBqp5xr";
    assert_eq!(
        changed("Wechatpay-Signature", probe),
        CallbackError::SignatureProbe
    );
    let unknown = changed("Wechatpay-Serial", "PUB_KEY_ID_0000");
    assert!(
        matches!(&unknown, CallbackError::BadSignature(why) if why.contains("PUB_KEY_ID_0000"))
    );
    // The other key of the configuration is a right one, but not for this message.
    for (name, value) in [
        ("Wechatpay-Serial", "D7CE59D1F522D701"),
        ("Wechatpay-Nonce", "another"),
        ("Wechatpay-Timestamp", "1763604001"),
        ("Wechatpay-Timestamp", "yesterday"),
        ("Wechatpay-Signature", "not base64"),
        ("Wechatpay-Signature-Type", "WECHATPAY2-SM2-WITH-SM3"),
    ] {
        let refused = changed(name, value);
        assert!(
            matches!(refused, CallbackError::BadSignature(_)),
            "{name} {value}: {refused}"
        );
    }
    for missing in ["Serial", "Timestamp", "Nonce", "Signature"] {
        let mut headers = headers(&sample);
        headers.retain(|(name, _)| *name != format!("Wechatpay-{missing}"));
        let refused = call(&gateway, &headers, text(&sample, "body"), now).unwrap_err();
        assert!(
            matches!(refused, CallbackError::BadSignature(_)),
            "{missing}: {refused}"
        );
    }
}

#[test]
fn five_minutes_are_too_long_in_both_directions() {
    let sample = vector("wx-v3-notify-pay-success");
    let gateway = WechatPay::new(config()).unwrap();
    let sent = seconds(1_763_604_000);
    let at = |now| call(&gateway, &headers(&sample), text(&sample, "body"), now);
    assert!(at(sent + Span::seconds(299)).is_ok());
    assert!(at(sent - Span::seconds(299)).is_ok());
    for now in [sent + Span::seconds(300), sent - Span::seconds(300)] {
        assert!(matches!(
            at(now),
            Err(CallbackError::Stale {
                timestamp: 1_763_604_000,
                ..
            })
        ));
    }
}

#[test]
fn a_tampered_or_strange_resource_stays_shut() {
    let key = ResourceKey::new(b"0123456789abcdef0123456789ABCDEF").unwrap();
    let sealed = key.seal("transaction", "支付成功".as_bytes()).unwrap();
    assert_eq!(key.open(&sealed).unwrap(), "支付成功".as_bytes());

    let mut bytes = STANDARD.decode(&sealed.ciphertext).unwrap();
    bytes[0] ^= 1;
    let tampered = EncryptedResource {
        ciphertext: STANDARD.encode(bytes),
        ..sealed.clone()
    };
    assert_eq!(key.open(&tampered), Err(ResourceError::NotOurs));
    let elsewhere = EncryptedResource {
        associated_data: None,
        ..sealed.clone()
    };
    assert_eq!(key.open(&elsewhere), Err(ResourceError::NotOurs));
    let short = EncryptedResource {
        nonce: "short".to_owned(),
        ..sealed.clone()
    };
    assert_eq!(key.open(&short), Err(ResourceError::NonceLength(5)));
    let unknown = EncryptedResource {
        algorithm: "AEAD_SM4_GCM".to_owned(),
        ..sealed
    };
    assert_eq!(
        key.open(&unknown),
        Err(ResourceError::UnknownAlgorithm("AEAD_SM4_GCM".to_owned()))
    );
    assert_eq!(
        ResourceKey::new(b"short").err(),
        Some(ResourceError::KeyLength(5))
    );
}

#[test]
fn another_merchants_notice_is_not_ours() {
    let sample = vector("wx-v3-notify-pay-success");
    let now = seconds(1_763_604_000);
    for config in [
        WechatPayConfig {
            appid: "wx0000000000000000".to_owned(),
            ..config()
        },
        WechatPayConfig {
            mchid: "1900000000".to_owned(),
            ..config()
        },
        WechatPayConfig {
            api_v3_key: "x".repeat(32),
            ..config()
        },
    ] {
        let gateway = WechatPay::new(config).unwrap();
        let refused = call(&gateway, &headers(&sample), text(&sample, "body"), now).unwrap_err();
        assert!(matches!(refused, CallbackError::Malformed(_)), "{refused}");
    }
}

#[test]
fn a_wrong_configuration_is_named() {
    let error = |config| WechatPay::new(config).unwrap_err();
    let short = error(WechatPayConfig {
        api_v3_key: "short".to_owned(),
        ..config()
    });
    assert!(short.to_string().contains("exactly 32"), "{short}");
    let url = error(WechatPayConfig {
        notify_url: "https://a/b?c=d".to_owned(),
        ..config()
    });
    assert!(
        matches!(
            url,
            WechatPayConfigError::Url {
                name: "notify_url",
                ..
            }
        ),
        "{url}"
    );
    let none = error(WechatPayConfig {
        platform_keys: Vec::new(),
        ..config()
    });
    assert!(matches!(none, WechatPayConfigError::NoPlatformKey));
    let mut renamed = config();
    renamed.platform_keys[1].serial = "0123".to_owned();
    let renamed = error(renamed);
    assert!(
        matches!(
            &renamed,
            WechatPayConfigError::PlatformKey {
                source: KeyError::WrongSerial { .. },
                ..
            }
        ),
        "{renamed}"
    );
    let cut = error(WechatPayConfig {
        merchant_private_key_pem: "-----BEGIN PRIVATE KEY-----".to_owned(),
        ..config()
    });
    assert!(matches!(cut, WechatPayConfigError::MerchantKey(_)), "{cut}");
}

#[test]
fn nothing_printed_holds_a_secret() {
    let config = config();
    let printed = format!("{config:?} {:?}", WechatPay::new(config.clone()).unwrap());
    assert!(!printed.contains(&config.api_v3_key));
    assert!(!printed.contains("PRIVATE"));
    assert!(!printed.contains(&config.merchant_private_key_pem[40..80]));
}

#[test]
fn an_empty_answer_is_signed_as_an_empty_line() {
    assert_eq!(answer_message("1", "n", b""), b"1\nn\n\n");
    assert!(PlatformKeys::default().serials().is_empty());
}
