//! Money goes back once, whatever the answers.

use super::server::{Asked, Scripted, Server, again, answer, ok, text};
use super::{INTENT, OUT_REFUND_NO, OUT_TRADE_NO, dollars, error, now, nowhere, refund};
use super::{refund_object, seconds, start_refund};
use crate::gateway::{GatewayError, PaymentGateway, RefundRef, RefundState, StartRefund};
use domain::Money;
use serde_json::{Value, json};

const ID: &str = "re_1Nispe2eZvKYlo2Cd31jOCgZ";
const LATER_ID: &str = "re_2Later";

fn list(refunds: &[Value]) -> Scripted {
    ok(&json!({ "object": "list", "url": "/v1/refunds", "has_more": false, "data": refunds }))
}

fn succeeded(id: &str) -> RefundState {
    RefundState::Succeeded {
        refund_id: id.to_owned(),
        at: seconds(1_772_413_300),
    }
}

fn failed(changes: &Value) -> Value {
    super::over(
        refund_object(&json!({ "status": "failed", "failure_reason": "unknown" })),
        changes,
    )
}

fn key(asked: &Asked) -> Option<&str> {
    asked.header("idempotency-key")
}

async fn sent(script: Vec<Scripted>) -> (Server, Result<RefundState, GatewayError>) {
    let (server, gateway) = Server::playing(script).await;
    let told = gateway.refund(&start_refund(), now()).await;
    (server, told)
}

