//! Creating a consultation: what is asked for is checked, the price is ours.

use crate::engine::Engine;
use crate::error::EngineError;
use crate::execute::{Executed, Origin};
use crate::ids::{IdsAt, new_id};
use domain::consultation::{ConsultationType, Facts, Mode, NewConsultation, Outcome, create};
use domain::order::Actor;
use domain::session::SessionStatus;
use domain::{DepartmentId, Money, OrderId, SessionId, SlotId, UserId};

/// The longest complaint, in characters.
const COMPLAINT_LIMIT: usize = 2_000;

/// A consultation as a patient asks for it.
#[derive(Debug, Clone)]
pub struct Booking {
    /// Who.
    pub patient: UserId,
    /// Dispatched or queued.
    pub mode: Mode,
    /// How patient and doctor talk.
    pub consultation_type: ConsultationType,
    /// Where (dispatch).
    pub department: Option<DepartmentId>,
    /// In the patient's words, 1 to 2,000 characters.
    pub complaint: String,
    /// Which slot (clinic).
    pub slot: Option<SlotId>,
    /// What the patient was shown; compared with our price.
    pub price: Option<Money>,
}

/// What the booked place settles.
struct Place {
    department: DepartmentId,
    price: Money,
    booking: Option<(UserId, SessionId, SlotId, u16)>,
}

impl Engine {
    /// Creates a consultation in 100, with its place in the slot taken (clinic mode).
    pub async fn book(
        &self,
        request: Booking,
        actor: Actor,
        origin: Origin,
    ) -> Result<Executed, EngineError> {
        let complaint = request.complaint.trim();
        if complaint.is_empty() || complaint.chars().count() > COMPLAINT_LIMIT {
            let why = format!("must be 1 to {COMPLAINT_LIMIT} characters");
            return Err(EngineError::Invalid {
                field: "complaint",
                why,
            });
        }
        let place = match request.mode {
            Mode::Dispatch => self.dispatch_place(&request).await?,
            Mode::Clinic => self.clinic_place(&request).await?,
        };
        if request.price.is_some_and(|shown| shown != place.price) {
            let why = format!(
                "the price is {}: look at it again before you book",
                place.price
            );
            return Err(EngineError::Invalid {
                field: "price",
                why,
            });
        }
        let now = self.now();
        let new = NewConsultation {
            id: OrderId(new_id(now)),
            patient: request.patient,
            price: place.price,
            mode: request.mode,
            consultation_type: request.consultation_type,
            department: place.department,
            complaint: complaint.to_owned(),
            booking: place.booking,
        };
        let facts = Facts {
            rules: (*self.inner.settings.current().rules).clone(),
            ..Facts::default()
        };
        let Outcome::Decided(decision) = create(&new, &facts, now, &mut IdsAt(now))? else {
            return Err(EngineError::Corrupt(
                "a new order changed nothing".to_owned(),
            ));
        };
        let order = self
            .commit(None, *decision, actor, &origin, None, now)
            .await?;
        Ok(Executed {
            order,
            applied: true,
        })
    }

    async fn dispatch_place(&self, request: &Booking) -> Result<Place, EngineError> {
        if request.slot.is_some() {
            let why = "is for mode clinic: leave it out, or choose that mode".to_owned();
            return Err(EngineError::Invalid {
                field: "slotId",
                why,
            });
        }
        let Some(department) = request.department else {
            let why = "is needed in mode dispatch: see GET /departments".to_owned();
            return Err(EngineError::Invalid {
                field: "departmentId",
                why,
            });
        };
        let mut current = self.inner.settings.current();
        if !current.departments.contains(&department) {
            // Perhaps it is new.
            current = self.inner.settings.refresh(&self.inner.store).await?;
        }
        if !current.departments.contains(&department) {
            let why = "is not a department: see GET /departments".to_owned();
            return Err(EngineError::Invalid {
                field: "departmentId",
                why,
            });
        }
        let price = current.prices.of(request.consultation_type);
        Ok(Place {
            department,
            price,
            booking: None,
        })
    }

    async fn clinic_place(&self, request: &Booking) -> Result<Place, EngineError> {
        let invalid = |field, why: &str| EngineError::Invalid {
            field,
            why: why.to_owned(),
        };
        let Some(slot) = request.slot else {
            return Err(invalid(
                "slotId",
                "is needed in mode clinic: see GET /sessions",
            ));
        };
        let found = self.inner.store.session_of_slot(slot).await?;
        let Some((session, slots)) = found else {
            return Err(invalid("slotId", "is not a slot: see GET /sessions"));
        };
        let Some(slot) = slots.into_iter().find(|row| row.id == slot) else {
            return Err(invalid("slotId", "is not a slot: see GET /sessions"));
        };
        let takes = session.status == SessionStatus::Scheduled || session.status.is_open();
        if !takes || slot.ends_at <= self.now() {
            return Err(invalid("slotId", "is over: choose a later one"));
        }
        if request
            .department
            .is_some_and(|asked| asked != session.department)
        {
            return Err(invalid(
                "departmentId",
                "is not the session's: leave it out in mode clinic",
            ));
        }
        if session.consultation_type != request.consultation_type {
            let words = format!("this session is for {}", session.consultation_type.name());
            return Err(invalid("consultationType", &words));
        }
        Ok(Place {
            department: session.department,
            price: session.price,
            booking: Some((session.doctor, session.id, slot.id, slot.index)),
        })
    }
}
