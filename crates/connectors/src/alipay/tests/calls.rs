//! Whole calls over HTTP, against a gateway that answers what it is told to.

use super::super::answer::{join, response_name};
use super::super::form::decode;
use super::super::signature::{Parameters, request_message};
use super::super::{Alipay, AlipayConfig};
use super::{ALIPAY, APP, at, config, payment, refund_ref};
use crate::gateway::{GatewayError, PaymentGateway, PaymentState, RefundState, StartRefund};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::Ts;
use domain::payment::{Method, PayWith};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A gateway with one answer, and what it was asked.
struct Counterparty {
    gateway: Alipay,
    asked: Arc<Mutex<Vec<Parameters>>>,
}

impl Counterparty {
    /// Answers every request with this inner object, signed.
    async fn saying(content: Value) -> Self {
        Self::answering(move |method| {
            let content = content.to_string();
            let sign = ALIPAY.signing().sign(content.as_bytes()).unwrap();
            (StatusCode::OK, join(method, &content, &sign))
        })
        .await
    }

    async fn answering(
        answer: impl Fn(&str) -> (StatusCode, String) + Clone + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let book = Arc::clone(&asked);
        let app = Router::new().route(
            "/gateway.do",
            post(move |body: String| async move {
                let request = decode(body.as_bytes()).unwrap();
                let sign = &request["sign"];
                let message = request_message(&request);
                assert!(APP.verifying().verifies(message.as_bytes(), sign));
                let answer = answer(&request["method"]);
                book.lock().unwrap().push(request);
                answer
            }),
        );
        Self {
            gateway: serve(app).await,
            asked,
        }
    }

    /// The one request that came, and what it asked for.
    fn asked(&self) -> (Parameters, Value) {
        let asked = self.asked.lock().unwrap();
        assert_eq!(asked.len(), 1);
        let content = serde_json::from_str(&asked[0]["biz_content"]).unwrap();
        (asked[0].clone(), content)
    }
}

async fn serve(app: Router) -> Alipay {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Alipay::new(AlipayConfig {
        gateway_url: format!("http://{address}/gateway.do"),
        timeout: Duration::from_secs(2),
        ..config()
    })
    .unwrap()
}

fn now() -> Ts {
    at("2025-11-20T02:00:00Z")
}

