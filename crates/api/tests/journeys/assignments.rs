//! Why doctors were asked, and who is served first, over HTTP on both databases (spec 10, dispatch
//! mode).

use crate::harness::scenes::{DISPATCH_PRICE as PRICE, TO_READY, summary, then};
use crate::harness::{Person, World};
use domain::Span;
use domain::consultation::replay::{PastOffer, WeightChanges, replay};
use serde_json::{Value, json};
use store::RankingsAfter;

async fn offers(world: &World, order: &str) -> Vec<Value> {
    let path = format!("/orders/{order}/assignments");
    let answer = world.get(&world.operator, &path).await;
    answer.data().as_array().expect("offers").clone()
}

/// Every offer that was kept.
async fn past(world: &World) -> Vec<PastOffer> {
    let begin = RankingsAfter::from(world.now() - Span::hours(24));
    let (until, store) = (world.now() + Span::hours(1), world.engine.store());
    let (all, _) = store
        .past_offers(begin, until, 1_000)
        .await
        .expect("offers");
    all
}

journey!(
    /// A declined offer and an accepted one: who could have been asked, what was known of them, and
    /// what it came to, by part.
    operations_see_why_doctors_were_asked,
    |world| {
        let patient = world.patient().await;
        for doctor in &world.doctors[..3] {
            world.online(doctor, true).await;
        }
        let order = world.paid_dispatch(&patient).await;
        let first = world.assigned(&order).await;
        assert_eq!(offers(world, &order).await[0]["end"], json!(null));
        world.act(&first, &order, "decline", json!({ "reason": "忙" })).await.data();
        let second = world.assigned(&order).await;
        world.act(&second, &order, "accept", json!({})).await.data();

        let seen = offers(world, &order).await;
        assert_eq!(seen.len(), 2);
        let ends: Vec<&Value> = seen.iter().map(|offer| &offer["end"]).collect();
        assert_eq!(ends, ["declined", "accepted"]);
        assert_eq!(seen[0]["endLabel"], "declined");
        for (place, (offer, doctor)) in seen.iter().zip([&first, &second]).enumerate() {
            assert_eq!(offer["attempt"], json!(place + 1));
            assert_eq!(offer["doctor"], json!({ "id": doctor.id, "name": doctor.login }));
            assert_eq!(offer["complaint"], "头痛三天");
            assert_eq!(offer["weights"]["speciality"], 300);
            assert_eq!(offer["candidateCount"], json!(3 - place));
            let candidates = offer["candidates"].as_array().expect("candidates");
            assert_eq!(candidates.len(), 3 - place);
            assert_eq!(candidates[0]["score"], offer["score"], "the best one was asked");
            assert_eq!(candidates[0]["score"]["speciality"], 1000);
            let chosen = candidates.iter().filter(|one| one["chosen"] == true);
            let chosen: Vec<&Value> = chosen.map(|one| &one["doctor"]["id"]).collect();
            assert_eq!(chosen, [&json!(doctor.id)]);
            assert!(candidates.iter().all(|one| one["limit"] == 5 && one["active"] == 0));
        }
        let path = format!("/orders/{order}/assignments");
        for curious in [&patient, &first, &second, &world.patient().await] {
            world.get(curious, &path).await.refused(403, "1003");
        }
        let nowhere = format!("/orders/{}/assignments", first.id);
        world.get(&world.operator, &nowhere).await.refused(404, "2001");
        world.get(&world.operator, "/orders/x/assignments").await.refused(422, "6001");

        world.cancel(&patient, &order).await;
        let path = [100, 101, 200, 201, 200, 201, 400];
        world.ended(&order, 901, PRICE, 2700, &then(&path, &[500, 501, 502, 901])).await;
    }
);

journey!(
    /// How an offer ended, for each way in which it can.
    offers_say_how_they_ended,
    |world| {
        let patient = world.patient().await;
        for doctor in &world.doctors[..3] {
            world.online(doctor, true).await;
        }
        let order = world.paid_dispatch(&patient).await;
        world.pass(Span::minutes(5)).await;
        let second = world.assigned(&order).await;
        world.online(&second, false).await;
        world.cancel(&patient, &order).await;
        let seen = offers(world, &order).await;
        let ends: Vec<&Value> = seen.iter().map(|offer| &offer["end"]).collect();
        assert_eq!(ends, ["timed_out", "went_offline", "withdrawn"]);
        assert_eq!(seen[2]["endLabel"], "cancelled");
        let path = [100, 101, 200, 201, 200, 201, 200, 201, 500, 501, 502, 901];
        world.ended(&order, 901, PRICE, PRICE, &path).await;
        let unpaid = world.book_dispatch(&patient).await;
        assert_eq!(offers(world, &unpaid).await, Vec::<Value>::new());

        // What a replay is told of them: when hands were free again, and the same choices by the
        // same weights.
        let past = past(world).await;
        let now = world.now();
        let freed: Vec<_> = past.iter().map(|offer| offer.released_at).collect();
        assert_eq!(freed, [Some(now), Some(now), Some(now)]);
        let same = replay(&past, &WeightChanges::default());
        assert_eq!((same.assignments, same.moved, same.unplaced), (3, 0, 0));
    }
);

