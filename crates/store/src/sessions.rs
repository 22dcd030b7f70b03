//! Sessions and their slots.

use crate::committer::{Key, Table, TableRow, Work, idempotency_row, sql};
use crate::db::Read;
use crate::page::{Conditions, count};
use crate::row::{Cells, Row};
use crate::{CommitError, IdempotencyRow, Page, Session, SessionFilter, Slot, Store, StoreError};
use domain::consultation::ConsultationType;
use domain::lifecycle::Status;
use domain::{SessionId, SlotId, Ts, WeeklyId};
use jiff::civil::Date;
use sqlx::SqlStr;
use std::collections::HashMap;
use uuid::Uuid;

const SESSION: &str = "SELECT s.id, s.version, s.doctor_id, s.department_id, s.status, s.begins_at, s.ends_at, \
     s.opened_at, s.ended_at, s.last_number, s.price_amount, s.currency, s.consultation_type, s.note, \
     s.created_at";
const SLOT: &str = "l.id, l.session_id, l.slot_index, l.begins_at, l.ends_at, l.capacity, l.taken";
const WITH_SLOTS: &str = "FROM sessions s LEFT JOIN slots l ON l.session_id = s.id";

const PUBLISHED: &str =
    "INSERT INTO weekly_published (weekly_id, day, session_id) VALUES ($1, $2, $3) RETURNING day";

impl Store {
    /// Publishes a session with its slots. One that comes every week is published once a day: the
    /// database refuses a second one.
    pub async fn insert_session(
        &self,
        session: &Session,
        slots: &[Slot],
        of: Option<(WeeklyId, Date)>,
        idempotency: Option<&IdempotencyRow>,
    ) -> Result<(), CommitError> {
        let published = of.map(|(weekly, day)| {
            let values = vec![weekly.into(), day.to_string().into(), session.id.into()];
            (SqlStr::from_static(PUBLISHED), values)
        });
        let mut work = Work {
            rows: vec![session_row(session)],
            statement: published,
            ..Work::default()
        };
        work.rows.extend(slots.iter().map(slot_row));
        if let Some(row) = idempotency {
            work.keys
                .push(Key::Idempotency(row.user.uuid(), row.key.clone()));
            work.idempotency = Some((row.user.uuid(), row.key.clone()));
            work.rows.push(idempotency_row(row)?);
        }
        self.ask(work).await.map(drop)
    }

    /// A session with its slots, in their order.
    pub async fn session(&self, id: SessionId) -> Result<Option<(Session, Vec<Slot>)>, StoreError> {
        self.one_session("s.id = $1", id.uuid()).await
    }

    /// The session that a slot belongs to, with all its slots.
    pub async fn session_of_slot(
        &self,
        slot: SlotId,
    ) -> Result<Option<(Session, Vec<Slot>)>, StoreError> {
        self.one_session(
            "s.id = (SELECT session_id FROM slots WHERE id = $1)",
            slot.uuid(),
        )
        .await
    }

    async fn one_session(
        &self,
        is: &str,
        id: Uuid,
    ) -> Result<Option<(Session, Vec<Slot>)>, StoreError> {
        let text = sql(format!(
            "{SESSION}, {SLOT} {WITH_SLOTS} WHERE {is} ORDER BY l.slot_index"
        ));
        let rows = self.db().all(Read::Keyed, text, vec![id.into()]).await?;
        let mut found: Option<(Session, Vec<Slot>)> = None;
        for row in &rows {
            let mut cells = row.cells();
            let session = session(&mut cells)?;
            let (_, slots) = found.get_or_insert_with(|| (session, Vec::new()));
            slots.extend(slot(&mut cells)?);
        }
        Ok(found)
    }

