//! A command's changes as a committer's work. It is done by the caller, so that committers only
//! put together and send.

use super::table::{Table, TableRow};
use super::work::{Demand, Evidence, Key, Work};
use crate::orders::encode;
use crate::value::Value;
use crate::{
    Changes, CommitError, EntryRow, IdempotencyRow, OrderChange, OutboxRow, PresenceRow,
    SessionChange, StoreError, TimerChange,
};
use domain::consultation::ConsultationStatus;
use domain::lifecycle::Status;
use domain::order::Guard;
use domain::{RefundId, Ts, UserId};
use sqlx::SqlStr;
use uuid::Uuid;

const TAKE_PLACE: &str = "UPDATE slots SET taken = taken + 1 WHERE id = $1 AND taken < capacity";
const RELEASE_PLACE: &str = "UPDATE slots SET taken = taken - 1 WHERE id = $1 AND taken > 0";
const TAKE_DOCTOR: &str = "UPDATE doctors SET active = active + 1, offered = offered + 100, \
     last_order_at = COALESCE($2, last_order_at) WHERE user_id = $1 AND online AND active < parallel_limit";
const RELEASE_DOCTOR: &str =
    "UPDATE doctors SET active = active - 1 WHERE user_id = $1 AND active > 0";
const TAKE_NUMBER: &str = "UPDATE sessions SET last_number = $2 \
     WHERE id = $1 AND last_number = $2 - 1 AND status IN (10, 20, 30)";
const ACCEPTED: &str = "UPDATE doctors SET accepted = accepted + 100 WHERE user_id = $1";
const RATED: &str =
    "UPDATE doctors SET stars = stars + $2, ratings = ratings + 1 WHERE user_id = $1";
const MOVE_SESSION: &str = "UPDATE sessions SET version = $3, status = $4, begins_at = $5, ends_at = $6, \
     opened_at = $7, ended_at = $8, price_amount = $9, currency = $10, consultation_type = $11, note = $12 \
     WHERE id = $1 AND version = $2";
const PRESENCE: &str = "INSERT INTO presence (user_id, online, since, until) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (user_id) DO UPDATE SET online = excluded.online, since = excluded.since, until = excluded.until";
const NOT_MOVED: &str = "UPDATE orders SET version = version WHERE id = $1 AND version = $2";
const DOCTOR_ONLINE: &str = "UPDATE doctors SET online = $2 WHERE user_id = $1";

/// In which order demands are made, by table.
const SESSIONS: u8 = 0;
const SLOTS: u8 = 1;
const DOCTORS: u8 = 2;
const PRESENCES: u8 = 3;
const ORDERS: u8 = 4;

/// Timers that are set without a change of the order come after all others of it.
const LAST: i64 = i64::MAX / 2;

/// How many timers one version of an order may set.
const TIMERS_A_VERSION: i64 = 64;

/// The rows, conditions and evidence of a command's changes.
pub(crate) fn prepare(changes: &Changes) -> Result<Work, StoreError> {
    let mut work = Work::default();
    if let Some(change) = &changes.order {
        order(&mut work, change)?;
    }
    if let Some(change) = &changes.timers {
        timers(&mut work, change, changes.order.as_ref());
    }
    for row in &changes.outbox {
        outbox(&mut work, row)?;
    }
    for id in &changes.done {
        work.rows.push(TableRow {
            table: Table::OutboxDone,
            sort: (*id, 0),
            values: vec![(*id).into()],
        });
    }
    for entry in &changes.entries {
        ledger(&mut work, entry);
    }
    let at = changes.order.as_ref().map(|change| change.after.updated_at);
    work.demands
        .extend(changes.guards.iter().map(|guard| demand_of(guard, at)));
    if let Some(row) = &changes.idempotency {
        work.keys
            .push(Key::Idempotency(row.user.uuid(), row.key.clone()));
        work.idempotency = Some((row.user.uuid(), row.key.clone()));
        work.rows.push(idempotency_row(row)?);
    }
    if let Some(change) = &changes.session {
        work.demands.push(session(change));
    }
    if let Some(change) = &changes.difference {
        work.demands
            .extend(crate::reconciliation::demands_of(change));
    }
    if let Some(row) = &changes.presence {
        work.demands.extend(presence(row));
    }
    let shard_of = changes.order.as_ref().map(|change| change.after.id.uuid());
    let shard_of = shard_of.or(changes.timers.as_ref().map(|change| change.order.uuid()));
    // The last byte of an id is chance.
    work.shard = shard_of.map_or(0, |id| id.as_bytes()[15]);
    Ok(work)
}

