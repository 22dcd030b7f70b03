//! Which orders belong to something else: a session, a doctor, a department, a refund.

use crate::committer::sql;
use crate::db::Read;
use crate::page::codes;
use crate::row::Row;
use crate::value::Value;
use crate::{QueueEntry, Store, StoreError};
use domain::consultation::ConsultationStatus;
use domain::{DepartmentId, OrderId, RefundId, SessionId, Span, UserId};

const JOINED: &str = "FROM consultations c JOIN orders o ON o.id = c.order_id";
const DEPARTMENTS_WAITING: &str = "SELECT DISTINCT c.department_id \
     FROM orders o JOIN consultations c ON c.order_id = o.id WHERE o.status = 200 ORDER BY c.department_id";
/// A type's name stands in the JSON list of a doctor's types as it is, in quotes.
const WAITING: &str = "SELECT o.id FROM orders o JOIN consultations c ON c.order_id = o.id \
     WHERE o.status = 200 AND c.department_id = $1 AND (EXISTS (SELECT 1 FROM doctors d \
     WHERE d.department_id = $1 AND d.online AND d.active < d.parallel_limit \
     AND CAST(d.types AS TEXT) LIKE '%\"' || c.consultation_type || '\"%' AND NOT EXISTS ( \
     SELECT 1 FROM dispatch_rankings r WHERE r.order_id = o.id AND r.doctor_id = d.user_id)) \
     OR (EXISTS (SELECT 1 FROM dispatch_rankings r WHERE r.order_id = o.id) AND NOT EXISTS ( \
     SELECT 1 FROM doctors d WHERE d.department_id = $1 AND NOT EXISTS ( \
     SELECT 1 FROM dispatch_rankings r WHERE r.order_id = o.id AND r.doctor_id = d.user_id))))";
const QUEUE: &str = "SELECT c.order_id, o.patient_id, c.number, c.queue_rank, o.status_since \
     FROM consultations c JOIN orders o ON o.id = c.order_id \
     WHERE c.session_id = $1 AND o.status = 302 AND c.number IS NOT NULL ORDER BY c.queue_rank, c.number";
const DURATIONS: &str = "SELECT started_at, ended_at FROM consultations \
     WHERE doctor_id = $1 AND started_at IS NOT NULL AND ended_at IS NOT NULL ORDER BY ended_at DESC";

impl Store {
    /// The session's orders in these statuses, by number.
    pub async fn orders_of_session(
        &self,
        session: SessionId,
        statuses: &[ConsultationStatus],
    ) -> Result<Vec<OrderId>, StoreError> {
        let text = format!(
            "SELECT o.id {JOINED} WHERE c.session_id = $1 AND o.status IN ({}) ORDER BY c.number, o.id",
            codes(statuses)
        );
        self.ids(text, vec![session.into()]).await
    }

    /// The doctor's orders in these statuses, oldest first.
    pub async fn orders_of_doctor(
        &self,
        doctor: UserId,
        statuses: &[ConsultationStatus],
    ) -> Result<Vec<OrderId>, StoreError> {
        let text = format!(
            "SELECT o.id {JOINED} WHERE c.doctor_id = $1 AND o.status IN ({}) ORDER BY o.created_at, o.id",
            codes(statuses)
        );
        self.ids(text, vec![doctor.into()]).await
    }

    /// The patient's orders in these statuses, oldest first.
    pub async fn orders_of_patient(
        &self,
        patient: UserId,
        statuses: &[ConsultationStatus],
    ) -> Result<Vec<OrderId>, StoreError> {
        let text = format!(
            "SELECT id FROM orders WHERE patient_id = $1 AND status IN ({}) ORDER BY created_at, id",
            codes(statuses)
        );
        self.ids(text, vec![patient.into()]).await
    }

    /// Orders of a department that wait for a doctor and for which something can be done now, those
    /// that waited longest first: a doctor has room who was not asked, or every doctor was asked.
    /// Orders that can only go on waiting are left out, so that however many there are, they don't
    /// stand before one that could be served.
    pub async fn waiting_for_doctor(
        &self,
        department: DepartmentId,
        limit: u32,
    ) -> Result<Vec<OrderId>, StoreError> {
        let text = format!("{WAITING} ORDER BY c.waiting_since, o.id LIMIT {limit}");
        self.ids(text, vec![department.into()]).await
    }

    /// Departments in which orders wait for a doctor.
    pub async fn departments_waiting(&self) -> Result<Vec<DepartmentId>, StoreError> {
        let rows = self
            .db()
            .all(Read::Keyed, DEPARTMENTS_WAITING, Vec::new())
            .await?;
        rows.iter().map(|row| row.cells().id()).collect()
    }

    /// Who waits in the session's queue, next first.
    pub async fn queue(&self, session: SessionId) -> Result<Vec<QueueEntry>, StoreError> {
        let rows = self
            .db()
            .all(Read::Keyed, QUEUE, vec![session.into()])
            .await?;
        let entry = |row: &Row| {
            let mut cells = row.cells();
            Ok(QueueEntry {
                order: cells.id()?,
                patient: cells.id()?,
                number: cells.int()?,
                rank: cells.int_or_none()?.unwrap_or(i64::MAX),
                since: cells.at()?,
            })
        };
        rows.iter().map(entry).collect()
    }

    /// How long the doctor's last consultations took, newest first.
    pub async fn last_durations(
        &self,
        doctor: UserId,
        limit: u32,
    ) -> Result<Vec<Span>, StoreError> {
        let text = sql(format!("{DURATIONS} LIMIT {limit}"));
        let rows = self
            .db()
            .all(Read::Keyed, text, vec![doctor.into()])
            .await?;
        let duration = |row: &Row| {
            let mut cells = row.cells();
            let started = cells.at()?;
            Ok(cells.at()?.since(started))
        };
        rows.iter().map(duration).collect()
    }

    /// The order that a refund belongs to.
    pub async fn refund_order(&self, refund: RefundId) -> Result<Option<OrderId>, StoreError> {
        let sql = "SELECT order_id FROM refunds WHERE id = $1";
        let row = self.db().one(Read::Keyed, sql, vec![refund.into()]).await?;
        row.map(|row| row.cells().id()).transpose()
    }

    async fn ids(&self, text: String, values: Vec<Value>) -> Result<Vec<OrderId>, StoreError> {
        let rows = self.db().all(Read::Keyed, sql(text), values).await?;
        rows.iter().map(|row| row.cells().id()).collect()
    }
}