    /// The sessions of a page, earliest first, each with its slots, and how many there are in all.
    pub async fn list_sessions(
        &self,
        filter: &SessionFilter,
        page: Page,
    ) -> Result<(Vec<(Session, Vec<Slot>)>, i64), StoreError> {
        let conditions = Conditions::default()
            .with("s.doctor_id = {}", filter.doctor)
            .with("s.department_id = {}", filter.department)
            .with("s.begins_at >= {}", filter.from)
            .with("s.begins_at < {}", filter.to)
            .with_text(
                filter
                    .status
                    .map(|status| format!("s.status = {}", status.code())),
            );
        let from = format!("FROM sessions s {}", conditions.text());
        let counting = sql(format!("SELECT COUNT(*) {from}"));
        let total = count(
            self.db()
                .one(Read::List, counting, conditions.values.clone())
                .await?
                .as_ref(),
        )?;
        let text = sql(format!(
            "{SESSION} {from} ORDER BY s.begins_at, s.id {}",
            page.limits()
        ));
        let rows = self.db().all(Read::List, text, conditions.values).await?;
        let mut sessions = Vec::with_capacity(rows.len());
        for row in &rows {
            sessions.push((session(&mut row.cells())?, Vec::new()));
        }
        self.add_slots(&mut sessions).await?;
        Ok((sessions, total))
    }

    async fn add_slots(&self, sessions: &mut [(Session, Vec<Slot>)]) -> Result<(), StoreError> {
        if sessions.is_empty() {
            return Ok(());
        }
        let places: Vec<String> = (1..=sessions.len())
            .map(|place| format!("${place}"))
            .collect();
        let text = format!(
            "SELECT {SLOT} FROM slots l WHERE l.session_id IN ({}) ORDER BY l.session_id, l.slot_index",
            places.join(", ")
        );
        let values = sessions
            .iter()
            .map(|(session, _)| session.id.into())
            .collect();
        let rows = self.db().all(Read::Keyed, sql(text), values).await?;
        let mut found: HashMap<SessionId, Vec<Slot>> = HashMap::new();
        for row in &rows {
            if let Some(slot) = slot(&mut row.cells())? {
                found.entry(slot.session).or_default().push(slot);
            }
        }
        for (session, slots) in sessions {
            *slots = found.remove(&session.id).unwrap_or_default();
        }
        Ok(())
    }

    /// Sessions that are open or paused and should have ended before a time.
    pub async fn sessions_to_end(
        &self,
        before: Ts,
        limit: u32,
    ) -> Result<Vec<SessionId>, StoreError> {
        let text = sql(format!(
            "SELECT id FROM sessions WHERE status IN (20, 30) AND ends_at <= $1 ORDER BY ends_at LIMIT {limit}"
        ));
        let rows = self
            .db()
            .all(Read::Keyed, text, vec![before.into()])
            .await?;
        rows.iter().map(|row: &Row| row.cells().id()).collect()
    }
}

fn session(cells: &mut Cells<'_>) -> Result<Session, StoreError> {
    Ok(Session {
        id: cells.id()?,
        version: cells.int()?,
        doctor: cells.id()?,
        department: cells.id()?,
        status: cells.status()?,
        begins_at: cells.at()?,
        ends_at: cells.at()?,
        opened_at: cells.at_or_none()?,
        ended_at: cells.at_or_none()?,
        last_number: cells.int()?,
        price: cells.money()?,
        consultation_type: cells.named(ConsultationType::from_name)?,
        note: cells.text_or_none()?,
        created_at: cells.at()?,
    })
}

fn slot(cells: &mut Cells<'_>) -> Result<Option<Slot>, StoreError> {
    let Some(id) = cells.id_or_none()? else {
        return Ok(None);
    };
    Ok(Some(Slot {
        id,
        session: cells.id()?,
        index: cells.int()?,
        begins_at: cells.at()?,
        ends_at: cells.at()?,
        capacity: cells.int()?,
        taken: cells.int()?,
    }))
}

fn session_row(session: &Session) -> TableRow {
    TableRow {
        table: Table::Sessions,
        sort: (session.id.uuid(), 0),
        values: vec![
            session.id.into(),
            session.version.into(),
            session.doctor.into(),
            session.department.into(),
            i32::from(session.status).into(),
            session.begins_at.into(),
            session.ends_at.into(),
            session.opened_at.into(),
            session.ended_at.into(),
            session.last_number.into(),
            session.price.amount.into(),
            session.price.currency.code().into(),
            session.consultation_type.name().into(),
            session.note.clone().into(),
            session.created_at.into(),
        ],
    }
}

fn slot_row(slot: &Slot) -> TableRow {
    TableRow {
        table: Table::Slots,
        sort: (slot.session.uuid(), i64::from(slot.index)),
        values: vec![
            slot.id.into(),
            slot.session.into(),
            slot.index.into(),
            slot.begins_at.into(),
            slot.ends_at.into(),
            slot.capacity.into(),
            slot.taken.into(),
        ],
    }
}
