//! Deadlines and effects are claimed by lease; sessions, people and settings are kept.

#[macro_use]
mod common;

use common::{booked, change, doctor, effect, id, new_order, next, now, session, user};
use domain::consultation::{ConsultationStatus as S, ConsultationType, Rating, TimerName};
use domain::lifecycle::Status;
use domain::order::{Effect, Guard, Role};
use domain::session::SessionStatus;
use domain::{Span, UserId};
use std::collections::HashSet;
use store::testing::Fresh;
use store::{
    Changes, CommitError, Lease, Message, Page, PeopleError, PresenceRow, RefreshToken,
    SessionChange, SessionFilter,
};
use uuid::Uuid;

on_both!(
    claims_are_disjoint_and_taken_over,
    effects_are_put_off_finished_and_given_up,
    timers_move,
    numbers_have_no_gaps,
    doctors_are_taken_and_rated,
    presence_reaches_doctors,
    sessions_move_once,
    people_sign_in,
    tokens_rotate_once,
    messages_are_numbered,
    settings_have_versions,
);

fn lease(seconds: i64) -> Lease {
    Lease {
        owner: id(),
        until: now() + Span::seconds(seconds),
    }
}

async fn claims_are_disjoint_and_taken_over(fresh: &Fresh) {
    let order = new_order();
    let outbox = (0..40)
        .map(|n| effect(Effect::TakeNumber, Some(order.id), now() - Span::seconds(n)))
        .collect();
    fresh
        .store
        .commit(Changes {
            outbox,
            ..change(&order)
        })
        .await
        .unwrap();
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let store = fresh.store.clone();
        tasks.push(tokio::spawn(async move {
            store.claim_outbox(now(), lease(20), 10).await.unwrap()
        }));
    }
    let mut seen = HashSet::new();
    for task in tasks {
        let claimed = task.await.unwrap();
        assert!(claimed.is_sorted_by_key(|row| row.due));
        for row in claimed {
            assert!(row.lease.is_some());
            assert!(seen.insert(row.id), "claimed twice");
        }
    }
    // Whoever found others' rows locked may have come away with fewer.
    seen.extend(
        fresh
            .store
            .claim_outbox(now(), lease(20), 100)
            .await
            .unwrap()
            .iter()
            .map(|row| row.id),
    );
    assert_eq!(seen.len(), 40);
    assert!(
        fresh
            .store
            .claim_outbox(now() + Span::seconds(19), lease(60), 100)
            .await
            .unwrap()
            .is_empty()
    );
    let taken_over = fresh
        .store
        .claim_outbox(now() + Span::seconds(20), lease(60), 100)
        .await
        .unwrap();
    assert_eq!(taken_over.len(), 40);

    let due = now() + Span::minutes(30);
    assert!(
        fresh
            .store
            .claim_timers(now(), lease(20), 10)
            .await
            .unwrap()
            .is_empty()
    );
    let long = Lease {
        owner: id(),
        until: due + Span::seconds(20),
    };
    let claimed = fresh
        .store
        .claim_timers(due, long.clone(), 10)
        .await
        .unwrap();
    assert_eq!(
        (claimed.len(), claimed[0].name, claimed[0].due),
        (1, TimerName::PayWindow, due)
    );
    assert!(
        fresh
            .store
            .claim_timers(due, long.clone(), 10)
            .await
            .unwrap()
            .is_empty()
    );
    fresh
        .store
        .release_timer(&claimed[0], due + Span::seconds(5))
        .await
        .unwrap();
    assert!(
        fresh
            .store
            .claim_timers(due + Span::seconds(4), long.clone(), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        fresh
            .store
            .claim_timers(due + Span::seconds(5), long, 10)
            .await
            .unwrap(),
        claimed
    );
}

