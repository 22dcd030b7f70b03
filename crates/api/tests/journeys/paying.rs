//! Statuses 100 to 102, over HTTP, against the sandbox, with a clock that stands still until it is
//! moved (spec 10, commands by status; spec 20, rules).

use crate::harness::World;
use crate::harness::scenes::{CLINIC_PRICE, DISPATCH_PRICE as PRICE, TO_SERVICE, summary, then};
use domain::Span;
use sandbox::views::{Faults, PayCallback, UnknownOutcome};
use serde_json::json;

/// What comes after 200 when the patient cancels at once.
const CANCELLED_AT_ONCE: [i64; 4] = [500, 501, 502, 901];

// --- 100 ---

journey!(unpaid_for_half_an_hour_is_cancelled, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    world.pass(Span::minutes(29)).await;
    world.ended(&order, 100, 0, 0, &[100]).await;
    world.pass(Span::minutes(1)).await;
    world.ended(&order, 902, 0, 0, &[100, 902]).await;
});

journey!(cancelled_before_paying, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    world.cancel(&patient, &order).await;
    world.ended(&order, 902, 0, 0, &[100, 902]).await;
    // A second click is no error and changes nothing.
    world.cancel(&patient, &order).await;
    world.ended(&order, 902, 0, 0, &[100, 902]).await;
});

journey!(
    /// An unpaid booking holds its place until it is cancelled, and gives it back then.
    an_unpaid_place_goes_back_to_its_slot,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 120, 1, 1).await;
        let booked = world.book_clinic(&patient, &session, 0).await;
        let order = booked.data()["id"].as_str().expect("id").to_owned();
        let other = world.patient().await;
        world.book_clinic(&other, &session, 0).await.refused(409, "6003");
        world.pass(Span::minutes(30)).await;
        world.ended(&order, 902, 0, 0, &[100, 902]).await;
        let second = world.paid_clinic(&other, &session, 0).await;
        world.ended(&second, 301, CLINIC_PRICE, 0, &[100, 101, 300, 301]).await;
        world.cancel(&other, &second).await;
        let path = then(&[100, 101, 300, 301], &CANCELLED_AT_ONCE);
        world.ended(&second, 901, CLINIC_PRICE, CLINIC_PRICE, &path).await;
    }
);

// --- 101 ---

journey!(
    /// One open payment per order.
    paying_twice_is_refused,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        world.submit(&patient, &order).await;
        let body = json!({ "gateway": "wechat", "method": "native" });
        let path = format!("/orders/{order}/pay");
        world.post(&patient, &path, body.clone()).await.refused(409, "3003");
        world.ended(&order, 101, 0, 0, &[100, 101]).await;
        world.cancel(&patient, &order).await;
        world.ended(&order, 902, 0, 0, &[100, 101, 102, 902]).await;

        let paid = world.paid_dispatch(&patient).await;
        let path = format!("/orders/{paid}/pay");
        world.post(&patient, &path, body).await.refused(409, "3003");
        world.ended(&paid, 200, PRICE, 0, &[100, 101, 200]).await;
        world.cancel(&patient, &paid).await;
    }
);

journey!(five_minutes_without_a_result_close_the_payment, |world| {
    let patient = world.patient().await;
    let order = world.book_dispatch(&patient).await;
    let number = world.submit(&patient, &order).await;
    world.pass(Span::minutes(5)).await;
    world.ended(&order, 102, 0, 0, &[100, 101, 102]).await;
    let payment = world.order(&order).await["payments"][0].clone();
    assert_eq!(payment["status"], "CLOSED");
    let there = world.sandbox.payment(&number).expect("known");
    assert_eq!(there.state.name(), "CLOSED", "nobody can pay it any more");
});

journey!(
    /// The close was done, and its answer got lost: a query tells, and only then it is 102.
    a_close_of_unknown_outcome_is_asked_for,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        world.submit(&patient, &order).await;
        world.faults(Faults { unknown_outcome: Some(UnknownOutcome::Close), ..Default::default() });
        world.pass(Span::minutes(5)).await;
        world.no_faults();
        world.pass(Span::minutes(1)).await;
        world.ended(&order, 102, 0, 0, &[100, 101, 102]).await;
        assert_eq!(world.order(&order).await["payments"][0]["status"], "CLOSED");
    }
);