#[tokio::test]
async fn a_refund_is_looked_for_and_then_sent_with_our_number_as_its_key() {
    let (server, told) = sent(vec![list(&[]), ok(&refund_object(&json!({})))]).await;
    assert_eq!(told, Ok(succeeded(ID)));
    let asked = server.asked();
    assert_eq!(asked[0].line, "GET /v1/refunds");
    assert_eq!(asked[0].field("payment_intent"), Some(INTENT));
    assert_eq!(asked[0].field("limit"), Some("100"));
    assert_eq!(asked[1].line, "POST /v1/refunds");
    assert_eq!(key(&asked[1]), Some(OUT_REFUND_NO));
    let expected = [
        ("payment_intent", INTENT),
        ("amount", "1000"),
        ("metadata[out_refund_no]", OUT_REFUND_NO),
        ("metadata[out_trade_no]", OUT_TRADE_NO),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(asked[1].fields, expected);
}

#[tokio::test]
async fn what_is_there_already_is_not_sent_again() {
    for (status, expected) in [
        ("succeeded", succeeded(ID)),
        (
            "pending",
            RefundState::Processing {
                refund_id: Some(ID.to_owned()),
            },
        ),
    ] {
        let there = refund_object(&json!({ "status": status }));
        let others = refund_object(&json!({ "id": "re_0", "metadata": {} }));
        let (server, told) = sent(vec![list(&[others, there])]).await;
        assert_eq!(told, Ok(expected));
        assert_eq!(server.lines(), ["GET /v1/refunds"], "{status}");
    }
}

#[tokio::test]
async fn a_number_that_is_there_with_another_amount_is_never_taken_for_ours() {
    let there = refund_object(&json!({ "amount": 999 }));
    let (_server, told) = sent(vec![list(&[there])]).await;
    assert!(
        matches!(told, Err(GatewayError::Unknown { .. })),
        "{told:?}"
    );
}

#[tokio::test]
async fn nothing_is_sent_where_looking_failed() {
    for scripted in [
        answer(500, &error("api_error", "")),
        text(200, "{"),
        ok(&json!({ "has_more": true, "data": [] })),
    ] {
        let (server, told) = sent(vec![scripted]).await;
        assert!(
            matches!(told, Err(GatewayError::Unavailable { .. })),
            "{told:?}"
        );
        assert_eq!(server.lines(), ["GET /v1/refunds"]);
    }
    let told = nowhere().refund(&start_refund(), now()).await;
    assert!(
        matches!(told, Err(GatewayError::Unavailable { .. })),
        "{told:?}"
    );
}

#[tokio::test]
async fn looking_goes_through_all_pages() {
    let other = refund_object(&json!({ "id": "re_0", "metadata": {} }));
    let script = vec![
        ok(&json!({ "has_more": true, "data": [other] })),
        list(&[refund_object(&json!({}))]),
    ];
    let (server, told) = sent(script).await;
    assert_eq!(told, Ok(succeeded(ID)));
    assert_eq!(server.asked()[1].field("starting_after"), Some("re_0"));
}

#[tokio::test]
async fn a_list_that_does_not_end_is_given_up() {
    let page = |number: usize| {
        let other = refund_object(&json!({ "id": format!("re_{number}"), "metadata": {} }));
        ok(&json!({ "has_more": true, "data": [other] }))
    };
    let (server, told) = sent((0..10).map(page).collect()).await;
    assert!(
        matches!(told, Err(GatewayError::Unavailable { .. })),
        "{told:?}"
    );
    assert_eq!(server.asked().len(), 10);
    let (server, told) = sent(vec![page(1), page(1)]).await;
    assert!(
        matches!(told, Err(GatewayError::Unavailable { .. })),
        "{told:?}"
    );
    assert_eq!(server.asked().len(), 2, "it stands still");
}

#[tokio::test]
async fn a_refusal_is_told_as_it_is() {
    for code in ["charge_already_refunded", "charge_disputed"] {
        let script = vec![
            list(&[]),
            answer(400, &error("invalid_request_error", code)),
        ];
        let (server, told) = sent(script).await;
        match told.unwrap_err() {
            GatewayError::Refused { code: told, .. } => assert_eq!(told, code),
            other => panic!("{other}"),
        }
        assert_eq!(server.asked().len(), 2);
    }
}

#[tokio::test]
async fn a_stored_refusal_is_stepped_over_since_nothing_was_done() {
    let refusal = || {
        again(answer(
            400,
            &error("invalid_request_error", "charge_disputed"),
        ))
    };
    let made = ok(&refund_object(&json!({})));
    let (server, told) = sent(vec![list(&[]), refusal(), refusal(), made]).await;
    assert_eq!(told, Ok(succeeded(ID)));
    let asked = server.asked();
    let keys: Vec<_> = asked[1..].iter().filter_map(key).collect();
    let [second, third] = [2, 3].map(|number| format!("{OUT_REFUND_NO}-{number}"));
    assert_eq!(keys, [OUT_REFUND_NO, &second, &third]);
}

#[tokio::test]
async fn stored_refusals_are_not_stepped_over_for_ever() {
    let refusal = || {
        again(answer(
            400,
            &error("invalid_request_error", "charge_disputed"),
        ))
    };
    let script = std::iter::once(list(&[])).chain((0..20).map(|_| refusal()));
    let (server, told) = sent(script.collect()).await;
    assert!(
        matches!(told, Err(GatewayError::Refused { .. })),
        "{told:?}"
    );
    assert_eq!(server.asked().len(), 21);
}

#[tokio::test]
async fn a_stored_failure_of_stripes_is_never_stepped_over() {
    for scripted in [
        again(answer(500, &error("api_error", ""))),
        again(text(500, "")),
        answer(409, &error("idempotency_error", "idempotency_key_in_use")),
    ] {
        let (server, told) = sent(vec![list(&[]), scripted]).await;
        assert!(
            matches!(told, Err(GatewayError::Unknown { .. })),
            "{told:?}"
        );
        assert_eq!(server.asked().len(), 2);
    }
    let mixed = answer(400, &error("idempotency_error", "idempotency_error"));
    let (server, told) = sent(vec![list(&[]), mixed]).await;
    assert!(
        matches!(told, Err(GatewayError::Refused { .. })),
        "{told:?}"
    );
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn after_a_failure_at_the_bank_the_same_number_is_tried_with_the_next_key() {
    // The first key only knows how the failed one began.
    let began = again(ok(&refund_object(&json!({ "status": "pending" }))));
    let anew = ok(&refund_object(
        &json!({ "id": LATER_ID, "status": "pending" }),
    ));
    let (server, told) = sent(vec![list(&[failed(&json!({}))]), began, anew]).await;
    let processing = RefundState::Processing {
        refund_id: Some(LATER_ID.to_owned()),
    };
    assert_eq!(told, Ok(processing));
    let asked = server.asked();
    assert_eq!(key(&asked[1]), Some(OUT_REFUND_NO));
    let second = format!("{OUT_REFUND_NO}-2");
    assert_eq!(key(&asked[2]), Some(second.as_str()));
}

#[tokio::test]
async fn what_is_answered_is_read_by_its_status() {
    async fn state(status: &str, reason: Value) -> Result<RefundState, GatewayError> {
        let object = refund_object(&json!({ "status": status, "failure_reason": reason }));
        sent(vec![list(&[]), ok(&object)]).await.1
    }
    let failed = |reason: &str| {
        Ok(RefundState::Failed {
            reason: reason.to_owned(),
        })
    };
    let processing = Ok(RefundState::Processing {
        refund_id: Some(ID.to_owned()),
    });
    assert_eq!(state("pending", json!(null)).await, processing);
    assert_eq!(state("requires_action", json!(null)).await, processing);
    for reason in ["expired_or_canceled_card", "lost_or_stolen_card"] {
        let told = state("failed", json!(reason)).await;
        assert_eq!(told, Ok(RefundState::Abnormal), "{reason}");
    }
    for reason in ["insufficient_funds", "declined", "of_2031"] {
        assert_eq!(state("failed", json!(reason)).await, failed(reason));
    }
    assert_eq!(state("failed", json!(null)).await, failed("unknown"));
    let told = state("canceled", json!(null)).await;
    assert_eq!(told, failed("canceled at Stripe"));
    let told = state("evaporated", json!(null)).await;
    assert!(
        matches!(told, Err(GatewayError::Unknown { .. })),
        "{told:?}"
    );
}

#[tokio::test]
async fn an_answer_about_something_else_is_no_answer() {
    for strange in [
        refund_object(&json!({ "amount": 3000 })),
        refund_object(&json!({ "currency": "usd" })),
        refund_object(&json!({ "metadata": {} })),
        refund_object(&json!({ "status": null })),
        refund_object(&json!({ "created": -1 })),
        json!({}),
    ] {
        let (_server, told) = sent(vec![list(&[]), ok(&strange)]).await;
        assert!(
            matches!(told, Err(GatewayError::Unknown { .. })),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn what_stripe_would_misread_is_not_even_sent() {
    let change = |change: fn(&mut RefundRef)| {
        let mut start = start_refund();
        change(&mut start.refund);
        start
    };
    let wrong: [StartRefund; 6] = [
        change(|refund| refund.amount = dollars(0)),
        change(|refund| refund.amount = Money::fen(1000)),
        change(|refund| refund.total = Money::fen(3000)),
        change(|refund| refund.out_refund_no = OUT_TRADE_NO.to_owned()),
        change(|refund| refund.payment.transaction_id = Some("pi_1&x=y".to_owned())),
        change(|refund| {
            refund.payment.transaction_id = None;
            refund.payment.handle = None;
        }),
    ];
    for wrong in wrong {
        let told = nowhere().refund(&wrong, now()).await;
        assert!(
            matches!(told, Err(GatewayError::Refused { .. })),
            "{told:?}"
        );
    }
}

async fn queried(
    refund: &RefundRef,
    script: Vec<Scripted>,
) -> (Server, Result<RefundState, GatewayError>) {
    let (server, gateway) = Server::playing(script).await;
    let told = gateway.query_refund(refund, now()).await;
    (server, told)
}

fn known() -> RefundRef {
    RefundRef {
        refund_id: Some(ID.to_owned()),
        ..refund()
    }
}

#[tokio::test]
async fn a_refund_is_found_by_its_id() {
    let (server, told) = queried(&known(), vec![ok(&refund_object(&json!({})))]).await;
    assert_eq!(told, Ok(succeeded(ID)));
    assert_eq!(server.lines(), [format!("GET /v1/refunds/{ID}")]);
    let missing = answer(404, &error("invalid_request_error", "resource_missing"));
    let (_server, told) = queried(&known(), vec![missing]).await;
    let refused = matches!(told, Err(GatewayError::Refused { .. }));
    assert!(refused, "an id that Stripe gave is not just gone: {told:?}");
}

#[tokio::test]
async fn without_its_id_it_is_found_by_our_number() {
    let others = refund_object(&json!({ "id": "re_0", "metadata": {} }));
    let script = vec![list(&[others.clone(), refund_object(&json!({}))])];
    let (_server, told) = queried(&refund(), script).await;
    assert_eq!(told, Ok(succeeded(ID)));
    let (_server, told) = queried(&refund(), vec![list(&[others])]).await;
    assert_eq!(told, Ok(RefundState::NotFound));
}

#[tokio::test]
async fn of_several_tries_the_living_one_counts_and_else_the_last() {
    let dead = failed(&json!({}));
    let later = refund_object(&json!({ "id": LATER_ID }));
    let script = vec![ok(&dead), list(&[later, dead.clone()])];
    let (_server, told) = queried(&known(), script).await;
    assert_eq!(told, Ok(succeeded(LATER_ID)));

    let card_gone = failed(&json!({ "id": LATER_ID, "failure_reason": "lost_or_stolen_card" }));
    let script = vec![ok(&dead), list(&[card_gone, dead])];
    let (_server, told) = queried(&known(), script).await;
    assert_eq!(told, Ok(RefundState::Abnormal));
}

#[tokio::test]
async fn a_question_that_got_no_answer_is_asked_again_later() {
    for scripted in [
        answer(500, &error("api_error", "")),
        ok(&refund_object(&json!({ "metadata": {} }))),
    ] {
        let (_server, told) = queried(&known(), vec![scripted]).await;
        assert!(
            matches!(told, Err(GatewayError::Unavailable { .. })),
            "{told:?}"
        );
    }
}