async fn effects_are_put_off_finished_and_given_up(fresh: &Fresh) {
    let row = effect(
        Effect::SendRefund {
            refund: domain::RefundId(id()),
        },
        None,
        now(),
    );
    let leased = store::OutboxRow {
        lease: Some(lease(20)),
        ..effect(Effect::TakeNumber, None, now())
    };
    fresh
        .store
        .commit(Changes {
            outbox: vec![row.clone(), leased.clone()],
            ..Changes::default()
        })
        .await
        .unwrap();
    assert_eq!(
        fresh.store.outbox_row(row.id).await.unwrap(),
        Some(row.clone())
    );
    assert_eq!(fresh.store.next_due().await.unwrap(), Some(now()));
    assert_eq!(
        fresh
            .store
            .claim_outbox(now(), lease(20), 10)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        fresh.store.next_due().await.unwrap(),
        Some(now() + Span::seconds(20))
    );
    fresh
        .store
        .reschedule(row.id, now() + Span::seconds(1), 3, Some("down"))
        .await
        .unwrap();
    let kept = fresh.store.outbox_row(row.id).await.unwrap().unwrap();
    assert_eq!(
        (kept.attempts, kept.lease, kept.last_error.as_deref()),
        (3, None, Some("down"))
    );
    fresh
        .store
        .give_up(row.id, 60, "never", now())
        .await
        .unwrap();
    let (dead, total) = fresh
        .store
        .dead_outbox(Page { page: 1, limit: 10 })
        .await
        .unwrap();
    assert_eq!((dead.len(), total, dead[0].attempts), (1, 1, 60));
    assert!(
        fresh
            .store
            .claim_outbox(now() + Span::seconds(5), lease(9), 10)
            .await
            .unwrap()
            .is_empty()
    );
    let backlog = fresh.store.backlog().await.unwrap();
    assert_eq!((backlog.outbox, backlog.timers, backlog.dead), (1, 0, 1));
    assert!(fresh.store.revive(row.id, now()).await.unwrap());
    assert!(!fresh.store.revive(row.id, now()).await.unwrap());
    fresh.store.finish(&[row.id, leased.id]).await.unwrap();
    assert_eq!(fresh.store.next_due().await.unwrap(), None);
}

async fn timers_move(fresh: &Fresh) {
    let order = new_order();
    fresh.store.commit(change(&order)).await.unwrap();
    let mut moved = order.clone();
    moved.timers[0].due = now() + Span::hours(5);
    let timers = change(&moved).timers;
    fresh
        .store
        .commit(Changes {
            timers,
            ..Changes::default()
        })
        .await
        .unwrap();
    assert_eq!(fresh.store.load(order.id).await.unwrap(), Some(moved));
}

