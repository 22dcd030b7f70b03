//! Refunds, for operations: under review, failed, recorded, sent elsewhere.

use crate::AppState;
use crate::envelope::Context;
use crate::error::{ApiError, Code};
use crate::extract::{Asked, Caller, Data, NotNow, Paged, Query, id};
use crate::orders::{Nothing, command, viewed};
use crate::preview;
use crate::view;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post};
use domain::consultation::{Command, Verdict};
use domain::order::Role;
use domain::{Money, OrderId, RefundId, Share};
use engine::{AbnormalRefund, Origin};
use serde::Deserialize;
use serde_json::json;

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/payments/refunds", get(waiting))
        .route("/payments/refunds/{id}/preview", post(preview_review))
        .route("/payments/refunds/{id}/review", post(review))
        .route("/payments/refunds/{id}/retry", post(retry))
        .route("/payments/refunds/{id}/record", post(record))
        .route("/payments/refunds/{id}/elsewhere", post(elsewhere))
}

async fn waiting(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    uri: Uri,
) -> Result<Data, ApiError> {
    caller.must_be(&[Role::Operator, Role::Admin])?;
    let page = Query::of(&uri, &["page", "limit"])?.page()?;
    let (refunds, total) = state.engine.store().refunds_waiting(page).await?;
    let value = refunds
        .iter()
        .map(|(order, refund)| {
            json!({ "orderId": order, "refund": view::refund(refund, context.language, true) })
        })
        .collect();
    Ok(Data {
        status: StatusCode::OK,
        value,
        page: Some(Paged::new(page, total)),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Review {
    decision: Decision,
    share: Option<Share>,
    amount: Option<Money>,
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Decision {
    ByTable,
    Share,
    Amount,
    Refuse,
}

async fn review(
    State(state): State<AppState>,
    Path(refund): Path<String>,
    asked: Asked<Review>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let (refund, verdict) = (id(&refund)?, verdict(&asked.body)?);
    of_refund(
        &state,
        &asked,
        refund,
        Command::ReviewRefund { refund, verdict },
    )
    .await
}

/// What a review would do, without doing it.
async fn preview_review(
    State(state): State<AppState>,
    Path(refund): Path<String>,
    asked: Asked<Review>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let (refund, verdict) = (id(&refund)?, verdict(&asked.body)?);
    let command = Command::ReviewRefund { refund, verdict };
    let order = order_of(&state, refund).await?;
    let actor = asked.caller.actor();
    let preview = state.engine.preview(order, &command, actor).await?;
    Ok(preview::view(&preview, asked.context.language).into())
}

fn verdict(body: &Review) -> Result<Verdict, ApiError> {
    let reason = body
        .reason
        .clone()
        .filter(|reason| !reason.trim().is_empty());
    let because = || {
        reason
            .clone()
            .ok_or_else(|| ApiError::field("reason", "is needed, for the patient to read"))
    };
    match (body.decision, body.share, body.amount) {
        (Decision::ByTable, None, None) => Ok(Verdict::ByTable),
        (Decision::Refuse, None, None) => Ok(Verdict::Refuse(because()?)),
        (Decision::Share, Some(share), None) => Ok(Verdict::Share(share, because()?)),
        (Decision::Amount, None, Some(amount)) => Ok(Verdict::Amount(amount, because()?)),
        (Decision::Share, None, _) => Err(ApiError::field("share", "is needed: 0 to 100 percent")),
        (Decision::Amount, _, None) => Err(ApiError::field(
            "amount",
            "is needed: at most what was paid",
        )),
        (_, Some(_), _) => Err(ApiError::field("share", "goes with decision `share` only")),
        (_, _, Some(_)) => Err(ApiError::field(
            "amount",
            "goes with decision `amount` only",
        )),
    }
}

async fn retry(
    State(state): State<AppState>,
    Path(refund): Path<String>,
    asked: Asked<Nothing>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let refund: RefundId = id(&refund)?;
    of_refund(&state, &asked, refund, Command::RetryRefund { refund }).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    proof: String,
}

async fn record(
    State(state): State<AppState>,
    Path(refund): Path<String>,
    asked: Asked<Proof>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let proof = asked.body.proof.trim().to_owned();
    if proof.is_empty() || proof.chars().count() > 1_000 {
        return Err(ApiError::field("proof", "must have 1 to 1000 characters").into());
    }
    let refund: RefundId = id(&refund)?;
    of_refund(
        &state,
        &asked,
        refund,
        Command::RecordRefund { refund, proof },
    )
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Elsewhere {
    /// To another card of the payer's; without it, to the merchant's own account.
    card: Option<Card>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    bank: String,
    account: String,
    name: String,
}

/// The payer's card is dead: the gateway sends the money elsewhere.
async fn elsewhere(
    State(state): State<AppState>,
    Path(refund): Path<String>,
    asked: Asked<Elsewhere>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let refund: RefundId = id(&refund)?;
    let to = match &asked.body.card {
        None => AbnormalRefund::MerchantBankCard,
        Some(Card {
            bank,
            account,
            name,
        }) => {
            let digits = account.bytes().all(|byte| byte.is_ascii_digit());
            if !(8..=32).contains(&account.len()) || !digits {
                return Err(ApiError::field("card.account", "must be 8 to 32 digits").into());
            }
            for (field, value) in [("card.bank", bank), ("card.name", name)] {
                if !(1..=64).contains(&value.trim().chars().count()) {
                    return Err(ApiError::field(field, "must have 1 to 64 characters").into());
                }
            }
            AbnormalRefund::UserBankCard {
                bank: bank.trim().to_owned(),
                account: account.clone(),
                name: name.trim().to_owned(),
            }
        }
    };
    let order = order_of(&state, refund).await?;
    let actor = asked.caller.actor();
    let origin = Origin {
        request_id: Some(asked.context.request_id.clone()),
        idempotency: None,
    };
    let order = state
        .engine
        .refund_elsewhere(order, refund, &to, actor, origin)
        .await?;
    viewed(&state, &asked, &order).await
}

async fn of_refund<T>(
    state: &AppState,
    asked: &Asked<T>,
    refund: RefundId,
    what: Command,
) -> Result<Data, NotNow> {
    let order = order_of(state, refund).await?;
    let executed = command(state, asked, order, what).await?;
    viewed(state, asked, &executed.order).await
}

async fn order_of(state: &AppState, refund: RefundId) -> Result<OrderId, ApiError> {
    let order = state.engine.store().refund_order(refund).await?;
    order.ok_or_else(|| {
        ApiError::from(Code::NotFound)
            .saying("there is no such refund")
            .in_chinese(Some("没有这笔退款"))
    })
}
