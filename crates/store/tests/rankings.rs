//! Why doctors were asked: kept with the offer, read back by order and by day.

// These are tests throughout, also where a helper is not marked as one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod common;

use common::{change, id, new_order, next, now};
use domain::consultation::matching::{Candidate, Weights, rank};
use domain::consultation::ranking::{KEPT, Ranking};
use domain::consultation::{
    Assignment, AssignmentEnd, Consultation, ConsultationStatus as S, ConsultationType,
};
use domain::order::Guard;
use domain::{Span, Ts, UserId};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::testing::Fresh;
use store::{Changes, PresenceRow, RankingsAfter};

on_both!(
    rankings_are_kept_with_their_offers,
    a_day_is_walked_through_in_parts,
    an_offer_that_fails_keeps_nothing,
    rankings_stay_as_they_were_written,
    names_are_found_for_many,
    only_orders_that_can_be_served_stand_in_line,
);

fn ranking(candidates: usize, at: Ts) -> Ranking {
    let candidate = |place: usize| Candidate {
        doctor: UserId(id()),
        specialities: vec!["头痛".to_owned(), "it's \"quoted\"".to_owned()],
        accepted: 700,
        offered: 900,
        active: 1,
        limit: 4,
        last_order_at: (place > 0).then(|| at - Span::minutes(7)),
        stars: 45,
        ratings: 10,
        knows_patient: place == 1,
    };
    let candidates: Vec<Candidate> = (0..candidates).map(candidate).collect();
    let (complaint, weights) = ("头痛 since Monday", Weights::default());
    let ranked = rank(complaint, &candidates, &weights, at);
    Ranking::choosing(ranked[0].0.doctor, &ranked, complaint, &weights, at)
}

/// The order one version on, offered by this ranking.
fn offered(order: &Consultation, ranking: &Ranking) -> (Consultation, Changes) {
    let mut after = next(order);
    after.status = S::PendingAccept;
    after.updated_at = ranking.at;
    after.detail.doctor = Some(ranking.chosen);
    after.detail.assignments.push(Assignment {
        doctor: ranking.chosen,
        offered_at: ranking.at,
        score: ranking.score(),
        end: None,
    });
    let mut changes = change(&after);
    changes.order.as_mut().unwrap().ranking = Some(Arc::new(ranking.clone()));
    (after, changes)
}

/// An order that was just written, and one offer of it.
async fn one_offer(fresh: &Fresh, ranking: &Ranking) -> Consultation {
    let order = new_order();
    fresh.store.commit(change(&order)).await.unwrap();
    let (after, changes) = offered(&order, ranking);
    fresh.store.commit(changes).await.unwrap();
    after
}

async fn moved(fresh: &Fresh, order: &Consultation, to: S, at: Ts) -> Consultation {
    let mut after = next(order);
    (after.status, after.updated_at) = (to, at);
    if let Some(offer) = after.detail.assignments.last_mut() {
        offer.end.get_or_insert(AssignmentEnd::Declined);
    }
    fresh.store.commit(change(&after)).await.unwrap();
    after
}

async fn rankings_are_kept_with_their_offers(fresh: &Fresh) {
    let (first, second) = (ranking(3, now()), ranking(80, now() + Span::minutes(2)));
    let order = one_offer(fresh, &first).await;
    let freed = now() + Span::minutes(1);
    let order = moved(fresh, &order, S::Dispatching, freed).await;
    let (order, changes) = offered(&order, &second);
    fresh.store.commit(changes).await.unwrap();

    let kept = fresh.store.rankings(order.id).await.unwrap();
    assert_eq!(kept, [(1, first.clone()), (2, second.clone())]);
    assert_eq!((second.candidates.len(), second.count), (KEPT, 80));
    assert_eq!(fresh.store.rankings(new_order().id).await.unwrap(), []);
    assert_eq!(
        fresh.store.load(order.id).await.unwrap(),
        Some(order.clone())
    );

    let (begin, until) = (RankingsAfter::from(now()), now() + Span::hours(1));
    let (past, _) = fresh.store.past_offers(begin, until, 10).await.unwrap();
    assert_eq!(past.len(), 2);
    assert_eq!(
        (&past[0].ranking, past[0].released_at),
        (&first, Some(freed))
    );
    assert_eq!(past[0].end, Some(AssignmentEnd::Declined));
    assert_eq!((&past[1].ranking, past[1].released_at), (&second, None));
    assert_eq!((past[1].order, past[1].end), (order.id, None));

    // Accepted, served and done: the hands are free at the end and not before.
    let order = moved(fresh, &order, S::InProgress, now() + Span::minutes(3)).await;
    let done = now() + Span::minutes(9);
    moved(fresh, &order, S::Completed, done).await;
    let (past, _) = fresh.store.past_offers(begin, until, 10).await.unwrap();
    assert_eq!(past[1].released_at, Some(done));
    let known = fresh.store.first_and_last_ranking().await.unwrap();
    assert_eq!(known, Some((first.at, second.at)));
}

