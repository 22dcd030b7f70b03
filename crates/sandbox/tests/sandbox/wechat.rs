//! WeChat's own: payments from a phone's browser, trade bills, refunds of a dead card.

use crate::harness::{World, payment, refund};
use connectors::gateway::{
    AbnormalRefund, Bill, GatewayError, Notice, PaymentGateway, PaymentState, RefundState,
    StartPayment, StartRefund,
};
use connectors::rsa::SigningKey;
use connectors::wechat_pay::signature::{authorization, request_message};
use connectors::wechat_pay::{WechatPay, WechatPayConfig};
use domain::payment::{Method, PayWith};
use domain::reconciliation::{LineKind, LineStatus};
use domain::{Money, Ts};
use jiff::civil::{Date, date};
use serde_json::json;

const DAY: Date = date(2026, 3, 2);
/// The standing clock begins at 9:00 of the day in Beijing; the bill is ready at 10:00 of the next.
const TO_TEN_NEXT_DAY: i64 = 25 * 3600;

fn from_a_phone(world: &World) -> StartPayment {
    let mut start = payment("ORDER-0001", 3050, world.now());
    start.payment.method = Method::H5;
    start.payer = None;
    start.client_ip = Some("203.0.113.7".to_owned());
    start.return_url = Some("https://example.com/orders/1?a=b&c=支付".to_owned());
    start
}

#[tokio::test]
async fn a_phones_browser_goes_to_the_cashier_and_back() {
    let world = World::new().await;
    let start = from_a_phone(&world);
    let started = world.gateway.start(&start, world.now()).await.unwrap();
    let PayWith::Redirect { url } = started.pay_with else {
        panic!("no redirect")
    };
    let path = url.strip_prefix(&world.url).unwrap();
    assert!(path.starts_with("/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx"));
    let answer = world.browse("GET", path, "zh").await;
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"], "/cashier/ORDER-0001");
    for choice in ["leave", "pay"] {
        let path = format!("/cashier/ORDER-0001/{choice}");
        let answer = world.browse("POST", &path, "zh").await;
        assert_eq!(answer.status(), 303, "{choice}");
        let back = answer.headers()["location"].as_bytes();
        assert_eq!(
            std::str::from_utf8(back).unwrap(),
            "https://example.com/orders/1?a=b&c=支付"
        );
    }
    let state = world.query("ORDER-0001").await;
    assert!(matches!(state, Ok(PaymentState::Paid(_))), "{state:?}");
    let kept = world.sandbox.payment("ORDER-0001").unwrap();
    assert_eq!(kept.method, Method::H5);
}

#[tokio::test]
async fn without_the_payers_address_nothing_is_sent() {
    let world = World::new().await;
    let start = StartPayment {
        client_ip: None,
        ..from_a_phone(&world)
    };
    let refused = world.gateway.start(&start, world.now()).await.unwrap_err();
    let GatewayError::Refused { code, message, .. } = refused else {
        panic!("{refused}")
    };
    assert_eq!(code, "PARAM_ERROR");
    assert!(message.contains("internet address"), "{message}");
    let odd = StartPayment {
        client_ip: Some("somewhere".to_owned()),
        ..from_a_phone(&world)
    };
    let refused = world.gateway.start(&odd, world.now()).await.unwrap_err();
    assert!(refused.to_string().contains("payer_client_ip"), "{refused}");
    assert_eq!(world.sandbox.payments(&Default::default()).count, 0);
}

#[tokio::test]
async fn a_page_that_nobody_asked_for_is_not_there() {
    let world = World::new().await;
    world.start("ORDER-0001", 3000).await;
    let handle = world.sandbox.payment("ORDER-0001").unwrap().handle;
    for prepay_id in ["wx0", handle.as_str()] {
        let path = format!("/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={prepay_id}");
        let answer = world.browse("GET", &path, "zh").await;
        assert_eq!(answer.status(), 404, "{prepay_id} is of no H5 payment");
    }
}

async fn bill(world: &World, day: Date) -> Result<Bill, GatewayError> {
    world.gateway.bill(day, world.now()).await
}