async fn numbers_have_no_gaps(fresh: &Fresh) {
    let (session, slot) = session(fresh, 100).await;
    let mut orders = Vec::new();
    for _ in 0..12 {
        let order = booked(&session, &slot);
        let guards = vec![Guard::TakePlace(slot.id)];
        fresh
            .store
            .commit(Changes {
                guards,
                ..change(&order)
            })
            .await
            .unwrap();
        orders.push(order);
    }
    let mut tasks = Vec::new();
    for order in orders {
        let (store, session) = (fresh.store.clone(), session.id);
        tasks.push(tokio::spawn(async move {
            loop {
                let (row, _) = store.session(session).await.unwrap().unwrap();
                let mut after = next(&order);
                let number = row.last_number + 1;
                after.detail.number = Some(number);
                after.detail.queue_rank = Some(-i64::from(number));
                after.status = S::InQueue;
                let guards = vec![Guard::TakeNumber(session, number)];
                match store
                    .commit(Changes {
                        guards,
                        ..change(&after)
                    })
                    .await
                {
                    Ok(()) => return number,
                    Err(CommitError::GuardRefused(Guard::TakeNumber(..))) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }));
    }
    let mut numbers = Vec::new();
    for task in tasks {
        numbers.push(task.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    let queue = fresh.store.queue(session.id).await.unwrap();
    assert_eq!(
        queue.iter().map(|entry| entry.number).collect::<Vec<_>>(),
        (1..=12).rev().collect::<Vec<_>>()
    );
    assert_eq!(
        fresh
            .store
            .orders_of_session(session.id, &[S::InQueue])
            .await
            .unwrap()
            .len(),
        12
    );
    assert_eq!(
        fresh
            .store
            .orders_of_doctor(session.doctor, S::ALL)
            .await
            .unwrap()
            .len(),
        12
    );
    let findings = fresh.store.check(now()).await.unwrap();
    assert!(
        findings
            .iter()
            .all(|finding| finding.rule != "queue numbers"),
        "{findings:?}"
    );
}

async fn doctors_are_taken_and_rated(fresh: &Fresh) {
    let doctor = doctor(fresh, 1).await;
    let patient = UserId(id());
    let candidates = |at| {
        fresh
            .store
            .candidates(doctor.department, ConsultationType::Text, patient, at)
    };
    let fresh_one = candidates(now()).await.unwrap();
    assert_eq!(
        (
            fresh_one.len(),
            fresh_one[0].limit,
            fresh_one[0].knows_patient
        ),
        (1, 1, false)
    );
    let mut order = new_order();
    order.patient = patient;
    order.detail.doctor = Some(doctor.user);
    order.detail.holds_doctor = true;
    let take = vec![Guard::TakeDoctor(doctor.user)];
    fresh
        .store
        .commit(Changes {
            guards: take.clone(),
            ..change(&order)
        })
        .await
        .unwrap();
    let second = fresh
        .store
        .commit(Changes {
            guards: take,
            ..change(&new_order())
        })
        .await;
    assert!(matches!(
        second,
        Err(CommitError::GuardRefused(Guard::TakeDoctor(_)))
    ));
    assert!(candidates(now()).await.unwrap().is_empty());
    let mut after = next(&order);
    after.status = S::PendingConsultation;
    let mut accepted = change(&after);
    accepted.order.as_mut().unwrap().journal[0].from = Some(201);
    fresh.store.commit(accepted).await.unwrap();
    let mut ended = next(&after);
    ended.status = S::Completed;
    ended.detail.holds_doctor = false;
    ended.detail.started_at = Some(now());
    ended.detail.ended_at = Some(now() + Span::minutes(9));
    ended.detail.rating = Some(Rating {
        stars: 4,
        words: None,
        at: now(),
    });
    let mut rated = change(&ended);
    rated.order.as_mut().unwrap().journal[0].reason = "rate".to_owned();
    rated.guards = vec![
        Guard::ReleaseDoctor(doctor.user),
        Guard::ReleaseDoctor(doctor.user),
    ];
    fresh.store.commit(rated).await.unwrap();
    let kept = fresh.store.doctor(doctor.user).await.unwrap().unwrap();
    assert_eq!(
        (
            kept.active,
            kept.accepted,
            kept.offered,
            kept.stars,
            kept.ratings
        ),
        (0, 100, 100, 4, 1)
    );
    assert_eq!(kept.last_order_at, Some(now()));
    let month = candidates(now() + Span::hours(24 * 30)).await.unwrap();
    assert!(
        month[0].knows_patient && (45..55).contains(&month[0].offered),
        "{month:?}"
    );
    assert_eq!(
        candidates(now() + Span::hours(24 * 30)).await.unwrap(),
        month
    );
    assert_eq!(
        fresh.store.last_durations(doctor.user, 5).await.unwrap(),
        [Span::minutes(9)]
    );
    fresh.store.upsert_doctor(&doctor).await.unwrap();
    assert_eq!(
        fresh
            .store
            .doctor(doctor.user)
            .await
            .unwrap()
            .unwrap()
            .ratings,
        1
    );
}

async fn presence_reaches_doctors(fresh: &Fresh) {
    let doctor = doctor(fresh, 1).await;
    let row = PresenceRow {
        user: doctor.user,
        online: false,
        since: now(),
        until: Some(now() + Span::hours(1)),
    };
    fresh
        .store
        .commit(Changes {
            presence: Some(row.clone()),
            ..Changes::default()
        })
        .await
        .unwrap();
    assert_eq!(fresh.store.presence(doctor.user).await.unwrap(), Some(row));
    let all = Page { page: 1, limit: 10 };
    let (online, total) = fresh
        .store
        .list_doctors(Some(doctor.department), Some(true), all)
        .await
        .unwrap();
    assert!(online.is_empty() && total == 0);
    let (doctors, total) = fresh.store.list_doctors(None, None, all).await.unwrap();
    assert_eq!((doctors.len(), total, doctors[0].online), (1, 1, false));
    let mut order = new_order();
    order.detail.doctor = Some(doctor.user);
    let guards = vec![Guard::TakeDoctor(doctor.user)];
    let refused = fresh
        .store
        .commit(Changes {
            guards,
            ..change(&order)
        })
        .await;
    assert!(
        matches!(refused, Err(CommitError::GuardRefused(_))),
        "{refused:?}"
    );
}

async fn sessions_move_once(fresh: &Fresh) {
    let (session, slot) = session(fresh, 3).await;
    let open = store::Session {
        version: 2,
        status: SessionStatus::Open,
        opened_at: Some(now()),
        ..session.clone()
    };
    let moved = || Changes {
        session: Some(SessionChange {
            decided_on: 1,
            after: open.clone(),
        }),
        ..Changes::default()
    };
    fresh.store.commit(moved()).await.unwrap();
    assert!(matches!(
        fresh.store.commit(moved()).await,
        Err(CommitError::SessionMoved)
    ));
    assert_eq!(
        fresh.store.session(session.id).await.unwrap(),
        Some((open.clone(), vec![slot.clone()]))
    );
    assert_eq!(
        fresh.store.session_of_slot(slot.id).await.unwrap(),
        Some((open.clone(), vec![slot.clone()]))
    );
    let filter = SessionFilter {
        doctor: Some(session.doctor),
        status: Some(SessionStatus::Open),
        ..SessionFilter::default()
    };
    let listed = fresh
        .store
        .list_sessions(&filter, Page { page: 1, limit: 5 })
        .await
        .unwrap();
    assert_eq!(listed, (vec![(open, vec![slot])], 1));
    assert_eq!(
        fresh
            .store
            .sessions_to_end(session.ends_at, 9)
            .await
            .unwrap(),
        [session.id]
    );
    assert!(
        fresh
            .store
            .sessions_to_end(now(), 9)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn people_sign_in(fresh: &Fresh) {
    let mut row = user(Role::Patient);
    row.login = row.login.to_uppercase();
    fresh.store.insert_user(&row).await.unwrap();
    row.login = row.login.to_lowercase();
    assert_eq!(
        fresh
            .store
            .user_by_login(&row.login.to_uppercase())
            .await
            .unwrap(),
        Some(row.clone())
    );
    let second = store::User {
        id: UserId(id()),
        ..row.clone()
    };
    assert!(matches!(
        fresh.store.insert_user(&second).await,
        Err(PeopleError::LoginTaken(_))
    ));
    fresh
        .store
        .record_sign_in(row.id, 3, Some(now()))
        .await
        .unwrap();
    let kept = fresh.store.user(row.id).await.unwrap().unwrap();
    assert_eq!((kept.failed_sign_ins, kept.locked_until), (3, Some(now())));
}

async fn tokens_rotate_once(fresh: &Fresh) {
    let user = user(Role::Patient);
    fresh.store.insert_user(&user).await.unwrap();
    let family = id();
    let token = |n: u8| RefreshToken {
        hash: [n; 32],
        family,
        user: user.id,
        expires_at: now() + Span::hours(1),
        used_at: None,
        revoked_at: None,
        created_at: now(),
    };
    fresh.store.insert_refresh_token(&token(1)).await.unwrap();
    assert_eq!(
        fresh.store.refresh_token(&[1; 32]).await.unwrap(),
        Some(token(1))
    );
    assert!(
        fresh
            .store
            .rotate_refresh_token(&[1; 32], &token(2), now())
            .await
            .unwrap()
    );
    assert!(
        !fresh
            .store
            .rotate_refresh_token(&[1; 32], &token(3), now())
            .await
            .unwrap()
    );
    assert_eq!(fresh.store.refresh_token(&[3; 32]).await.unwrap(), None);
    fresh.store.revoke_family(family, now()).await.unwrap();
    assert!(
        !fresh
            .store
            .rotate_refresh_token(&[2; 32], &token(4), now())
            .await
            .unwrap()
    );
    assert_eq!(
        fresh
            .store
            .refresh_token(&[2; 32])
            .await
            .unwrap()
            .unwrap()
            .revoked_at,
        Some(now())
    );
}

async fn messages_are_numbered(fresh: &Fresh) {
    let order = new_order();
    fresh.store.commit(change(&order)).await.unwrap();
    let line = |id: Uuid| Message {
        id,
        order: order.id,
        seq: 0,
        sender: order.patient,
        role: Role::Patient,
        body: "您好".to_owned(),
        at: now(),
    };
    let mut tasks = Vec::new();
    for _ in 0..20 {
        let (store, message) = (fresh.store.clone(), line(id()));
        tasks.push(tokio::spawn(async move {
            store.insert_message(&message).await.unwrap().seq
        }));
    }
    let mut places = Vec::new();
    for task in tasks {
        places.push(task.await.unwrap());
    }
    places.sort_unstable();
    assert_eq!(places, (1..=20).collect::<Vec<_>>());
    let again = line(id());
    let first = fresh.store.insert_message(&again).await.unwrap();
    assert_eq!(fresh.store.insert_message(&again).await.unwrap(), first);
    let rest = fresh.store.messages(order.id, Some(18), 100).await.unwrap();
    assert_eq!(
        rest.iter().map(|message| message.seq).collect::<Vec<_>>(),
        [19, 20, 21]
    );
    assert_eq!(
        fresh.store.last_message_at(order.id).await.unwrap(),
        Some(now())
    );
}

async fn settings_have_versions(fresh: &Fresh) {
    let value = |n: i64| serde_json::json!({ "n": n });
    assert_eq!(fresh.store.config("rules").await.unwrap(), None);
    assert_eq!(
        fresh
            .store
            .put_config("rules", value(1), None, now(), 0)
            .await
            .unwrap(),
        1
    );
    assert!(matches!(
        fresh
            .store
            .put_config("rules", value(9), None, now(), 0)
            .await,
        Err(CommitError::Moved)
    ));
    let by = Some(UserId(id()));
    assert_eq!(
        fresh
            .store
            .put_config("rules", value(2), by, now(), 1)
            .await
            .unwrap(),
        2
    );
    let newest = fresh.store.config("rules").await.unwrap().unwrap();
    assert_eq!((newest.version, newest.value, newest.by), (2, value(2), by));
    assert_eq!(
        fresh
            .store
            .config_version("rules", 1)
            .await
            .unwrap()
            .unwrap()
            .value,
        value(1)
    );
}
