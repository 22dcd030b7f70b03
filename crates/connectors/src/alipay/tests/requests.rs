//! What is sent, and what is refused before it is.

use super::super::form::decode;
use super::super::signature::request_message;
use super::{APP, at, config, gateway, own_key, parameters, payment, text, vector};
use crate::gateway::{GatewayError, Operation, PaymentGateway, StartPayment};
use crate::rsa::VerifyingKey;
use domain::payment::{Method, PayWith};
use domain::{Currency, Money};
use serde_json::{Value, json};

async fn start(start: &StartPayment) -> Result<PayWith, GatewayError> {
    let started = gateway().start(start, at("2025-11-20T02:00:00Z")).await?;
    assert_eq!(started.handle, None);
    Ok(started.pay_with)
}

#[test]
fn requests_are_signed_as_alipay_reads_them() {
    let sample = vector("alipay-request");
    let message = request_message(&parameters(&sample));
    assert_eq!(message, text(&sample, "string_to_sign"));
    let key = VerifyingKey::from_spki_pem(&own_key()).unwrap();
    assert!(key.verifies(message.as_bytes(), text(&sample, "sign")));

    // Ours are the same parameters, signed with the app's key.
    let content = json!({"out_trade_no": "CN202511200001"});
    let now = at("2025-11-20T02:00:00Z");
    let ours = gateway().signed(Operation::Query, "alipay.trade.query", &content, &[], now);
    let mut ours = ours.unwrap();
    assert_eq!(request_message(&ours), text(&sample, "string_to_sign"));
    let sign = ours.remove("sign").unwrap();
    assert!(APP.verifying().verifies(message.as_bytes(), &sign));
    assert_eq!(ours, parameters(&sample));
}

#[tokio::test]
async fn a_page_is_a_signed_address_and_nothing_is_sent() {
    for (method, name, product) in [
        (
            Method::PAGE,
            "alipay.trade.page.pay",
            "FAST_INSTANT_TRADE_PAY",
        ),
        (Method::WAP, "alipay.trade.wap.pay", "QUICK_WAP_WAY"),
    ] {
        let PayWith::Redirect { url } = start(&payment(method)).await.unwrap() else {
            panic!("no address");
        };
        let query = url.strip_prefix("http://127.0.0.1:9/gateway.do?").unwrap();
        let mut sent = decode(query.as_bytes()).unwrap();
        let message = request_message(&sent);
        let sign = sent.remove("sign").unwrap();
        assert!(APP.verifying().verifies(message.as_bytes(), &sign));
        assert_eq!(sent["method"], name);
        assert_eq!(sent["timestamp"], "2025-11-20 10:00:00");
        assert_eq!(sent["notify_url"], config().notify_url);
        assert_eq!(sent["return_url"], "https://example.com/pay/done?order=1");
        let mut expected = json!({
            "out_trade_no": "0198b1c2d3e4f5a6978812345678abcd",
            "total_amount": "30.00",
            "subject": "复诊问诊费",
            "product_code": product,
            // The payment's last moment, whole seconds, in Beijing.
            "time_expire": "2025-11-20 10:30:00",
        });
        if method == Method::WAP {
            expected["quit_url"] = json!("https://example.com/pay/done?order=1");
        }
        let content: Value = serde_json::from_str(&sent["biz_content"]).unwrap();
        assert_eq!(content, expected);
    }
}

#[tokio::test]
async fn an_address_that_would_be_too_long_is_a_form() {
    let mut long = payment(Method::PAGE);
    long.description = "诊".repeat(256);
    let PayWith::Form { action, fields } = start(&long).await.unwrap() else {
        panic!("no form");
    };
    assert_eq!(action, "http://127.0.0.1:9/gateway.do?charset=utf-8");
    let message = request_message(&fields);
    assert!(
        APP.verifying()
            .verifies(message.as_bytes(), &fields["sign"])
    );
    assert!(fields["biz_content"].contains(&"诊".repeat(256)));
}

#[tokio::test]
async fn what_alipay_would_refuse_is_refused_here() {
    let usual = payment(Method::PAGE);
    let mut cases = vec![payment(Method::JSAPI), payment(Method::CREATE)];
    for amount in [
        Money::fen(0),
        Money::fen(-1),
        Money::fen(10_000_000_001),
        Money::new(100, Currency::NZD),
    ] {
        let mut case = usual.clone();
        case.payment.amount = amount;
        cases.push(case);
    }
    for number in ["", "a-b", "诊", &"a".repeat(65)] {
        let mut case = usual.clone();
        number.clone_into(&mut case.payment.out_trade_no);
        cases.push(case);
    }
    let mut late = usual.clone();
    late.payment.expires_at = at("2025-11-20T02:00:00Z");
    let mut nameless = usual;
    nameless.description = " \n".to_owned();
    cases.extend([late, nameless]);
    for case in cases {
        let error = start(&case).await.unwrap_err();
        let refused =
            matches!(&error, GatewayError::Refused { code, .. } if code == "INVALID_PARAMETER");
        assert!(refused, "{case:?}: {error}");
    }
    // Nobody listens at the gateway's address: nothing was done there.
    let error = start(&payment(Method::PRECREATE)).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unavailable { .. }), "{error}");
}
