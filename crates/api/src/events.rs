//! An order, live: server-sent events.

use crate::AppState;
use crate::envelope::Context;
use crate::error::ApiError;
use crate::extract::{Caller, id};
use axum::Router;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use domain::OrderId;
use domain::consultation::{Consultation, ConsultationStatus};
use domain::lifecycle::Language;
use domain::order::Role;
use engine::Changed;
use futures::Stream;
use futures::stream;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new().route("/orders/{id}/events", get(events))
}

struct Watching {
    state: AppState,
    order: OrderId,
    caller: Caller,
    language: Language,
    changes: Receiver<Changed>,
    first: bool,
}

async fn events(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(order): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let changes = state.engine.changes();
    let order = state.visible(id(&order)?, caller).await?.id;
    let language = context.language;
    let watching = Watching {
        state,
        order,
        caller,
        language,
        changes,
        first: true,
    };
    let stream = stream::unfold(watching, async |mut watching| {
        let event = watching.next().await?;
        Some((Ok(event), watching))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

impl Watching {
    /// The order at once, and again after each change; nothing more when the server stops.
    async fn next(&mut self) -> Option<Event> {
        if !self.first {
            let stop = self.state.stop.clone();
            tokio::select! {
                () = stop.cancelled() => return None,
                changed = self.changed() => changed?,
            }
        }
        self.first = false;
        let order = self.state.visible(self.order, self.caller).await.ok()?;
        self.is_here(&order).await;
        let view = self
            .state
            .order_view(&order, self.caller, self.language)
            .await
            .ok()?;
        Event::default().event("order").json_data(view).ok()
    }

    /// Whoever has the page open when the session opens or the doctor accepts is there, as is who
    /// opens it later (spec 10, checked in, and status 400).
    async fn is_here(&self, order: &Consultation) {
        use ConsultationStatus::{PendingActivation, PendingConsultation};
        let counts = matches!(order.status, PendingActivation | PendingConsultation);
        if self.caller.role == Role::Patient
            && counts
            && let Err(error) = self.state.engine.patient_seen(order.id).await
        {
            // Watching goes on; the next change says it again.
            tracing::warn!(order = %order.id, %error, "a patient's presence could not be noted");
        }
    }

    async fn changed(&mut self) -> Option<()> {
        loop {
            match self.changes.recv().await {
                Ok(changed) if changed.order == self.order => return Some(()),
                Ok(_) => {}
                // Too slow: some changes were missed, perhaps this order's. Look again.
                Err(RecvError::Lagged(_)) => return Some(()),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