journey!(
    /// Cancelled in 101 while the money was on its way: 200, then all of it back.
    cancelled_while_paying_but_paid_after_all,
    |world| {
        let patient = world.patient().await;
        let order = world.book_dispatch(&patient).await;
        let number = world.submit(&patient, &order).await;
        world.pay_telling(&number, PayCallback::Never).await;
        world.cancel(&patient, &order).await;
        let path = then(&[100, 101, 200], &CANCELLED_AT_ONCE);
        world.ended(&order, 901, PRICE, PRICE, &path).await;
    }
);

journey!(
    /// The same for a booked place: 300, then all of it back, and the place is free again.
    a_booking_cancelled_while_paying_but_paid_after_all,
    |world| {
        let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
        let session = world.publish(&doctor, 120, 1, 1).await;
        let booked = world.book_clinic(&patient, &session, 0).await;
        let order = booked.data()["id"].as_str().expect("id").to_owned();
        let number = world.submit(&patient, &order).await;
        world.pay_telling(&number, PayCallback::Never).await;
        world.cancel(&patient, &order).await;
        let path = then(&[100, 101, 300], &CANCELLED_AT_ONCE);
        world.ended(&order, 901, CLINIC_PRICE, CLINIC_PRICE, &path).await;
        let sessions = world.get(&patient, "/sessions").await;
        assert_eq!(sessions.data()[0]["slots"][0]["free"], 1);
    }
);

// --- 102 ---

journey!(a_failed_payment_can_be_tried_again, |world| {
    let patient = world.patient().await;
    let (order, number) = world.failed_payment(&patient).await;
    world.ended(&order, 102, 0, 0, &[100, 101, 102]).await;
    let again = world.submit(&patient, &order).await;
    assert_ne!(number, again, "each attempt has its own number");
    world.pay_at_gateway(&again).await;
    let paid = [100, 101, 102, 101, 200];
    world.ended(&order, 200, PRICE, 0, &paid).await;
    world.cancel(&patient, &order).await;
    let path = then(&paid, &CANCELLED_AT_ONCE);
    world.ended(&order, 901, PRICE, PRICE, &path).await;
});

journey!(a_failed_payment_left_alone_is_cancelled, |world| {
    let patient = world.patient().await;
    let (order, _) = world.failed_payment(&patient).await;
    world.pass(Span::minutes(29)).await;
    world.ended(&order, 102, 0, 0, &[100, 101, 102]).await;
    world.pass(Span::minutes(1)).await;
    world.ended(&order, 902, 0, 0, &[100, 101, 102, 902]).await;
});

journey!(another_method_can_be_chosen_after_a_failure, |world| {
    let patient = world.patient().await;
    let (order, _) = world.failed_payment(&patient).await;
    let path = format!("/orders/{order}/payment-method");
    world.put(&patient, &path, json!({})).await.data();
    world.ended(&order, 100, 0, 0, &[100, 101, 102, 100]).await;
    world.cancel(&patient, &order).await;
    let path = [100, 101, 102, 100, 902];
    world.ended(&order, 902, 0, 0, &path).await;
});

journey!(a_failed_payment_is_cancelled_by_the_patient, |world| {
    let patient = world.patient().await;
    let (order, _) = world.failed_payment(&patient).await;
    world.cancel(&patient, &order).await;
    world.ended(&order, 902, 0, 0, &[100, 101, 102, 902]).await;
});

// --- late good news ---

journey!(
    /// 102, inside its window and with no other payment open: 102 → 101 → 200.
    a_late_success_takes_a_failed_order_on,
    |world| {
        let patient = world.patient().await;
        let (order, number) = world.failed_payment(&patient).await;
        world.pay_at_gateway(&number).await;
        let path = [100, 101, 102, 101, 200];
        world.ended(&order, 200, PRICE, 0, &path).await;
        world.cancel(&patient, &order).await;
        world.ended(&order, 901, PRICE, PRICE, &then(&path, &CANCELLED_AT_ONCE)).await;
    }
);

