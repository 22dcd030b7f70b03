//! Which answers are believed.

use super::super::answer::join;
use super::super::signature::answer_verifies;
use super::super::{Alipay, AlipayConfig};
use super::{ALIPAY, APP, Keys, config, gateway, text, vector};
use crate::gateway::{GatewayError, Operation};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

#[test]
fn the_published_answer_verifies_over_the_inner_object() {
    let sample = vector("alipay-public-sync-response");
    let (content, sign) = (text(&sample, "sign_data"), text(&sample, "sign"));
    let alipay = Alipay::new(AlipayConfig {
        alipay_public_key: text(&sample, "alipay_public_key_b64_spki").to_owned(),
        ..config()
    });
    let alipay = alipay.unwrap();
    let read = |content: &str| {
        let body = join("alipay.trade.pay", content, sign);
        alipay.read_answer::<Value>(Operation::Query, "alipay.trade.pay", body.as_bytes())
    };
    assert_eq!(
        read(content).unwrap()["trade_no"],
        "2019082922001432790585537960"
    );
    // The same JSON written again is not what was signed; neither is another amount.
    let rewritten = serde_json::from_str::<BTreeMap<String, Value>>(content).unwrap();
    let rewritten = serde_json::to_string(&rewritten).unwrap();
    assert_ne!(rewritten, content);
    let richer = content.replace("\"total_amount\":\"0.01\"", "\"total_amount\":\"9.01\"");
    for tampered in [rewritten, richer, content.replace(':', ": ")] {
        let error = read(&tampered).unwrap_err();
        assert!(error.to_string().contains("signature is wrong"), "{error}");
    }
}

#[test]
fn an_answer_may_write_its_slashes_otherwise_than_it_signed_them() {
    let sign = ALIPAY
        .signing()
        .sign(br#"{"qr_code":"https://qr/1"}"#)
        .unwrap();
    let key = ALIPAY.verifying();
    assert!(answer_verifies(
        &key,
        r#"{"qr_code":"https:\/\/qr\/1"}"#,
        &sign
    ));
    assert!(!answer_verifies(
        &key,
        r#"{"qr_code":"https:\/\/qr\/2"}"#,
        &sign
    ));
}

#[test]
fn only_a_verified_yes_counts_and_a_no_of_a_method_must_be_signed_too() {
    let alipay = gateway();
    let method = "alipay.trade.refund";
    let answered = |content: &str, key: Option<&Keys>| {
        let body = match key {
            Some(key) => join(
                method,
                content,
                &key.signing().sign(content.as_bytes()).unwrap(),
            ),
            None => format!("{{\"alipay_trade_refund_response\":{content}}}"),
        };
        alipay.read_answer::<Value>(Operation::Refund, method, body.as_bytes())
    };
    let yes = r#"{"code":"10000","msg":"Success"}"#;
    let no =
        r#"{"code":"40004","msg":"Business Failed","sub_code":"ACQ.SELLER_BALANCE_NOT_ENOUGH"}"#;
    let at_the_door =
        r#"{"code":"40002","msg":"Invalid Arguments","sub_code":"isv.invalid-signature"}"#;
    assert!(answered(yes, Some(&ALIPAY)).is_ok());
    for (content, key) in [
        (yes, None),
        (no, None),
        (yes, Some(&*APP)),
        (no, Some(&*APP)),
        (at_the_door, Some(&*APP)),
    ] {
        let error = answered(content, key).unwrap_err();
        assert!(matches!(error, GatewayError::Unknown { .. }), "{error}");
    }
    for (content, key) in [
        (no, Some(&*ALIPAY)),
        (at_the_door, Some(&*ALIPAY)),
        (at_the_door, None),
    ] {
        let error = answered(content, key).unwrap_err();
        assert!(matches!(error, GatewayError::Refused { .. }), "{error}");
    }
}

proptest! {
    #[test]
    fn nothing_from_outside_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let alipay = gateway();
        prop_assert!(alipay.read_notice(&body).is_err());
        let answer = alipay.read_answer::<Value>(Operation::Refund, "alipay.trade.refund", &body);
        prop_assert!(matches!(answer, Err(GatewayError::Unknown { .. })), "{answer:?}");
    }
}