journey!(
    /// The evidence is written with the offer or the offer is not made.
    an_offer_without_its_reasons_is_not_made,
    |world| {
        let patient = world.patient().await;
        world.break_table("dispatch_rankings").await;
        world.online(&world.doctors[0], true).await;
        let order = world.book_dispatch(&patient).await;
        let number = world.submit(&patient, &order).await;
        world.pay_at_gateway(&number).await;
        world.ended(&order, 200, PRICE, 0, &[100, 101, 200]).await;
        let doctor = world.engine.store().doctor(world.doctors[0].id).await;
        assert_eq!(doctor.expect("read").expect("known").active, 0);
        world.mend_table("dispatch_rankings").await;
        world.pass(Span::minutes(1)).await;
        world.ended(&order, 201, PRICE, 0, &[100, 101, 200, 201]).await;
        assert_eq!(offers(world, &order).await.len(), 1);
        world.cancel(&patient, &order).await;
    }
);

/// Which of these orders a doctor was offered; the others wait.
async fn offered(world: &World, orders: &[(Person, String)]) -> Vec<usize> {
    let mut found = Vec::new();
    for (place, (_, order)) in orders.iter().enumerate() {
        match world.status(order).await {
            200 => {}
            201 => found.push(place),
            status => assert!(status >= 400, "{place}: {status}"),
        }
    }
    found
}

journey!(
    /// Three orders wait and nobody is there. Each time the doctor has room, whoever has waited
    /// longest is offered: when they come, when a consultation ends, when they decline, when the
    /// patient of an offer cancels.
    whoever_has_waited_longest_is_served_first,
    |world| {
        let doctor = world.doctors[0].clone();
        world.parallel_limit(&doctor, 1).await;
        let mut orders = Vec::new();
        for _ in 0..5 {
            let patient = world.patient().await;
            let order = world.paid_dispatch(&patient).await;
            orders.push((patient, order));
            world.pass(Span::seconds(10)).await;
        }
        assert_eq!(offered(world, &orders).await, Vec::<usize>::new());

        world.online(&doctor, true).await;
        assert_eq!(offered(world, &orders).await, [0], "the doctor came");
        for (action, body) in [("accept", json!({})), ("start", json!({})), ("finish", summary())] {
            assert_eq!(offered(world, &orders[1..]).await, Vec::<usize>::new());
            world.act(&doctor, &orders[0].1, action, body).await.data();
        }
        assert_eq!(offered(world, &orders).await, [1], "a consultation ended");
        world.cancel(&orders[1].0, &orders[1].1).await;
        assert_eq!(offered(world, &orders).await, [2], "an offer was cancelled");
        world.act(&doctor, &orders[2].1, "decline", json!({ "reason": "忙" })).await.data();
        // The declined one is older, but this doctor is not asked again for it.
        assert_eq!(world.assigned(&orders[3].1).await.login, doctor.login);

        // Somebody else comes: the one that waits since before the others is theirs.
        let other = world.doctors[1].clone();
        world.parallel_limit(&other, 1).await;
        world.online(&other, true).await;
        assert_eq!(world.assigned(&orders[2].1).await.login, other.login);
        assert_eq!(world.status(&orders[4].1).await, 200);
        world.act(&other, &orders[2].1, "accept", json!({})).await.data();
        world.act(&doctor, &orders[3].1, "accept", json!({})).await.data();
        world.cancel(&orders[2].0, &orders[2].1).await;
        assert_eq!(world.assigned(&orders[4].1).await.login, other.login);
        world.cancel(&orders[3].0, &orders[3].1).await;
        let path = then(&TO_READY, &[500, 501, 502, 901]);
        world.ended(&orders[3].1, 901, PRICE, 2700, &path).await;
    }
);

journey!(
    /// Waiting counts from the money, not from the booking.
    whoever_paid_first_waits_longest,
    |world| {
        let (early, late) = (world.patient().await, world.patient().await);
        let booked_first = world.book_dispatch(&early).await;
        world.pass(Span::seconds(5)).await;
        let paid_first = world.paid_dispatch(&late).await;
        world.pass(Span::seconds(5)).await;
        let number = world.submit(&early, &booked_first).await;
        world.pay_at_gateway(&number).await;
        let doctor = world.doctors[0].clone();
        world.parallel_limit(&doctor, 1).await;
        world.online(&doctor, true).await;
        assert_eq!(world.status(&paid_first).await, 201);
        assert_eq!(world.status(&booked_first).await, 200);
    }
);