fn failed(sub_code: &str) -> Value {
    json!({"code": "40004", "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "失败"})
}

fn refund() -> StartRefund {
    StartRefund {
        refund: refund_ref(),
        reason: "医生取消".to_owned(),
    }
}

#[tokio::test]
async fn a_code_is_asked_for_and_shown() {
    let alipay = Counterparty::saying(json!({
        "code": "10000", "out_trade_no": "0198b1c2d3e4f5a6978812345678abcd",
        "qr_code": "https://qr.alipay.com/bax00001"
    }));
    let alipay = alipay.await;
    let start = payment(Method::PRECREATE);
    let started = alipay.gateway.start(&start, now()).await.unwrap();
    let code_url = "https://qr.alipay.com/bax00001".to_owned();
    assert_eq!(started.pay_with, PayWith::Qr { code_url });
    let (request, content) = alipay.asked();
    assert_eq!(request["method"], "alipay.trade.precreate");
    assert_eq!(request["notify_url"], config().notify_url);
    assert_eq!(content["product_code"], "FACE_TO_FACE_PAYMENT");
    assert_eq!(content["time_expire"], "2025-11-20 10:30:00");
}

#[tokio::test]
async fn a_trade_is_made_for_its_payer() {
    for (payer, name) in [
        ("2088102122524333", "buyer_id"),
        ("074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5", "buyer_open_id"),
    ] {
        let alipay = Counterparty::saying(json!({
            "code": "10000", "out_trade_no": "0198b1c2d3e4f5a6978812345678abcd",
            "trade_no": "2025112022001400000000000001"
        }));
        let alipay = alipay.await;
        let mut start = payment(Method::CREATE);
        start.payer = Some(payer.to_owned());
        let started = alipay.gateway.start(&start, now()).await.unwrap();
        let fields = json!({"tradeNO": "2025112022001400000000000001"});
        assert_eq!(started.pay_with, PayWith::InApp { fields });
        let handle = started.handle.as_deref();
        assert_eq!(handle, Some("2025112022001400000000000001"));
        let (_, content) = alipay.asked();
        assert_eq!(content[name], payer);
        assert_eq!(content["product_code"], "JSAPI_PAY");
    }
}

#[tokio::test]
async fn a_number_that_no_browser_brought_there_is_not_found_and_counts_as_closed() {
    let alipay = Counterparty::saying(failed("ACQ.TRADE_NOT_EXIST")).await;
    let payment = payment(Method::PAGE).payment;
    let state = alipay.gateway.query(&payment, now()).await;
    assert_eq!(state, Ok(PaymentState::NotFound));
    assert_eq!(alipay.gateway.close(&payment, now()).await, Ok(()));
    let state = alipay.gateway.query_refund(&refund_ref(), now()).await;
    assert_eq!(state, Ok(RefundState::NotFound));

    let closed = Counterparty::saying(failed("ACQ.TRADE_HAS_CLOSE")).await;
    assert_eq!(closed.gateway.close(&payment, now()).await, Ok(()));
    let paid = Counterparty::saying(failed("ACQ.TRADE_STATUS_ERROR")).await;
    let refused = paid.gateway.close(&payment, now()).await.unwrap_err();
    assert!(
        matches!(&refused, GatewayError::Refused { code, .. } if code == "ACQ.TRADE_STATUS_ERROR")
    );
}

#[tokio::test]
async fn an_answer_about_another_payment_is_not_taken() {
    let alipay = Counterparty::saying(json!({
        "code": "10000", "out_trade_no": "another", "trade_no": "1", "qr_code": "https://qr",
        "trade_status": "TRADE_SUCCESS", "total_amount": "30.00",
        "fund_change": "Y", "refund_fee": "10.00"
    }));
    let alipay = alipay.await;
    let start = payment(Method::PRECREATE);
    let query = alipay
        .gateway
        .query(&start.payment, now())
        .await
        .unwrap_err();
    assert!(matches!(query, GatewayError::Unavailable { .. }), "{query}");
    let start = alipay.gateway.start(&start, now()).await.unwrap_err();
    assert!(matches!(start, GatewayError::Unknown { .. }), "{start}");
    let refund = alipay.gateway.refund(&refund(), now()).await.unwrap_err();
    assert!(matches!(refund, GatewayError::Unknown { .. }), "{refund}");
}

#[tokio::test]
async fn a_refund_says_how_much_and_by_which_number() {
    let alipay = Counterparty::saying(json!({
        "code": "10000", "out_trade_no": "CN202511200001", "trade_no": "1",
        "fund_change": "Y", "refund_fee": "10.00"
    }));
    let alipay = alipay.await;
    let state = alipay.gateway.refund(&refund(), now()).await.unwrap();
    assert!(matches!(state, RefundState::Succeeded { .. }));
    let (_, content) = alipay.asked();
    let expected = json!({
        "out_trade_no": "CN202511200001", "refund_amount": "10.00",
        "out_request_no": "RF202511200001", "refund_reason": "医生取消"
    });
    assert_eq!(content, expected);
}

#[tokio::test]
async fn what_does_not_come_from_alipay_leaves_a_write_unknown() {
    for (status, body) in [
        (StatusCode::BAD_GATEWAY, "<html>"),
        (StatusCode::FOUND, ""),
        (StatusCode::OK, ""),
        (StatusCode::OK, "<html>"),
        (StatusCode::OK, r#"{"sign":"x"}"#),
    ] {
        let alipay = Counterparty::answering(move |_| (status, body.to_owned())).await;
        let error = alipay.gateway.refund(&refund(), now()).await.unwrap_err();
        assert!(matches!(error, GatewayError::Unknown { .. }), "{error}");
        let query = alipay.gateway.query_refund(&refund_ref(), now()).await;
        assert!(matches!(query, Err(GatewayError::Unavailable { .. })));
    }
    let busy = Counterparty::answering(|_| (StatusCode::TOO_MANY_REQUESTS, String::new())).await;
    let error = busy.gateway.refund(&refund(), now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unavailable { .. }), "{error}");
    // Longer than any answer, and signed all the same.
    let long = Counterparty::answering(|method| {
        let content = json!({"code": "10000", "x": "x".repeat(2 << 20)}).to_string();
        (
            StatusCode::OK,
            format!("{{\"{}\":{content}}}", response_name(method)),
        )
    });
    let error = long
        .await
        .gateway
        .refund(&refund(), now())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
}

#[tokio::test]
async fn an_answer_that_never_comes_leaves_a_write_unknown() {
    let silent = Router::new().route(
        "/gateway.do",
        post(|| async {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }),
    );
    let gateway = serve(silent).await;
    let error = gateway.refund(&refund(), now()).await.unwrap_err();
    assert!(matches!(error, GatewayError::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn no_bill_is_not_yet_until_noon_and_then_an_empty_one() {
    let alipay = Counterparty::saying(failed("isp.bill_not_exist")).await;
    let day: Date = "2025-11-20".parse().unwrap();
    for early in ["2025-11-20T15:59:59Z", "2025-11-21T03:59:59Z"] {
        let error = alipay.gateway.bill(day, at(early)).await.unwrap_err();
        assert!(
            matches!(error, GatewayError::Unavailable { .. }),
            "{early}: {error}"
        );
    }
    let bill = alipay
        .gateway
        .bill(day, at("2025-11-21T04:00:00Z"))
        .await
        .unwrap();
    assert!(bill.lines.is_empty() && bill.totals.is_none());
    // Before the day was over, nobody was asked.
    assert_eq!(alipay.asked.lock().unwrap().len(), 2);
    let refused = Counterparty::saying(failed("isv.invalid_arguments")).await;
    let refused = refused.gateway.bill(day, at("2025-11-21T04:00:00Z")).await;
    assert!(matches!(refused, Err(GatewayError::Refused { .. })));
}

#[tokio::test]
async fn a_bill_is_fetched_from_the_address_that_was_given() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let files = listener.local_addr().unwrap();
    let app = Router::new().route("/bill", get(|| async { "no archive" }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    for (path, why) in [("bill", "archive is broken"), ("elsewhere", "404")] {
        let url = format!("http://{files}/{path}");
        let alipay = Counterparty::saying(json!({"code": "10000", "bill_download_url": url}));
        let alipay = alipay.await;
        let day: Date = "2025-11-20".parse().unwrap();
        let error = alipay
            .gateway
            .bill(day, at("2025-11-21T04:00:00Z"))
            .await
            .unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        let (_, content) = alipay.asked();
        assert_eq!(
            content,
            json!({"bill_type": "trade", "bill_date": "2025-11-20"})
        );
    }
}