/// A payment that is refunded in part, another one, and one that is not paid.
async fn business() -> World {
    let world = World::new().await;
    world.paid("ORDER-0001", 3050).await;
    let mut named = payment("ORDER-0002", 500, world.now());
    named.description = "检查, 化验,`费\n一次".to_owned();
    world.gateway.start(&named, world.now()).await.unwrap();
    world
        .control("POST", "payments/ORDER-0002/pay", "{}")
        .await
        .unwrap();
    world.start("ORDER-0003", 100).await;
    let part = refund("ORDER-0001", "R1", 1000, 3050);
    world.gateway.refund(&part, world.now()).await.unwrap();
    world.sandbox.run_due().await;
    world
}

#[tokio::test]
async fn the_bill_says_what_the_book_says() {
    let world = business().await;
    world.later(TO_TEN_NEXT_DAY);
    let got = bill(&world, DAY).await.unwrap();
    let told = world.sandbox.bill("wechat".parse().unwrap(), DAY).unwrap();
    assert_eq!(got.lines, told.lines);
    assert_eq!(got.lines.len(), 3);
    assert_eq!(got.totals, Some(told.totals));
    let totals = got.totals.unwrap();
    assert_eq!(
        (totals.paid, totals.refunded),
        (Money::fen(3550), Money::fen(1000))
    );
    let back = got
        .lines
        .iter()
        .find(|line| line.kind == LineKind::Refund)
        .unwrap();
    assert_eq!(back.out_refund_no.as_deref(), Some("R1"));
    assert_eq!(back.at, Ts::parse("2026-03-02T09:00:00+08:00").unwrap());
    assert!(
        got.raw.starts_with("\u{feff}交易时间".as_bytes()),
        "kept as it came"
    );
}

#[tokio::test]
async fn a_bill_is_there_from_ten_oclock_the_next_day() {
    let world = business().await;
    world.later(TO_TEN_NEXT_DAY - 1);
    let early = bill(&world, DAY).await.unwrap_err();
    assert!(matches!(early, GatewayError::Unavailable { .. }), "{early}");
    // Even where the merchant's clock is wrong, WeChat's is right.
    let ahead = Ts::parse("2026-03-03T10:00:00+08:00").unwrap();
    let creating = world.gateway.bill(DAY, ahead).await.unwrap_err();
    assert!(
        creating.to_string().contains("STATEMENT_CREATING"),
        "{creating}"
    );
    assert!(
        matches!(creating, GatewayError::Unavailable { .. }),
        "{creating}"
    );
    world.later(1);
    assert!(bill(&world, DAY).await.is_ok());
}

#[tokio::test]
async fn a_day_without_business_is_an_empty_bill_and_an_old_one_is_gone() {
    let world = business().await;
    world.later(TO_TEN_NEXT_DAY);
    let quiet = bill(&world, date(2026, 3, 1)).await.unwrap();
    assert_eq!((quiet.lines.len(), quiet.totals), (0, None));
    world.later(93 * 24 * 3600);
    let old = bill(&world, DAY).await.unwrap_err();
    assert!(matches!(old, GatewayError::Refused { .. }), "{old}");
}

