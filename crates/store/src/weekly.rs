//! Sessions that come every week.

use crate::committer::sql;
use crate::db::Read;
use crate::row::Row;
use crate::{Store, StoreError};
use domain::consultation::ConsultationType;
use domain::weekly::Weekly;
use domain::{SessionId, Ts, UserId, WeeklyId};
use jiff::civil::Date;

const INSERT: &str = "INSERT INTO weekly_sessions (id, doctor_id, weekday, from_minute, to_minute, slot_minutes, \
     capacity, consultation_type, price_amount, currency, note, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id";
const GOING: &str = "SELECT id, doctor_id, weekday, from_minute, to_minute, slot_minutes, capacity, consultation_type, \
     price_amount, currency, note, created_at, ended_at FROM weekly_sessions WHERE ended_at IS NULL";
const END: &str = "UPDATE weekly_sessions SET ended_at = $3 WHERE id = $1 AND doctor_id = $2 AND ended_at IS NULL RETURNING id";
const DAYS: &str =
    "SELECT day, session_id FROM weekly_published WHERE weekly_id = $1 AND day >= $2 ORDER BY day";

/// The most that are going at a time, in a hospital.
const MOST: u32 = 10_000;

impl Store {
    /// Writes hours that come every week from now on.
    pub async fn insert_weekly(&self, weekly: &Weekly) -> Result<(), StoreError> {
        let values = vec![
            weekly.id.into(),
            weekly.doctor.into(),
            i64::from(weekly.weekday).into(),
            i64::from(weekly.from).into(),
            i64::from(weekly.to).into(),
            i64::from(weekly.slot_minutes).into(),
            i64::from(weekly.capacity).into(),
            weekly.consultation_type.name().into(),
            weekly.price.amount.into(),
            weekly.price.currency.code().into(),
            weekly.note.clone().into(),
            weekly.created_at.into(),
        ];
        self.write(INSERT, values).await.map(drop)
    }

    /// Those that nobody has ended, of one doctor or of all, by day and hour.
    pub async fn weekly(&self, doctor: Option<UserId>) -> Result<Vec<Weekly>, StoreError> {
        let mut text = GOING.to_owned();
        if doctor.is_some() {
            text.push_str(" AND doctor_id = $1");
        }
        text.push_str(&format!(
            " ORDER BY doctor_id, weekday, from_minute LIMIT {MOST}"
        ));
        let values = doctor.into_iter().map(Into::into).collect();
        let rows = self.db().all(Read::List, sql(text), values).await?;
        rows.iter().map(read).collect()
    }

    /// Ends a doctor's weekly hours; false if they are not theirs, or ended before.
    pub async fn end_weekly(
        &self,
        id: WeeklyId,
        doctor: UserId,
        at: Ts,
    ) -> Result<bool, StoreError> {
        let values = vec![id.into(), doctor.into(), at.into()];
        Ok(!self.write(END, values).await?.is_empty())
    }

    /// The days of weekly hours that were published, from a day on, each with its session.
    pub async fn published_days(
        &self,
        id: WeeklyId,
        from: Date,
    ) -> Result<Vec<(String, SessionId)>, StoreError> {
        let values = vec![id.into(), from.to_string().into()];
        let rows = self.db().all(Read::Keyed, DAYS, values).await?;
        let day = |row: &Row| {
            let mut cells = row.cells();
            Ok((cells.text()?, cells.id()?))
        };
        rows.iter().map(day).collect()
    }
}

fn read(row: &Row) -> Result<Weekly, StoreError> {
    let mut cells = row.cells();
    Ok(Weekly {
        id: cells.id()?,
        doctor: cells.id()?,
        weekday: cells.int()?,
        from: cells.int()?,
        to: cells.int()?,
        slot_minutes: cells.int()?,
        capacity: cells.int()?,
        consultation_type: cells.named(ConsultationType::from_name)?,
        price: cells.money()?,
        note: cells.text_or_none()?,
        created_at: cells.at()?,
        ended_at: cells.at_or_none()?,
    })
}
