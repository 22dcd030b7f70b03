//! Doctors, people who sign in, what they say to each other, and settings.

// These are tests throughout, also where a helper is not marked as one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod common;

use common::{change, doctor, id, new_order, next, now, user};
use domain::consultation::{
    Consultation, ConsultationStatus as S, ConsultationType, Rating, RoomLine,
};
use domain::order::{Guard, Role};
use domain::{Span, UserId};
use store::testing::Fresh;
use store::{
    Changes, CommitError, LineRow, Message, MessageKind, Page, PeopleError, PresenceRow,
    RefreshToken,
};
use uuid::Uuid;

on_both!(
    doctors_are_taken_and_rated,
    presence_reaches_doctors,
    people_sign_in,
    tokens_rotate_once,
    messages_are_numbered,
    the_system_speaks_among_people,
    settings_have_versions,
);

/// The doctor accepts, and the patient rates what came of it.
async fn end_with_a_rating(fresh: &Fresh, order: &Consultation) {
    let doctor = order.detail.doctor.unwrap();
    let mut after = next(order);
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
        tags: Vec::new(),
        words: None,
        at: now(),
    });
    let mut rated = change(&ended);
    rated.order.as_mut().unwrap().journal[0].reason = "rate".to_owned();
    rated.guards = vec![Guard::ReleaseDoctor(doctor), Guard::ReleaseDoctor(doctor)];
    fresh.store.commit(rated).await.unwrap();
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
    end_with_a_rating(fresh, &order).await;
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
        sender: Some(order.patient),
        role: Role::Patient,
        body: "您好".to_owned(),
        kind: MessageKind::Text,
        file: None,
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

/// People's lines and the system's come at once, from two processes: each has a place of its own.
async fn the_system_speaks_among_people(fresh: &Fresh) {
    let mut order = new_order();
    fresh.store.commit(change(&order)).await.unwrap();
    let mut talking = Vec::new();
    for _ in 0..30 {
        let store = fresh.store.clone();
        let line = Message {
            id: id(),
            order: order.id,
            seq: 0,
            sender: Some(order.patient),
            role: Role::Patient,
            body: "在吗".to_owned(),
            kind: MessageKind::Text,
            file: None,
            at: now(),
        };
        talking.push(tokio::spawn(async move {
            store.insert_message(&line).await.unwrap()
        }));
    }
    let spoken = [RoomLine::Opened, RoomLine::Started, RoomLine::Ended];
    for line in spoken {
        order = next(&order);
        let mut changes = change(&order);
        let row = LineRow { id: id(), line };
        changes.order.as_mut().unwrap().lines = vec![row, LineRow { id: id(), ..row }];
        fresh.store.commit(changes).await.unwrap();
    }
    for one in talking {
        one.await.unwrap();
    }
    let lines = fresh.store.messages(order.id, None, 100).await.unwrap();
    let places: Vec<i64> = lines.iter().map(|line| line.seq).collect();
    assert_eq!(places, (1..=36).collect::<Vec<_>>());
    let system: Vec<_> = lines
        .iter()
        .filter(|line| line.kind == MessageKind::System)
        .map(|line| (line.sender, line.role, line.body.as_str()))
        .collect();
    let expected: Vec<_> = spoken
        .iter()
        .flat_map(|line| [(None, Role::System, line.name()); 2])
        .collect();
    assert_eq!(system, expected);
    let last = fresh.store.last_message_at(order.id).await.unwrap();
    assert_eq!(
        last,
        Some(now()),
        "the system's own words are no interaction"
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
