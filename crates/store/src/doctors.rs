//! Departments, doctors, and who is there.

use crate::committer::sql;
use crate::db::Read;
use crate::orders::encode::json;
use crate::page::{Conditions, count};
use crate::row::Row;
use crate::{Department, Doctor, Page, PresenceRow, Store, StoreError};
use domain::consultation::ConsultationType;
use domain::consultation::matching::Candidate;
use domain::{DepartmentId, Span, Ts, UserId};
use std::collections::{BTreeSet, HashMap};

const UPSERT_DEPARTMENT: &str = "INSERT INTO departments (id, code, name_zh, name_en) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET code = excluded.code, \
     name_zh = excluded.name_zh, name_en = excluded.name_en";
const DEPARTMENTS: &str = "SELECT id, code, name_zh, name_en FROM departments ORDER BY code";
/// What a doctor's record counts is never written by a change of the profile.
const UPSERT_DOCTOR: &str = "INSERT INTO doctors (user_id, department_id, name, title, specialities, types, \
     parallel_limit, active, online, accepted, offered, decayed_at, stars, ratings, last_order_at, \
     price_amount, currency) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
     ON CONFLICT (user_id) DO UPDATE SET department_id = excluded.department_id, name = excluded.name, \
     title = excluded.title, specialities = excluded.specialities, types = excluded.types, \
     parallel_limit = excluded.parallel_limit, price_amount = excluded.price_amount, \
     currency = excluded.currency";
const DOCTOR: &str = "SELECT d.user_id, d.department_id, d.name, d.title, d.specialities, d.types, \
     d.parallel_limit, d.active, d.online, d.accepted, d.offered, d.decayed_at, d.stars, d.ratings, \
     d.last_order_at, d.price_amount, d.currency";
const CANDIDATES: &str = "EXISTS (SELECT 1 FROM consultations c JOIN orders o ON o.id = c.order_id \
     WHERE o.patient_id = $2 AND o.status = 900 AND c.doctor_id = d.user_id) FROM doctors d \
     WHERE d.department_id = $1 AND d.online AND d.active < d.parallel_limit ORDER BY d.user_id LIMIT 1000";
const DECAY: &str = "UPDATE doctors SET accepted = accepted - $2, offered = offered - $3, decayed_at = $4 \
     WHERE user_id = $1 AND decayed_at = $5 AND accepted >= $2 AND offered >= $3";
const RUN_OUT: &str = "SELECT user_id FROM presence WHERE online AND until <= $1 ORDER BY until";
const PRESENCE: &str = "SELECT user_id, online, since, until FROM presence WHERE user_id = $1";

/// How many names are looked up by one statement.
const NAMES_AT_ONCE: usize = 200;

/// What is left of a record after a day, in thousandths: half of it after a month.
const LEFT_AFTER_A_DAY: u64 = 977;

impl Store {
    /// Writes down a department, new or changed.
    pub async fn upsert_department(&self, department: &Department) -> Result<(), StoreError> {
        let values = vec![
            department.id.into(),
            (&department.code).into(),
            (&department.name_zh).into(),
            (&department.name_en).into(),
        ];
        self.write(UPSERT_DEPARTMENT, values).await.map(drop)
    }

    /// All departments, by code.
    pub async fn departments(&self) -> Result<Vec<Department>, StoreError> {
        let rows = self.db().all(Read::List, DEPARTMENTS, Vec::new()).await?;
        let department = |row: &Row| {
            let mut cells = row.cells();
            Ok(Department {
                id: cells.id()?,
                code: cells.text()?,
                name_zh: cells.text()?,
                name_en: cells.text()?,
            })
        };
        rows.iter().map(department).collect()
    }

    /// Writes down a doctor. Of one who is known, only the profile changes: what the record counts
    /// stays.
    pub async fn upsert_doctor(&self, doctor: &Doctor) -> Result<(), StoreError> {
        let types: Vec<&str> = doctor.types.iter().map(|kind| kind.name()).collect();
        let values = vec![
            doctor.user.into(),
            doctor.department.into(),
            (&doctor.name).into(),
            (&doctor.title).into(),
            json(&doctor.specialities)?,
            json(&types)?,
            doctor.parallel_limit.into(),
            doctor.active.into(),
            doctor.online.into(),
            doctor.accepted.into(),
            doctor.offered.into(),
            doctor.decayed_at.into(),
            doctor.stars.into(),
            doctor.ratings.into(),
            doctor.last_order_at.into(),
            doctor.price.amount.into(),
            doctor.price.currency.code().into(),
        ];
        self.write(UPSERT_DOCTOR, values).await.map(drop)
    }

    /// A doctor.
    pub async fn doctor(&self, id: UserId) -> Result<Option<Doctor>, StoreError> {
        let text = sql(format!("{DOCTOR} FROM doctors d WHERE d.user_id = $1"));
        let row = self.db().one(Read::Keyed, text, vec![id.into()]).await?;
        row.as_ref()
            .map(|row| doctor(row).map(|(doctor, _)| doctor))
            .transpose()
    }

    /// The names of these doctors, of those who are known.
    pub async fn doctor_names(
        &self,
        ids: &BTreeSet<UserId>,
    ) -> Result<HashMap<UserId, String>, StoreError> {
        let mut names = HashMap::with_capacity(ids.len());
        let ids: Vec<UserId> = ids.iter().copied().collect();
        for some in ids.chunks(NAMES_AT_ONCE) {
            let places: Vec<String> = (1..=some.len()).map(|place| format!("${place}")).collect();
            let text = sql(format!(
                "SELECT user_id, name FROM doctors WHERE user_id IN ({})",
                places.join(", ")
            ));
            let values = some.iter().map(|id| (*id).into()).collect();
            for row in &self.db().all(Read::Keyed, text, values).await? {
                let mut cells = row.cells();
                names.insert(cells.id()?, cells.text()?);
            }
        }
        Ok(names)
    }

