//! Orders agreed to and captured, failed, left, given up, captured twice, of unknown outcome.

use super::{
    NUMBER, agree, book, code, is_paid, is_unknown, new_payment, nzd, started, told, world,
};
use crate::harness::opened;
use connectors::gateway::{GatewayError, Notice, PaymentRef, PaymentState, Values};
use domain::payment::GatewayName;
use domain::{Money, Span};
use std::time::Duration;

#[tokio::test]
async fn a_payment_is_agreed_to_on_paypals_page_and_then_captured() {
    let world = world().await;
    let (payment, page) = started(&world, NUMBER).await;
    let open = world.gateway.query(&payment, world.now()).await;
    assert_eq!(open, Ok(PaymentState::Open));

    // The browser's way: PayPal's page, the cashier, the button, and back to our page.
    let path = page.strip_prefix(&world.url).unwrap();
    let to_cashier = world.browse("GET", path, "en").await;
    let cashier = to_cashier.headers()["location"]
        .to_str()
        .unwrap()
        .to_owned();
    let shown = world
        .browse("GET", &cashier, "en")
        .await
        .text()
        .await
        .unwrap();
    assert!(shown.contains("115.00"), "{shown}");
    let back = world.browse("POST", &format!("{cashier}/pay"), "en").await;
    let location = back.headers()["location"].to_str().unwrap();
    let order = payment.handle.as_deref().unwrap();
    let expected = format!("https://hospital.example/pay/back?token={order}&PayerID=");
    assert!(location.starts_with(&expected), "{location}");

    // Agreed, told, and nothing moved yet.
    world.sandbox.run_due().await;
    let notices = told(&world);
    assert!(
        matches!(notices.as_slice(), [Notice::AskPayment { out_trade_no, .. }] if out_trade_no == NUMBER),
        "{notices:?}"
    );
    let agreed = world.gateway.query(&payment, world.now()).await;
    assert_eq!(agreed, Ok(PaymentState::Approved));
    assert_eq!(book(&world), (0, 0, 0));

    world.later(2);
    let paid = is_paid(world.gateway.collect(&payment, world.now()).await);
    assert_eq!(
        (paid.out_trade_no.as_str(), paid.amount),
        (NUMBER, nzd(11_500))
    );
    assert_eq!(paid.paid_at.unix_seconds(), world.now().unix_seconds());
    assert_eq!(book(&world), (11_500, 0, 11_500));
    world.sandbox.run_due().await;
    let notices = told(&world);
    assert!(
        matches!(notices.as_slice(), [Notice::Paid { paid: told, .. }] if *told == paid),
        "{notices:?}"
    );
    let state = world.gateway.query(&payment, world.now()).await;
    assert_eq!(state, Ok(PaymentState::Paid(paid.clone())));
    assert_eq!(world.sandbox.run_due().await, 0);

    // The money can be asked for by its own number too, should the order be forgotten.
    let by_money = PaymentRef {
        handle: Some("5O190127TN364715T".to_owned()),
        transaction_id: Some(paid.transaction_id.clone()),
        ..payment
    };
    let state = world.gateway.query(&by_money, world.now()).await;
    assert_eq!(state, Ok(PaymentState::Paid(paid)));
}

#[tokio::test]
async fn a_repeated_start_is_the_same_order_whatever_came_of_it() {
    let world = world().await;
    let (first, page) = started(&world, NUMBER).await;
    let (again, same_page) = started(&world, NUMBER).await;
    assert_eq!((&first.handle, &page), (&again.handle, &same_page));
    let mut dearer = new_payment(&world, NUMBER);
    dearer.payment.amount = nzd(11_501);
    let refused = world.gateway.start(&dearer, world.now()).await;
    assert_eq!(code(refused), "PAYPAL_REQUEST_ID_PREVIOUSLY_USED");
    let renminbi = {
        let mut start = new_payment(&world, NUMBER);
        start.payment.amount = Money::fen(11_500);
        world.gateway.start(&start, world.now()).await
    };
    assert_eq!(code(renminbi), "PARAM_ERROR");
}