fn order(work: &mut Work, change: &OrderChange) -> Result<(), StoreError> {
    let after = &change.after;
    if after.version != change.decided_on + 1 {
        return Err(StoreError::Corrupt(format!(
            "order {} was decided on version {} and has version {} after it",
            after.id, change.decided_on, after.version
        )));
    }
    work.order = Some(after.id.uuid());
    work.keys.push(Key::Order(after.id.uuid()));
    work.rows.push(encode::order_row(after)?);
    work.rows.push(encode::consultation_row(after)?);
    for payment in &change.payments {
        let position = position(after.payments.iter().position(|p| p.id == payment.id));
        work.rows
            .push(encode::payment_row(after.id, position, payment)?);
    }
    for refund in &change.refunds {
        let position = position(after.refunds.iter().position(|r| r.id == refund.id));
        work.rows
            .push(encode::refund_row(after.id, position, refund));
    }
    work.rows
        .extend(change.journal.iter().map(encode::journal_row));
    work.rows.extend(
        (1..)
            .zip(&change.lines)
            .map(|(place, row)| encode::line_row(after, place, row)),
    );
    work.rows.push(encode::snapshot_row(after)?);
    if let Some(ranking) = &change.ranking {
        work.rows.push(encode::ranking_row(after, ranking)?);
    }
    work.evidence = change.journal.first().map(|line| Evidence {
        order: line.order.uuid(),
        version: line.version,
        seq: line.seq,
        id: line.id,
    });
    statistics(work, change);
    Ok(())
}

fn position(place: Option<usize>) -> i64 {
    place
        .and_then(|place| i64::try_from(place).ok())
        .unwrap_or(LAST)
}

/// What the doctor's record gains by this change: an offer accepted, a rating.
fn statistics(work: &mut Work, change: &OrderChange) {
    use ConsultationStatus::{PendingAccept, PendingConsultation};
    let Some(doctor) = change.after.detail.doctor else {
        return;
    };
    let accepted = change.journal.iter().any(|line| {
        line.from == Some(PendingAccept.code()) && line.to == PendingConsultation.code()
    });
    if accepted {
        work.demands.push(on_doctor(
            doctor,
            ACCEPTED,
            vec![doctor.into()],
            false,
            None,
        ));
    }
    if let Some(rating) = &change.after.detail.rating
        && change.journal.iter().any(|line| line.reason == "rate")
    {
        let values = vec![doctor.into(), rating.stars.into()];
        work.demands
            .push(on_doctor(doctor, RATED, values, false, None));
    }
}

fn on_doctor(
    doctor: UserId,
    sql: &'static str,
    values: Vec<Value>,
    takes: bool,
    refusal: Option<CommitError>,
) -> Demand {
    Demand {
        sort: (DOCTORS, doctor.uuid(), takes),
        sql: SqlStr::from_static(sql),
        values,
        refusal,
    }
}

fn demand_of(guard: &Guard, at: Option<Ts>) -> Demand {
    let refusal = Some(CommitError::GuardRefused(*guard));
    let on_slot = |id: Uuid, sql, takes, refusal| Demand {
        sort: (SLOTS, id, takes),
        sql: SqlStr::from_static(sql),
        values: vec![id.into()],
        refusal,
    };
    match *guard {
        Guard::TakePlace(slot) => on_slot(slot.uuid(), TAKE_PLACE, true, refusal),
        Guard::ReleasePlace(slot) => on_slot(slot.uuid(), RELEASE_PLACE, false, None),
        Guard::TakeDoctor(doctor) => on_doctor(
            doctor,
            TAKE_DOCTOR,
            vec![doctor.into(), at.into()],
            true,
            refusal,
        ),
        Guard::ReleaseDoctor(doctor) => {
            on_doctor(doctor, RELEASE_DOCTOR, vec![doctor.into()], false, None)
        }
        Guard::TakeNumber(session, number) => Demand {
            sort: (SESSIONS, session.uuid(), true),
            sql: SqlStr::from_static(TAKE_NUMBER),
            values: vec![session.into(), number.into()],
            refusal,
        },
    }
}