#[tokio::test]
async fn a_refund_stands_on_the_day_of_its_request_as_it_was_next_morning() {
    let world = business().await;
    world.faults(r#"{"refundsHang":true}"#).await;
    let slow = refund("ORDER-0001", "R2", 500, 3050);
    world.gateway.refund(&slow, world.now()).await.unwrap();
    // Accepted on 2 March, arrived at 9:30 on the 3rd, half an hour after the bill was made.
    world.later(TO_TEN_NEXT_DAY - 1800);
    world.faults("{}").await;
    world.sandbox.run_due().await;
    world.later(1800);
    let got = bill(&world, DAY).await.unwrap();
    let line = |number: &str| {
        let mut lines = got.lines.iter();
        lines
            .find(|line| line.out_refund_no.as_deref() == Some(number))
            .unwrap()
    };
    assert_eq!(line("R1").status, LineStatus::Succeeded);
    assert_eq!(line("R2").status, LineStatus::Processing);
    assert_eq!(
        got.totals.unwrap().refunded,
        Money::fen(1000),
        "what had arrived"
    );
    let state = world.query_refund("R2").await;
    assert!(
        matches!(state, Ok(RefundState::Succeeded { .. })),
        "{state:?}"
    );
}

#[tokio::test]
async fn planted_differences_come_through_in_wechats_own_words() {
    let world = business().await;
    for difference in [
        json!({ "kind": "change_currency", "number": "ORDER-0002", "currency": "NZD" }),
        json!({ "kind": "change_our_number", "number": "R1", "to": null }),
        json!({ "kind": "change_fee", "number": "ORDER-0001", "fee": 12_345 }),
        json!({ "kind": "foreign_refund", "amount": 77 }),
        json!({ "kind": "foreign_payment", "amount": 88 }),
        json!({ "kind": "duplicate_line", "number": "ORDER-0001" }),
        json!({ "kind": "wrong_summary", "count": 9, "refunded": 5 }),
    ] {
        let mut request = json!({ "gateway": "wechat", "day": "2026-03-02" });
        let fields = difference.as_object().unwrap().clone();
        request.as_object_mut().unwrap().extend(fields);
        let path = "bills/plant";
        let planted = world.control("POST", path, &request.to_string()).await;
        assert!(planted.is_ok(), "{planted:?}");
    }
    world.later(TO_TEN_NEXT_DAY);
    let got = bill(&world, DAY).await.unwrap();
    let told = world.sandbox.bill("wechat".parse().unwrap(), DAY).unwrap();
    assert_eq!(got.lines, told.lines);
    assert_eq!(got.totals, Some(told.totals));
    assert_eq!(got.totals.unwrap().count, 9);
}

/// A request as the merchant signs it, or as nobody does: status, whether signed, and body.
async fn ask(world: &World, path: &str, is_signed: bool) -> (u16, bool, String) {
    let values = world.values();
    let key = SigningKey::from_pkcs8_pem(&values["WECHAT_MERCHANT_KEY_FILE"]).unwrap();
    let seconds = world.now().unix_seconds();
    let message = request_message("GET", path, seconds, "nonce", b"");
    let header = authorization(
        &values["WECHAT_MCHID"],
        &values["WECHAT_MERCHANT_SERIAL"],
        "nonce",
        seconds,
        &key.sign(&message).unwrap(),
    );
    let client = reqwest::Client::builder()
        .no_proxy()
        .user_agent("x")
        .build()
        .unwrap();
    let mut request = client.get(format!("{}{path}", world.url));
    if is_signed {
        request = request.header("authorization", header);
    }
    let answer = request.send().await.unwrap();
    let signed = answer.headers().contains_key("wechatpay-signature");
    (
        answer.status().as_u16(),
        signed,
        answer.text().await.unwrap(),
    )
}

#[tokio::test]
async fn a_bills_address_is_for_the_merchant_and_for_five_minutes() {
    let world = business().await;
    world.later(TO_TEN_NEXT_DAY);
    let path = "/v3/bill/tradebill?bill_date=2026-03-02&bill_type=ALL";
    let (status, signed, answer) = ask(&world, path, true).await;
    assert_eq!((status, signed), (200, true), "{answer}");
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let url = answer["download_url"].as_str().unwrap();
    let path = url.strip_prefix(&world.url).unwrap();
    let (status, signed, file) = ask(&world, path, true).await;
    assert_eq!(
        (status, signed),
        (200, false),
        "files are not signed: {file}"
    );
    assert_eq!(ask(&world, path, false).await.0, 401);
    let forged = path.replace("2026-03-02", "2026-03-01");
    assert_eq!(ask(&world, &forged, true).await.0, 400);
    world.later(300);
    assert_eq!(ask(&world, path, true).await.0, 200);
    world.later(1);
    assert_eq!(ask(&world, path, true).await.0, 400);
}

/// An abnormal refund, with WeChat's number if it is known.
async fn abnormal(world: &World, number_known: bool) -> StartRefund {
    world.paid("ORDER-0001", 3000).await;
    world.faults(r#"{"refundsHang":true}"#).await;
    let mut sent = refund("ORDER-0001", "R1", 3000, 3000);
    world.gateway.refund(&sent, world.now()).await.unwrap();
    let outcome = r#"{"status":"ABNORMAL"}"#;
    world
        .control("POST", "refunds/R1/outcome", outcome)
        .await
        .unwrap();
    world.sandbox.run_due().await;
    world.faults("{}").await;
    let got = world.got();
    assert!(
        matches!(
            got.as_slice(),
            [Ok(Notice::Refund {
                state: RefundState::Abnormal,
                ..
            })]
        ),
        "{got:?}"
    );
    if number_known {
        sent.refund.refund_id = Some(world.sandbox.refund("R1").unwrap().refund_id);
    }
    sent
}

fn card() -> AbnormalRefund {
    AbnormalRefund::UserBankCard {
        bank: "ICBC_DEBIT".to_owned(),
        account: "6222021234567890".to_owned(),
        name: "张三".to_owned(),
    }
}

#[tokio::test]
async fn a_dead_cards_refund_goes_to_another_card() {
    for (number_known, to) in [(true, card()), (false, AbnormalRefund::MerchantBankCard)] {
        let world = World::new().await;
        let sent = abnormal(&world, number_known).await;
        let state = world
            .gateway
            .refund_elsewhere(&sent.refund, &to, world.now())
            .await;
        assert!(
            matches!(state, Ok(RefundState::Processing { .. })),
            "{state:?}"
        );
        assert_eq!(world.sandbox.totals().refunded.fen, 0, "not there yet");
        world.sandbox.run_due().await;
        let got = world.got();
        assert!(
            matches!(
                got.as_slice(),
                [Ok(Notice::Refund {
                    state: RefundState::Succeeded { .. },
                    ..
                })]
            ),
            "{got:?}"
        );
        assert_eq!(world.sandbox.totals().net_fen, 0);
        let again = world
            .gateway
            .refund_elsewhere(&sent.refund, &to, world.now())
            .await
            .unwrap_err();
        assert!(again.to_string().contains("INVALID_REQUEST"), "{again}");
    }
}

#[tokio::test]
async fn what_is_not_abnormal_or_not_known_goes_nowhere() {
    let world = World::new().await;
    world.paid("ORDER-0001", 3000).await;
    let sent = refund("ORDER-0001", "R1", 3000, 3000);
    let send = async |refund: &StartRefund, to: &AbnormalRefund| {
        world
            .gateway
            .refund_elsewhere(&refund.refund, to, world.now())
            .await
            .unwrap_err()
    };
    let unknown = send(&sent, &card()).await;
    assert!(
        unknown.to_string().contains("RESOURCE_NOT_EXISTS"),
        "{unknown}"
    );
    world.gateway.refund(&sent, world.now()).await.unwrap();
    let early = send(&sent, &card()).await;
    assert!(early.to_string().contains("not ABNORMAL"), "{early}");
    let credit = AbnormalRefund::UserBankCard {
        bank: "ICBC_CREDIT".to_owned(),
        account: "6222021234567890".to_owned(),
        name: "张三".to_owned(),
    };
    let refused = send(&sent, &credit).await;
    assert!(refused.to_string().contains("debit card"), "{refused}");
    let nameless = AbnormalRefund::UserBankCard {
        bank: "ICBC_DEBIT".to_owned(),
        account: "6222021234567890".to_owned(),
        name: String::new(),
    };
    let refused = send(&sent, &nameless).await;
    assert!(
        refused.to_string().contains("real_name must be given"),
        "{refused}"
    );
}

#[tokio::test]
async fn an_abnormal_refund_of_unknown_outcome_is_sent_once() {
    let world = World::new().await;
    let sent = abnormal(&world, true).await;
    world.faults(r#"{"unknownOutcome":"refund"}"#).await;
    let lost = world
        .gateway
        .refund_elsewhere(&sent.refund, &card(), world.now())
        .await
        .unwrap_err();
    assert!(matches!(lost, GatewayError::Unknown { .. }), "{lost}");
    world.faults("{}").await;
    world.sandbox.run_due().await;
    let state = world.query_refund("R1").await;
    assert!(
        matches!(state, Ok(RefundState::Succeeded { .. })),
        "{state:?}"
    );
    assert_eq!(world.sandbox.totals().refunded.count, 1);
}

#[tokio::test]
async fn a_card_encrypted_for_somebody_else_is_refused() {
    let world = World::new().await;
    let sent = abnormal(&world, true).await;
    let mut config = world.config();
    // A platform key that is not the sandbox's: the merchant's own.
    config.platform_keys[0].pem = crate::payments::public_pem(&config.merchant_private_key_pem);
    let mistaken = WechatPay::new(WechatPayConfig { ..config }).unwrap();
    let refused = mistaken
        .refund_elsewhere(&sent.refund, &card(), world.now())
        .await
        .unwrap_err();
    // The no is signed with the right key, which this merchant doesn't know: nothing is believed.
    assert!(matches!(refused, GatewayError::Unknown { .. }), "{refused}");
    let state = world.query_refund("R1").await;
    assert_eq!(state, Ok(RefundState::Abnormal));
}
