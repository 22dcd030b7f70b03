//! `/cashier/...`: where a person pays, fails or leaves. Works without JavaScript.

mod page;
mod words;

use crate::Sandbox;
use crate::book::Payment;
use crate::control::ControlError;
use crate::control::views::{PayRequest, PaymentState};
use crate::counterparty::Choice;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use page::{Page, Said};
use words::{Words, words_for};

/// Nothing from elsewhere, and no script at all.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'";

/// The path of a payment's cashier. Numbers may hold signs that a path may not.
pub(crate) fn path(out_trade_no: &str) -> String {
    out_trade_no
        .bytes()
        .fold("/cashier/".to_owned(), |mut path, byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                path.push(char::from(byte));
            } else {
                path.push_str(&format!("%{byte:02X}"));
            }
            path
        })
}

/// Sends the payer's browser to a payment's cashier, from the gateway's own path.
pub(crate) fn redirect(out_trade_no: &str) -> Response {
    see_other(&path(out_trade_no))
        .unwrap_or_else(|| (StatusCode::NOT_FOUND, "no such payment\n").into_response())
}

pub(crate) fn router(sandbox: Sandbox) -> Router {
    Router::new()
        .route("/cashier/{out_trade_no}", get(show))
        .route("/cashier/{out_trade_no}/{choice}", post(choose))
        .with_state(sandbox)
}

async fn show(
    State(sandbox): State<Sandbox>,
    Path(out_trade_no): Path<String>,
    headers: HeaderMap,
) -> Response {
    let words = words_for(&headers);
    match sandbox.seen(&out_trade_no) {
        Ok(payment) => answer(&sandbox, words, StatusCode::OK, &payment, None),
        Err(error) => failed(words, &error),
    }
}

async fn choose(
    State(sandbox): State<Sandbox>,
    Path((out_trade_no, choice)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let words = words_for(&headers);
    let choice = match choice.as_str() {
        "pay" => Choice::Pay,
        "fail" => Choice::Fail,
        "leave" => Choice::Leave,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let payment = match sandbox.seen(&out_trade_no) {
        Ok(payment) => payment,
        Err(error) => return failed(words, &error),
    };
    let done = match choice {
        Choice::Pay => sandbox.pay(&out_trade_no, PayRequest::default()).map(drop),
        Choice::Fail => sandbox.fail(&out_trade_no).map(drop),
        Choice::Leave => Ok(()),
    };
    let said = Said::of(choice);
    match done {
        // Somebody was here before: the page says how it stands.
        Err(ControlError::Conflict(_)) => {
            answer(&sandbox, words, StatusCode::CONFLICT, &payment, None)
        }
        Err(error) => failed(words, &error),
        Ok(()) => match way_back(&sandbox, &payment, choice) {
            Ok(Some(back)) => back,
            Ok(None) => answer(&sandbox, words, StatusCode::OK, &payment, Some(said)),
            Err(error) => failed(words, &error),
        },
    }
}

/// To the merchant's page, if there is one that a browser can be sent to, or to a page of the
/// gateway's own that leads there.
fn way_back(
    sandbox: &Sandbox,
    payment: &Payment,
    choice: Choice,
) -> Result<Option<Response>, ControlError> {
    let payment = sandbox
        .payment_at(payment.gateway, &payment.out_trade_no)
        .map_or_else(|| payment.clone(), |(payment, _)| payment);
    let url = sandbox
        .counterparty(payment.gateway)?
        .way_back(sandbox, &payment, choice)?;
    let is_own = |url: &str| url.starts_with('/') && !url.starts_with("//");
    let is_web =
        |url: &String| url.starts_with("https://") || url.starts_with("http://") || is_own(url);
    Ok(url.filter(is_web).and_then(|url| see_other(&url)))
}

/// The cashier as the payment stands, with what the payer has just done.
fn answer(
    sandbox: &Sandbox,
    words: &'static Words,
    status: StatusCode,
    payment: &Payment,
    said: Option<Said>,
) -> Response {
    let look = match sandbox.counterparty(payment.gateway) {
        Ok(counterparty) => counterparty.look(),
        Err(error) => return failed(words, &error.into()),
    };
    let now = sandbox.now();
    let current = sandbox.payment_at(payment.gateway, &payment.out_trade_no);
    let (payment, state) = current.unwrap_or_else(|| (payment.clone(), payment.state));
    let over = now > payment.payable_until && state == PaymentState::NotPay;
    let page = Page {
        words,
        look,
        payment: &payment,
        state,
        over,
        said,
    };
    html(status, page.html())
}

fn failed(words: &'static Words, error: &ControlError) -> Response {
    let (status, text) = match error {
        ControlError::NotFound(_) => (StatusCode::NOT_FOUND, words.no_such_payment),
        ControlError::BadRequest(_) | ControlError::Conflict(_) | ControlError::Sandbox(_) => {
            tracing::error!(%error, "the cashier failed");
            (StatusCode::INTERNAL_SERVER_ERROR, words.out_of_order)
        }
    };
    html(status, page::notice(words, text))
}

fn html(status: StatusCode, page: String) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (status, headers, Html(page)).into_response()
}

fn see_other(url: &str) -> Option<Response> {
    let location = HeaderValue::from_str(url).ok()?;
    Some((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}
