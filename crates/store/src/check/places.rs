//! Places in slots, doctors' hands and queue numbers are counted right.

use super::Check;
use crate::StoreError;
use uuid::Uuid;

const SLOTS: &str = "SELECT s.id, s.taken, s.capacity, COALESCE(c.held, 0) FROM slots s \
     LEFT JOIN (SELECT slot_id, COUNT(*) AS held FROM consultations WHERE holds_place GROUP BY slot_id) c \
     ON c.slot_id = s.id WHERE s.taken <> COALESCE(c.held, 0) OR s.taken > s.capacity \
     ORDER BY s.id LIMIT 1000";
const DOCTORS: &str = "SELECT d.user_id, d.active, d.parallel_limit, COALESCE(c.held, 0) FROM doctors d \
     LEFT JOIN (SELECT doctor_id, COUNT(*) AS held FROM consultations WHERE holds_doctor GROUP BY doctor_id) c \
     ON c.doctor_id = d.user_id WHERE d.active <> COALESCE(c.held, 0) OR d.active > d.parallel_limit \
     ORDER BY d.user_id LIMIT 1000";
const NUMBERS: &str = "SELECT s.id, s.last_number, COALESCE(c.given, 0), COALESCE(c.largest, 0) \
     FROM sessions s LEFT JOIN (SELECT session_id, COUNT(number) AS given, MAX(number) AS largest \
     FROM consultations WHERE session_id IS NOT NULL GROUP BY session_id) c ON c.session_id = s.id \
     WHERE s.last_number <> COALESCE(c.given, 0) OR s.last_number <> COALESCE(c.largest, 0) \
     ORDER BY s.id LIMIT 1000";

pub(super) async fn check(check: &mut Check<'_>) -> Result<(), StoreError> {
    check
        .rule("places in a slot", SLOTS, Vec::new(), |cells| {
            let slot: Uuid = cells.id()?;
            let (taken, capacity, held): (i64, i64, i64) =
                (cells.int()?, cells.int()?, cells.int()?);
            let words = format!("counts {taken} of {capacity} places as taken, orders hold {held}");
            Ok((format!("slot {slot}"), words))
        })
        .await?;
    check
        .rule("consultations in hand", DOCTORS, Vec::new(), |cells| {
            let doctor: Uuid = cells.id()?;
            let (active, limit, held): (i64, i64, i64) = (cells.int()?, cells.int()?, cells.int()?);
            let words =
                format!("counts {active} of {limit} consultations in hand, orders hold {held}");
            Ok((format!("doctor {doctor}"), words))
        })
        .await?;
    check
        .rule("queue numbers", NUMBERS, Vec::new(), |cells| {
            let session: Uuid = cells.id()?;
            let (last, given, largest): (i64, i64, i64) =
                (cells.int()?, cells.int()?, cells.int()?);
            let words =
                format!("the last number is {last}, orders have {given} numbers up to {largest}");
            Ok((format!("session {session}"), words))
        })
        .await
}