fn timers(work: &mut Work, change: &TimerChange, order: Option<&OrderChange>) {
    let id = change.order;
    if !work.keys.contains(&Key::Order(id.uuid())) {
        work.keys.push(Key::Order(id.uuid()));
    }
    if order.is_none() {
        // Another command may have ended the order meanwhile, and its deadlines with it.
        work.demands.push(Demand {
            sort: (ORDERS, id.uuid(), false),
            sql: SqlStr::from_static(NOT_MOVED),
            values: vec![id.into(), change.decided_on.into()],
            refusal: Some(CommitError::Moved),
        });
    }
    let none = RefundId(Uuid::nil());
    for (place, (name, refund)) in (0..).zip(&change.clear) {
        work.rows.push(TableRow {
            table: Table::TimersCleared,
            sort: (id.uuid(), place),
            values: vec![id.into(), name.name().into(), refund.unwrap_or(none).into()],
        });
    }
    for (place, timer) in (0..).zip(&change.set) {
        let listed = order.map(|change| {
            let timers = &change.after.timers;
            let place = timers
                .iter()
                .position(|t| t.name == timer.name && t.refund == timer.refund);
            change.after.version * TIMERS_A_VERSION + position(place) % TIMERS_A_VERSION
        });
        work.rows.push(TableRow {
            table: Table::Timers,
            sort: (id.uuid(), place),
            values: vec![
                id.into(),
                timer.name.name().into(),
                timer.refund.unwrap_or(none).into(),
                listed.unwrap_or(LAST + place).into(),
                timer.due.into(),
                timer.due.into(),
            ],
        });
    }
}

fn outbox(work: &mut Work, row: &OutboxRow) -> Result<(), StoreError> {
    let lease = row.lease.as_ref();
    let wake = lease.map_or(row.due, |lease| lease.until.max(row.due));
    let effect = serde_json::to_value(&row.effect)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let kind = effect
        .get("effect")
        .and_then(|kind| kind.as_str())
        .unwrap_or_default()
        .to_owned();
    work.rows.push(TableRow {
        table: Table::Outbox,
        sort: (row.id, 0),
        values: vec![
            row.id.into(),
            row.order.into(),
            kind.into(),
            encode::json(&effect)?,
            row.due.into(),
            wake.into(),
            row.attempts.into(),
            lease.map(|lease| lease.owner).into(),
            lease.map(|lease| lease.until).into(),
            row.last_error.clone().into(),
            row.request_id.clone().into(),
            row.created_at.into(),
        ],
    });
    Ok(())
}

fn ledger(work: &mut Work, entry: &EntryRow) {
    work.rows.push(TableRow {
        table: Table::Entries,
        sort: (entry.id, 0),
        values: vec![
            entry.id.into(),
            entry.order.into(),
            entry.kind.name().into(),
            entry.at.into(),
        ],
    });
    for (line, posting) in (0_i64..).zip(&entry.postings) {
        let account = posting.account.to_string();
        let currency = posting.currency.code();
        work.rows.push(TableRow {
            table: Table::Postings,
            sort: (entry.id, line),
            values: vec![
                entry.id.into(),
                line.into(),
                (&account).into(),
                posting.amount.into(),
                currency.into(),
            ],
        });
        work.sums.push((account, currency, posting.amount));
    }
}

/// The row of an idempotency key.
pub(crate) fn idempotency_row(row: &IdempotencyRow) -> Result<TableRow, StoreError> {
    Ok(TableRow {
        table: Table::Idempotency,
        sort: (row.user.uuid(), 0),
        values: vec![
            row.user.into(),
            (&row.key).into(),
            row.request_hash.into(),
            row.status.into(),
            encode::json(&row.answer)?,
            row.at.into(),
        ],
    })
}

fn session(change: &SessionChange) -> Demand {
    let after = &change.after;
    Demand {
        sort: (SESSIONS, after.id.uuid(), false),
        sql: SqlStr::from_static(MOVE_SESSION),
        values: vec![
            after.id.into(),
            change.decided_on.into(),
            after.version.into(),
            i32::from(after.status).into(),
            after.begins_at.into(),
            after.ends_at.into(),
            after.opened_at.into(),
            after.ended_at.into(),
            after.price.amount.into(),
            after.price.currency.code().into(),
            after.consultation_type.name().into(),
            after.note.clone().into(),
        ],
        refusal: Some(CommitError::SessionMoved),
    }
}

fn presence(row: &PresenceRow) -> [Demand; 2] {
    let user = row.user;
    let values = vec![
        user.into(),
        row.online.into(),
        row.since.into(),
        row.until.into(),
    ];
    let upsert = Demand {
        sort: (PRESENCES, user.uuid(), false),
        sql: SqlStr::from_static(PRESENCE),
        values,
        refusal: None,
    };
    [
        on_doctor(
            user,
            DOCTOR_ONLINE,
            vec![user.into(), row.online.into()],
            false,
            None,
        ),
        upsert,
    ]
}
