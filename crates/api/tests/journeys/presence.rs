//! Presence is a lease: who does not renew it has gone (spec 10, dispatch mode).

use crate::harness::{Person, World};
use domain::Span;
use serde_json::json;

async fn renews(world: &World, doctor: &Person, seconds: i64) {
    let body = json!({ "online": true, "leaseSeconds": seconds });
    let row = world.put(doctor, "/doctors/me/presence", body).await;
    let until = row.data()["until"].as_str().expect("until").to_owned();
    assert_eq!(until, (world.now() + Span::seconds(seconds)).to_string());
    world.settle().await;
}

journey!(an_offer_goes_when_its_doctors_lease_runs_out, |world| {
    let (patient, first) = (world.patient().await, world.doctors[0].clone());
    renews(world, &first, 60).await;
    let order = world.paid_dispatch(&patient).await;
    for _ in 0..3 {
        world.pass(Span::seconds(40)).await;
        renews(world, &first, 60).await;
    }
    assert_eq!(world.assigned(&order).await.id, first.id, "renewed in time");
    world.pass(Span::seconds(59)).await;
    assert_eq!(world.status(&order).await, 201);
    let second = world.doctors[1].clone();
    world.online(&second, true).await;
    world.pass(Span::seconds(1)).await;
    assert_eq!(world.assigned(&order).await.id, second.id);
    let stale = world.act(&first, &order, "accept", json!({})).await;
    stale.refused(403, "1003");
    world.act(&second, &order, "accept", json!({})).await.data();
});

journey!(a_lease_has_a_sensible_length, |world| {
    for seconds in [0, 14, 3_601] {
        let body = json!({ "online": true, "leaseSeconds": seconds });
        let refused = world
            .put(&world.doctors[0], "/doctors/me/presence", body)
            .await;
        assert!(refused.refused(422, "6001").contains("leaseSeconds"));
    }
    let patient = world.patient().await;
    let body = json!({ "online": true });
    let refused = world.put(&patient, "/doctors/me/presence", body).await;
    refused.refused(403, "1003");
});

journey!(whoever_goes_has_gone_and_comes_back_to_who_waits, |world| {
    let (patient, doctor) = (world.patient().await, world.doctors[0].clone());
    renews(world, &doctor, 60).await;
    world.online(&doctor, false).await;
    let order = world.paid_dispatch(&patient).await;
    assert_eq!(world.status(&order).await, 200, "nobody is there");
    renews(world, &doctor, 60).await;
    assert_eq!(
        world.status(&order).await,
        201,
        "served the moment they came"
    );
});