#[tokio::test]
async fn a_start_of_unknown_outcome_is_sent_again_and_is_one_order() {
    let world = world().await;
    world.faults(r#"{"unknownOutcome":"prepay"}"#).await;
    let start = new_payment(&world, NUMBER);
    let lost = world.gateway.start(&start, world.now()).await;
    assert!(is_unknown(&lost), "{lost:?}");
    // No answer, so no number of theirs: the payer never saw a page.
    let state = world.gateway.query(&start.payment, world.now()).await;
    assert_eq!(state, Ok(PaymentState::NotFound));
    world.faults("{}").await;
    let (payment, _) = started(&world, NUMBER).await;
    agree(&world, NUMBER, "{}").await;
    is_paid(world.gateway.collect(&payment, world.now()).await);
    assert_eq!(book(&world), (11_500, 0, 11_500));
}

#[tokio::test]
async fn a_payer_whose_card_is_declined_has_failed_and_no_money_moved() {
    let world = world().await;
    let (payment, _) = started(&world, NUMBER).await;
    world
        .control("POST", &format!("payments/{NUMBER}/fail"), "")
        .await
        .unwrap();
    let state = world.gateway.query(&payment, world.now()).await;
    assert_eq!(state, Ok(PaymentState::Approved));
    for _ in 0..2 {
        let reason = "INSTRUMENT_DECLINED".to_owned();
        let state = world.gateway.collect(&payment, world.now()).await;
        assert_eq!(state, Ok(PaymentState::Failed { reason }));
    }
    assert_eq!(book(&world), (0, 0, 0));
}

#[tokio::test]
async fn an_order_that_the_payer_left_is_closed_by_our_clock_and_forgotten_by_theirs() {
    let world = world().await;
    let (payment, page) = started(&world, NUMBER).await;
    let path = page.strip_prefix(&world.url).unwrap();
    let to_cashier = world.browse("GET", path, "en").await;
    let cashier = to_cashier.headers()["location"]
        .to_str()
        .unwrap()
        .to_owned();
    let back = world
        .browse("POST", &format!("{cashier}/leave"), "en")
        .await;
    let location = back.headers()["location"].to_str().unwrap();
    assert!(location.ends_with(&format!("?token={}", payment.handle.as_deref().unwrap())));

    world.later(299);
    let state = world.gateway.query(&payment, world.now()).await;
    assert_eq!(state, Ok(PaymentState::Open));
    world.later(1);
    let state = world.gateway.query(&payment, world.now()).await;
    assert_eq!(state, Ok(PaymentState::Closed));
    world.later(3 * 3600);
    let state = world.gateway.query(&payment, world.now()).await;
    assert_eq!(state, Ok(PaymentState::NotFound));
    assert_eq!(book(&world), (0, 0, 0));
}

#[tokio::test]
async fn consent_after_we_gave_up_moves_no_money() {
    let world = world().await;
    let (payment, _) = started(&world, NUMBER).await;
    world.gateway.close(&payment, world.now()).await.unwrap();
    agree(&world, NUMBER, "{}").await;
    world.sandbox.run_due().await;
    // It is told of, and still nothing moves unless we fetch it.
    assert!(matches!(
        told(&world).as_slice(),
        [Notice::AskPayment { .. }]
    ));
    world.gateway.close(&payment, world.now()).await.unwrap();
    assert!(world.gateway.collects());
    assert_eq!(book(&world), (0, 0, 0));
}

#[tokio::test]
async fn an_order_is_captured_once_however_often_it_is_asked() {
    let world = world().await;
    let (payment, _) = started(&world, NUMBER).await;
    let early = world.gateway.collect(&payment, world.now()).await;
    assert_eq!(early, Ok(PaymentState::Open));
    agree(&world, NUMBER, "{}").await;
    let first = is_paid(world.gateway.collect(&payment, world.now()).await);
    // The same request again, at once, and long after PayPal has forgotten its number.
    for hours in [0, 5, 7] {
        world.later(hours * 3600);
        let again = is_paid(world.gateway.collect(&payment, world.now()).await);
        assert_eq!(again, first, "{hours} h");
    }
    assert_eq!(book(&world), (11_500, 0, 11_500));
    let refused = world.gateway.close(&payment, world.now()).await;
    assert_eq!(code(refused), "ORDER_ALREADY_CAPTURED");
}

#[tokio::test]
async fn a_capture_of_unknown_outcome_is_found_by_query_and_by_repeating() {
    let world = world().await;
    let (payment, _) = started(&world, NUMBER).await;
    agree(&world, NUMBER, "{}").await;
    world.faults(r#"{"unknownOutcome":"capture"}"#).await;
    let lost = world.gateway.collect(&payment, world.now()).await;
    assert!(is_unknown(&lost), "{lost:?}");
    world.faults("{}").await;
    // It must not be given up meanwhile.
    let close = world.gateway.close(&payment, world.now()).await;
    assert!(
        matches!(close, Err(GatewayError::Unavailable { .. })),
        "{close:?}"
    );
    let found = is_paid(world.gateway.query(&payment, world.now()).await);
    let repeated = is_paid(world.gateway.collect(&payment, world.now()).await);
    assert_eq!(found, repeated);
    assert_eq!(book(&world), (11_500, 0, 11_500));
}

#[tokio::test]
async fn a_capture_that_is_answered_too_late_is_unknown_and_then_found() {
    let world = world().await;
    let (payment, _) = started(&world, NUMBER).await;
    agree(&world, NUMBER, "{}").await;
    let values = world
        .sandbox
        .values(GatewayName::PAYPAL, &world.url)
        .unwrap();
    let values = values.into_iter();
    let hasty = Values {
        values: values
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        public_url: "http://127.0.0.1:9".to_owned(),
        timeout: Duration::from_millis(300),
    };
    let hasty = opened(GatewayName::PAYPAL, &hasty);
    // It has its token, so that it is the capture itself that has no answer.
    let state = hasty.query(&payment, world.now()).await;
    assert_eq!(state, Ok(PaymentState::Approved));
    world.faults(r#"{"slowMillis":900}"#).await;
    let lost = hasty.collect(&payment, world.now()).await;
    assert!(is_unknown(&lost), "{lost:?}");
    world.faults("{}").await;
    is_paid(world.gateway.query(&payment, world.now()).await);
    assert_eq!(book(&world), (11_500, 0, 11_500));
}

#[tokio::test]
async fn another_amount_is_told_as_it_was_paid() {
    let world = world().await;
    let (payment, _) = started(&world, NUMBER).await;
    agree(
        &world,
        NUMBER,
        r#"{"callback":"wrong_amount","amount":1150}"#,
    )
    .await;
    let paid = is_paid(world.gateway.collect(&payment, world.now()).await);
    assert_eq!(paid.amount, nzd(1_150));
    assert_eq!(book(&world), (1_150, 0, 1_150));
}

#[tokio::test]
async fn a_gateway_that_is_down_did_nothing_or_is_not_sure() {
    let world = world().await;
    world.faults(r#"{"down":true}"#).await;
    // Without a token nothing was sent.
    let start = new_payment(&world, NUMBER);
    let down = world.gateway.start(&start, world.now()).await;
    assert!(
        matches!(down, Err(GatewayError::Unavailable { .. })),
        "{down:?}"
    );
    world.faults("{}").await;
    let (payment, _) = started(&world, NUMBER).await;
    world.faults(r#"{"down":true}"#).await;
    let down = world.gateway.query(&payment, world.now()).await;
    assert!(
        matches!(down, Err(GatewayError::Unavailable { .. })),
        "{down:?}"
    );
    let down = world.gateway.collect(&payment, world.now()).await;
    assert!(is_unknown(&down), "{down:?}");
    world.faults("{}").await;
    let state = world.gateway.query(&payment, world.now()).await;
    assert_eq!(state, Ok(PaymentState::Open));
}

#[tokio::test]
async fn tokens_end_and_are_replaced_by_the_clock() {
    let world = world().await;
    let (payment, _) = started(&world, NUMBER).await;
    agree(&world, NUMBER, "{}").await;
    for hours in [8, 1, 9, 24] {
        world.later(hours * 3600);
        let later = PaymentRef {
            expires_at: world.now() + Span::minutes(5),
            ..payment.clone()
        };
        let state = world.gateway.query(&later, world.now()).await;
        assert_eq!(state, Ok(PaymentState::Approved));
    }
}