journey!(
    /// 102 with another payment open: that one is the order's, the late one goes back.
    a_late_success_beside_an_open_payment_goes_back,
    |world| {
        let patient = world.patient().await;
        let (order, first) = world.failed_payment(&patient).await;
        let second = world.submit(&patient, &order).await;
        world.pay_at_gateway(&first).await;
        world.ended(&order, 101, PRICE, PRICE, &[100, 101, 102, 101]).await;
        world.pay_at_gateway(&second).await;
        let path = [100, 101, 102, 101, 200];
        world.ended(&order, 200, 2 * PRICE, PRICE, &path).await;
        world.cancel(&patient, &order).await;
        let path = then(&path, &CANCELLED_AT_ONCE);
        world.ended(&order, 901, 2 * PRICE, 2 * PRICE, &path).await;
    }
);

/// The late money is recorded and refunded in full, the status has not moved, and the patient sees
/// both: a refund of its own, and a line of the journal.
async fn went_back(world: &World, patient: &crate::harness::Person, order: &str, status: i64) {
    let seen = world.get(patient, &format!("/orders/{order}")).await;
    assert_eq!(seen.data()["statusCode"], status);
    let refunds = seen.data()["refunds"].as_array().expect("refunds");
    let late = refunds
        .iter()
        .find(|refund| refund["purpose"] == "late_money");
    let late = late.unwrap_or_else(|| panic!("{:#}", seen.body));
    assert_eq!(late["status"], "SUCCEEDED");
    assert_eq!(late["share"], 100);
    assert_eq!(late["amount"]["amount"], PRICE);
    assert!(world.noted(patient, order, "late_money").await);
}

journey!(money_after_902_goes_back, |world| {
    let patient = world.patient().await;
    let (order, number) = world.failed_payment(&patient).await;
    world.cancel(&patient, &order).await;
    world.pay_at_gateway(&number).await;
    let path = [100, 101, 102, 902];
    world.ended(&order, 902, PRICE, PRICE, &path).await;
    went_back(world, &patient, &order, 902).await;
});

journey!(money_after_901_goes_back, |world| {
    let patient = world.patient().await;
    let (order, late) = world.failed_payment(&patient).await;
    let number = world.submit(&patient, &order).await;
    world.pay_at_gateway(&number).await;
    world.cancel(&patient, &order).await;
    let path = then(&[100, 101, 102, 101, 200], &CANCELLED_AT_ONCE);
    world.ended(&order, 901, PRICE, PRICE, &path).await;
    world.pay_at_gateway(&late).await;
    world.ended(&order, 901, 2 * PRICE, 2 * PRICE, &path).await;
    went_back(world, &patient, &order, 901).await;
});

journey!(money_after_900_goes_back, |world| {
    let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
    let (order, late) = world.failed_payment(&patient).await;
    world.online(&doctor, true).await;
    let number = world.submit(&patient, &order).await;
    world.pay_at_gateway(&number).await;
    for action in ["accept", "start"] {
        world.act(&doctor, &order, action, json!({})).await.data();
    }
    world.act(&doctor, &order, "finish", summary()).await.data();
    world.pay_at_gateway(&late).await;
    let path = then(&[100, 101, 102], &then(&TO_SERVICE[1..], &[900]));
    world.ended(&order, 900, 2 * PRICE, PRICE, &path).await;
    went_back(world, &patient, &order, 900).await;
});

journey!(
    /// The late money's own refund is refused: tried again after 1, 5 and 30 minutes, beside the
    /// order, which stays where it is; then an operator tries once more.
    late_money_that_cannot_go_back_at_once_is_pursued,
    |world| {
        let patient = world.patient().await;
        let (order, number) = world.failed_payment(&patient).await;
        world.cancel(&patient, &order).await;
        let path = [100, 101, 102, 902];
        world.faults(Faults {
            refuse_refunds: Some(sandbox::views::RefundRefusal::NotEnough),
            ..Default::default()
        });
        world.pay_at_gateway(&number).await;
        for minutes in [1, 5, 30] {
            world.ended(&order, 902, PRICE, 0, &path).await;
            assert_eq!(world.refund_of(&order, 0).await["status"], "FAILED");
            world.pass(Span::minutes(minutes)).await;
        }
        world.no_faults();
        world.pass(Span::hours(1)).await;
        world.ended(&order, 902, PRICE, 0, &path).await;
        world.operate(&order, "retry", json!({})).await.data();
        world.ended(&order, 902, PRICE, PRICE, &path).await;
    }
);
