//! The page on which a payment is paid (spec 20): good for whoever has its signed link, on any
//! device, without a sign-in.

mod address;
mod asking;
mod page;
mod qr;
mod standing;
mod view;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use asking::Asking;

use crate::Portal;
use crate::frame::Frame;
use crate::headers::RequestId;
use crate::notice::Notice;
use address::Asked;
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::consultation::Consultation;
use domain::lifecycle::Status;
use domain::payment::Payment;
use engine::{PayKind, PayLinkError};
use serde_json::json;
use view::{Names, Told, View};

/// The addresses below `/pay`.
pub fn routes() -> Router<Portal> {
    Router::new()
        // UnionPay sends the payer back by a form, everybody else by an address.
        .route("/{order}/{payment}", get(show).post(confirm))
        .route("/{order}/{payment}/confirm", post(confirm))
        .route("/{order}/{payment}/state", get(state))
        .fallback(async |asked: Asked, State(portal): State<Portal>| {
            Notice::NotFound.page(&asked.frame(&portal.config))
        })
        .method_not_allowed_fallback(async |asked: Asked, State(portal): State<Portal>| {
            let page = Notice::NotFound.page(&asked.frame(&portal.config));
            (StatusCode::METHOD_NOT_ALLOWED, page)
        })
}

/// A payment that somebody with a good link looks at.
struct Looked {
    order: Consultation,
    payment: Payment,
    frame: Frame,
}

/// The payment that a link leads to, or the page that says why there is none.
async fn look(portal: &Portal, asked: &Asked) -> Result<Looked, Box<Response>> {
    let nowhere = || Box::new(Notice::NotFound.page(&asked.frame(&portal.config)));
    let link = asked.link.as_ref().ok_or_else(nowhere)?;
    let frame = asked.frame_of_link(&portal.config);
    match portal.engine.check_pay_link(link) {
        Ok(()) => {}
        Err(PayLinkError::Forged) => return Err(nowhere()),
        Err(PayLinkError::Expired) => return Err(Box::new(Notice::Expired.page(&frame))),
    }
    let order = portal.engine.store().load(link.order).await;
    let order = order.map_err(|error| {
        tracing::error!(order = %link.order, %error, "an order can't be read for its payment page");
        Box::new(Notice::Trouble.page(&frame))
    })?;
    let order = order.ok_or_else(nowhere)?;
    let payment = order.payment(link.payment).cloned();
    let payment = payment.ok_or_else(nowhere)?;
    Ok(Looked {
        order,
        payment,
        frame,
    })
}

async fn show(
    State(portal): State<Portal>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    asked: Asked,
) -> Response {
    let looked = match look(&portal, &asked).await {
        Ok(looked) => looked,
        Err(page) => return *page,
    };
    let Looked {
        order,
        payment,
        frame,
    } = looked;
    // Gateways send the payer back with words of their own behind the link. They prove nothing, but
    // they say that it is time to ask.
    if asked.came_back {
        asking::ask(&portal, &order, &payment, request_id).await;
        return see_other(&asked.after_asking());
    }
    let names = names(&portal, &payment);
    let told = Told {
        order: &order,
        payment: &payment,
        names,
        now: portal.engine.now(),
        zone: &portal.config.zone,
        sandbox_url: portal.config.sandbox_url.as_deref(),
        asked_just_now: asked.asked_just_now,
    };
    page::send(&frame, &asked, &View::of(&told, frame.language))
}

/// "I have paid": the gateway is asked now instead of at its next time.
async fn confirm(
    State(portal): State<Portal>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    asked: Asked,
) -> Response {
    match look(&portal, &asked).await {
        Ok(Looked { order, payment, .. }) => {
            asking::ask(&portal, &order, &payment, request_id).await;
            see_other(&asked.after_asking())
        }
        Err(page) => *page,
    }
}

/// How the payment stands, for the script that watches it.
async fn state(State(portal): State<Portal>, asked: Asked) -> Response {
    match look(&portal, &asked).await {
        Ok(looked) => {
            let Looked {
                order,
                payment,
                frame,
            } = looked;
            let watched = standing::Watched::of(&order, &payment, portal.engine.now());
            let names = names(&portal, &payment);
            let label = view::heading(&payment, watched.standing, &names, frame.language);
            let state = json!({
                "status": payment.status.constant(),
                "label": label, "final": watched.again_seconds.is_none(),
                "seen": watched.seen, "againSeconds": watched.again_seconds,
                "leftSeconds": watched.left_seconds,
            });
            ([(header::CACHE_CONTROL, "no-store")], Json(state)).into_response()
        }
        // The script looks at the status alone.
        Err(page) => page.status().into_response(),
    }
}

fn see_other(path: &str) -> Response {
    let headers = [
        (header::LOCATION, path),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// What the payment's gateway and method are called. A gateway that was switched off since is
/// called by its name in the API.
fn names(portal: &Portal, payment: &Payment) -> Names {
    let gateways = portal.engine.gateways();
    let labels = |(zh, en): (&str, &str)| (zh.to_owned(), en.to_owned());
    let offers = gateways.offers(None, None, portal.engine.now());
    let mut methods = offers
        .iter()
        .filter(|offer| offer.gateway == payment.gateway)
        .flat_map(|offer| &offer.methods);
    let method = methods.find(|offered| offered.method == payment.method);
    let gateway = gateways.labels(payment.gateway).map(labels);
    let raw = |name: String| (name.clone(), name);
    Names {
        gateway: gateway.unwrap_or_else(|| raw(payment.gateway.to_string())),
        method: method.map_or_else(
            || raw(payment.method.to_string()),
            |offered| labels(offered.labels),
        ),
        at_counter: method.is_some_and(|offered| offered.kind == PayKind::Counter),
    }
}