async fn a_day_is_walked_through_in_parts(fresh: &Fresh) {
    assert_eq!(fresh.store.first_and_last_ranking().await.unwrap(), None);
    // Several at the same moment, one just before the day and one just after it.
    let until = now() + Span::seconds(3);
    let mut written = BTreeSet::new();
    for offset in [-1, 0, 0, 0, 1_000_000, 2_999_999, 3_000_000] {
        let at = now() + Span::micros(offset);
        let order = one_offer(fresh, &ranking(2, at)).await;
        if (0..3_000_000).contains(&offset) {
            written.insert(order.id);
        }
    }
    let (mut found, mut after) = (Vec::new(), RankingsAfter::from(now()));
    loop {
        let (part, last) = fresh.store.past_offers(after, until, 2).await.unwrap();
        if part.is_empty() {
            break;
        }
        after = last;
        found.extend(part);
    }
    assert_eq!(found.len(), written.len());
    assert!(found.is_sorted_by_key(|offer| offer.ranking.at));
    assert_eq!(
        found
            .iter()
            .map(|offer| offer.order)
            .collect::<BTreeSet<_>>(),
        written
    );
}

async fn an_offer_that_fails_keeps_nothing(fresh: &Fresh) {
    let ranking = ranking(2, now());
    let order = new_order();
    fresh.store.commit(change(&order)).await.unwrap();
    let (_, mut changes) = offered(&order, &ranking);
    // The doctor is not there.
    changes.guards = vec![Guard::TakeDoctor(ranking.chosen)];
    fresh.store.commit(changes).await.unwrap_err();
    assert_eq!(fresh.store.rankings(order.id).await.unwrap(), []);
}

async fn rankings_stay_as_they_were_written(fresh: &Fresh) {
    one_offer(fresh, &ranking(2, now())).await;
    let change = "UPDATE dispatch_rankings SET candidate_count = 1";
    for sql in [change, "DELETE FROM dispatch_rankings"] {
        let error = fresh.execute(sql).await.expect_err(sql).to_string();
        assert!(error.contains("is only ever added to"), "{sql}: {error}");
    }
}

async fn names_are_found_for_many(fresh: &Fresh) {
    let doctor = common::doctor(fresh, 1).await;
    let mut ids: BTreeSet<UserId> = (0..450).map(|_| UserId(id())).collect();
    assert!(fresh.store.doctor_names(&ids).await.unwrap().is_empty());
    ids.insert(doctor.user);
    let names = fresh.store.doctor_names(&ids).await.unwrap();
    assert_eq!(names.len(), 1);
    assert_eq!(names[&doctor.user], doctor.name);
}

async fn only_orders_that_can_be_served_stand_in_line(fresh: &Fresh) {
    let doctor = common::doctor(fresh, 1).await;
    let waiting = |kind: ConsultationType, since: i64| {
        let mut order = new_order();
        order.status = S::Dispatching;
        order.detail.department = doctor.department;
        order.detail.consultation_type = kind;
        order.detail.waiting_since = Some(now() + Span::seconds(since));
        order
    };
    let line = || fresh.store.waiting_for_doctor(doctor.department, 2);
    // Nobody is licensed for the phone: these wait in front of all others and stand in nobody's way.
    for since in 0..5 {
        let order = waiting(ConsultationType::Phone, since);
        fresh.store.commit(change(&order)).await.unwrap();
    }
    assert_eq!(line().await.unwrap(), []);
    let late = waiting(ConsultationType::Text, 30);
    let early = waiting(ConsultationType::Video, 20);
    for order in [&late, &early] {
        fresh.store.commit(change(order)).await.unwrap();
    }
    assert_eq!(line().await.unwrap(), [early.id, late.id], "oldest first");

    // Asked of the only doctor there is: nobody is left, and the dispatcher has to say so.
    let mut by_doctor = ranking(1, now());
    by_doctor.chosen = doctor.user;
    let (mut asked, changes) = offered(&early, &by_doctor);
    asked.detail.holds_doctor = false;
    fresh.store.commit(changes).await.unwrap();
    assert_eq!(line().await.unwrap(), [late.id]);
    let back = moved(fresh, &asked, S::Dispatching, now() + Span::minutes(1)).await;
    assert_eq!(line().await.unwrap(), [back.id, late.id]);
    // With a second doctor it waits for that one, who is away.
    let mut second = common::doctor(fresh, 1).await;
    second.department = doctor.department;
    fresh.store.upsert_doctor(&second).await.unwrap();
    let away = PresenceRow {
        user: second.user,
        online: false,
        since: now(),
        until: None,
    };
    let away = Changes {
        presence: Some(away),
        ..Changes::default()
    };
    fresh.store.commit(away).await.unwrap();
    assert_eq!(line().await.unwrap(), [late.id]);

    // Without room there is nothing to do.
    let taken = Changes {
        guards: vec![Guard::TakeDoctor(doctor.user)],
        ..change(&new_order())
    };
    fresh.store.commit(taken).await.unwrap();
    assert_eq!(line().await.unwrap(), []);
}