    /// The doctors of a page, by name, and how many there are in all.
    pub async fn list_doctors(
        &self,
        department: Option<DepartmentId>,
        online: Option<bool>,
        page: Page,
    ) -> Result<(Vec<Doctor>, i64), StoreError> {
        let conditions = Conditions::default()
            .with("d.department_id = {}", department)
            .with("d.online = {}", online);
        let from = format!("FROM doctors d {}", conditions.text());
        let counting = sql(format!("SELECT COUNT(*) {from}"));
        let total = count(
            self.db()
                .one(Read::List, counting, conditions.values.clone())
                .await?
                .as_ref(),
        )?;
        let text = sql(format!(
            "{DOCTOR} {from} ORDER BY d.name, d.user_id {}",
            page.limits()
        ));
        let rows = self.db().all(Read::List, text, conditions.values).await?;
        let doctors = rows.iter().map(|row| doctor(row).map(|(doctor, _)| doctor));
        Ok((doctors.collect::<Result<_, _>>()?, total))
    }

    /// Doctors who may be offered a patient's order: there, of the department, licensed for the
    /// type, with room. Their records are decayed to now on the way.
    pub async fn candidates(
        &self,
        department: DepartmentId,
        kind: ConsultationType,
        patient: UserId,
        now: Ts,
    ) -> Result<Vec<Candidate>, StoreError> {
        let text = sql(format!("{DOCTOR}, {CANDIDATES}"));
        let rows = self
            .db()
            .all(Read::Keyed, text, vec![department.into(), patient.into()])
            .await?;
        let mut candidates = Vec::with_capacity(rows.len());
        for row in &rows {
            let (mut doctor, mut cells) = doctor(row)?;
            let knows_patient = cells.bool()?;
            if !doctor.types.contains(&kind) {
                continue;
            }
            self.decay(&mut doctor, now).await?;
            candidates.push(Candidate {
                doctor: doctor.user,
                specialities: doctor.specialities,
                accepted: doctor.accepted,
                offered: doctor.offered,
                active: u32::try_from(doctor.active).unwrap_or(0),
                limit: u32::try_from(doctor.parallel_limit).unwrap_or(0),
                last_order_at: doctor.last_order_at,
                stars: doctor.stars,
                ratings: doctor.ratings,
                knows_patient,
            });
        }
        Ok(candidates)
    }

    /// Lets a record fade by whole days: at most one write a day and doctor.
    async fn decay(&self, doctor: &mut Doctor, now: Ts) -> Result<(), StoreError> {
        let day = Span::hours(24).as_micros();
        let days = now.since(doctor.decayed_at).as_micros() / day;
        if days == 0 {
            return Ok(());
        }
        let (accepted, offered) = (faded(doctor.accepted, days), faded(doctor.offered, days));
        let until = doctor.decayed_at + Span::micros(days * day);
        let values = vec![
            doctor.user.into(),
            (doctor.accepted - accepted).into(),
            (doctor.offered - offered).into(),
            until.into(),
            doctor.decayed_at.into(),
        ];
        self.write(DECAY, values).await?;
        (doctor.accepted, doctor.offered, doctor.decayed_at) = (accepted, offered, until);
        Ok(())
    }

    /// Whose presence has run out, longest ago first.
    pub async fn presence_run_out(&self, now: Ts, limit: u32) -> Result<Vec<UserId>, StoreError> {
        let text = sql(format!("{RUN_OUT} LIMIT {limit}"));
        let rows = self.db().all(Read::List, text, vec![now.into()]).await?;
        rows.iter().map(|row| row.cells().id()).collect()
    }

    /// Whether somebody is there.
    pub async fn presence(&self, user: UserId) -> Result<Option<PresenceRow>, StoreError> {
        let row = self
            .db()
            .one(Read::Keyed, PRESENCE, vec![user.into()])
            .await?;
        let read = |row: Row| {
            let mut cells = row.cells();
            Ok(PresenceRow {
                user: cells.id()?,
                online: cells.bool()?,
                since: cells.at()?,
                until: cells.at_or_none()?,
            })
        };
        row.map(read).transpose()
    }
}

/// What is left after so many days; nothing is left after a year.
fn faded(count: u32, days: i64) -> u32 {
    if days >= 365 {
        return 0;
    }
    // Counted in millionths on the way, so that small records fade as evenly as large ones.
    let scaled = u64::from(count) * 1_000_000;
    let left = (0..days).fold(scaled, |left, _| left / 1000 * LEFT_AFTER_A_DAY);
    u32::try_from((left + 500_000) / 1_000_000).unwrap_or(count)
}

fn doctor(row: &Row) -> Result<(Doctor, crate::row::Cells<'_>), StoreError> {
    let mut cells = row.cells();
    let doctor = Doctor {
        user: cells.id()?,
        department: cells.id()?,
        name: cells.text()?,
        title: cells.text()?,
        specialities: cells.json()?,
        types: cells.json()?,
        parallel_limit: cells.int()?,
        active: cells.int()?,
        online: cells.bool()?,
        accepted: cells.int()?,
        offered: cells.int()?,
        decayed_at: cells.at()?,
        stars: cells.int()?,
        ratings: cells.int()?,
        last_order_at: cells.at_or_none()?,
        price: cells.money()?,
    };
    Ok((doctor, cells))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_record_is_left_after_a_month() {
        assert_eq!(faded(10_000, 0), 10_000);
        assert!((4_900..5_100).contains(&faded(10_000, 30)));
        assert_eq!(faded(100, 30), 50);
        assert_eq!(faded(10_000, 400), 0);
    }
}
