//! Paying: over which gateways, starting, asking again, and money taken at the counter.

mod refunds;
mod webhook;

use crate::AppState;
use crate::envelope::{Context, success};
use crate::error::{ApiError, Code};
use crate::extract::{Asked, Caller, Data, NotNow, Query, id};
use crate::orders::command_kept;
use crate::view::{self, Looking};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::routing::{get, post};
use domain::consultation::{Command, Consultation, Facts, ProvenOutcome};
use domain::lifecycle::{Language, Status};
use domain::order::Role;
use domain::payment::{GatewayName, Method, Payment};
use domain::{Currency, Money, OrderId};
use engine::{Answer, Answered, NotOffered, Offer, PayKind};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer waits for the gateway's code; it can be asked for afterwards.
const GATEWAY_WAIT: Duration = Duration::from_secs(8);

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/orders/{id}/pay", post(pay))
        .route("/payments/intent", post(intent))
        .route("/payments/create-intent", post(intent))
        .route("/payments/confirm", post(confirm))
        .route("/payments/record", post(record))
        .route("/payments/{id}/settle", post(settle))
        .route("/payments/{id}/settle/preview", post(preview_settle))
        .route("/payments/status/{id}", get(status))
        .route("/payments/gateways", get(gateways))
        .merge(refunds::routes())
        .merge(webhook::routes())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pay {
    gateway: GatewayName,
    method: Method,
    payer: Option<String>,
}

async fn pay(
    State(state): State<AppState>,
    Path(order): Path<String>,
    asked: Asked<Pay>,
) -> Result<Data, NotNow> {
    let Pay {
        gateway,
        method,
        payer,
    } = &asked.body;
    let way = (*gateway, *method, payer.clone());
    submit(&state, &asked, id(&order)?, way).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Intent {
    order_id: OrderId,
    gateway: GatewayName,
    method: Method,
    payer: Option<String>,
}

async fn intent(State(state): State<AppState>, asked: Asked<Intent>) -> Result<Data, NotNow> {
    let Intent {
        order_id,
        gateway,
        method,
        payer,
    } = &asked.body;
    let way = (*gateway, *method, payer.clone());
    submit(&state, &asked, *order_id, way).await
}

async fn submit<T>(
    state: &AppState,
    asked: &Asked<T>,
    order: OrderId,
    (gateway, method, payer): (GatewayName, Method, Option<String>),
) -> Result<Data, NotNow> {
    let currency = state
        .visible_to_act(order, asked.caller)
        .await?
        .price
        .currency;
    let payer = match payer {
        Some(payer) => Some(payer),
        // The account may know who they are inside WeChat.
        None if gateway == GatewayName::WECHAT => {
            let user = state.engine.store().user(asked.caller.user).await?;
            user.and_then(|user| user.openid)
        }
        None => None,
    };
    let (gateways, now) = (state.engine.gateways(), state.engine.now());
    gateways
        .may_pay(gateway, method, currency, payer.as_deref(), now)
        .map_err(|why| not_offered(state, &why, currency))?;
    let what = Command::SubmitPayment {
        gateway,
        method,
        payer,
        client_ip: asked.client_ip.clone(),
    };
    let executed = command_kept(state, asked, order, what, kept_payment).await?;
    let Some(payment) = executed.order.payments.last().map(|payment| payment.id) else {
        return Err(ApiError::from(Code::Internal).into());
    };
    let started = state
        .engine
        .await_payment_started(order, payment, GATEWAY_WAIT)
        .await;
    let order = started.map_err(ApiError::from)?;
    let language = asked.context.language;
    let view = state.order_view(&order, asked.caller, language).await?;
    let payment = order
        .payment(payment)
        .map(|payment| with_page(state, &order, payment, language));
    Ok(json!({ "order": view, "payment": payment }).into())
}

/// A payment with the address of the page on which it is paid.
fn with_page(
    state: &AppState,
    order: &Consultation,
    payment: &Payment,
    language: Language,
) -> Value {
    let link = state
        .engine
        .pay_link(order.id, payment.id, payment.expires_at);
    let mut view = view::payment(payment, language);
    view["page"] = json!(link.path());
    view
}

/// Why a payment can't go that way, with the ways that it can (spec 20: the gateways that still
/// work).
fn not_offered(state: &AppState, why: &NotOffered, currency: Currency) -> ApiError {
    let offers = state
        .engine
        .gateways()
        .offers(Some(currency), None, state.engine.now());
    let works: Vec<String> = offers
        .iter()
        .filter(|offer| offer.not.is_none())
        .map(|offer| offer.gateway.to_string())
        .collect();
    let instead = if works.is_empty() {
        "none works at the moment".to_owned()
    } else {
        format!("these work: {}", works.join(", "))
    };
    let error = match why {
        NotOffered::Payer { what, .. } => {
            return ApiError::field("payer", format!("{why}: send it as `payer` (its {what})"));
        }
        NotOffered::Method { .. } => return ApiError::field("method", why.to_string()),
        NotOffered::Unknown { .. } => {
            return ApiError::field("gateway", format!("{why}; {instead}"));
        }
        NotOffered::Off { .. }
        | NotOffered::Currency { .. }
        | NotOffered::Country { .. }
        | NotOffered::Resting { .. }
        | NotOffered::Counter { .. } => ApiError::from(Code::ExternalServiceError),
    };
    error
        .saying(format!("{why}; {instead}"))
        .in_chinese(Some(in_chinese(why, &works)))
        .with(json!({ "gateways": works }))
}

fn in_chinese(why: &NotOffered, works: &[String]) -> String {
    let instead = if works.is_empty() {
        "目前没有可用的支付渠道".to_owned()
    } else {
        format!("可用：{}", works.join("、"))
    };
    let why = match why {
        NotOffered::Off { gateway } => format!("支付渠道 {gateway} 未开通（未配置密钥）"),
        NotOffered::Unknown { gateway } => format!("没有支付渠道 {gateway}"),
        NotOffered::Currency {
            gateway, currency, ..
        } => format!("支付渠道 {gateway} 不支持 {currency}"),
        NotOffered::Country { gateway, .. } => format!("支付渠道 {gateway} 不在本地区提供"),
        NotOffered::Resting { gateway, .. } => format!("支付渠道 {gateway} 暂时无响应"),
        NotOffered::Method {
            gateway, method, ..
        } => format!("支付渠道 {gateway} 没有支付方式 {method}"),
        NotOffered::Payer { method, what } => format!("支付方式 {method} 需要付款人的 {what}"),
        NotOffered::Counter { gateway } => format!("{gateway} 由运营人员凭证登记"),
    };
    format!("{why}；{instead}")
}

/// The answer that is kept for a payment: the gateway's code is not there yet.
fn kept_payment(looking: Looking) -> Answer {
    Arc::new(move |answered| {
        let value = match answered {
            Answered::Order(order) => {
                let payment = order.payments.last();
                json!({
                    "order": view::order(order, &looking, &Facts::default(), None),
                    "payment": payment.map(|payment| view::payment(payment, looking.language)),
                })
            }
            Answered::Session(..) | Answered::Closing(_) | Answered::Difference(_) => Value::Null,
        };
        (200, success(&value, looking.now))
    })
}

async fn status(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(order): Path<String>,
) -> Result<Data, ApiError> {
    let order = state.visible(id(&order)?, caller).await?;
    Ok(payments_of(&state, &order, context.language))
}

fn payments_of(state: &AppState, order: &Consultation, language: Language) -> Data {
    let payments: Vec<Value> = order
        .payments
        .iter()
        .map(|payment| with_page(state, order, payment, language))
        .collect();
    json!({
        "orderId": order.id, "status": order.status.constant(),
        "statusLabel": order.status.label(language),
        "beingChecked": order.detail.being_checked, "payments": payments,
    })
    .into()
}

/// Every gateway there is: which can be chosen, and why others can't.
async fn gateways(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    uri: Uri,
) -> Result<Data, ApiError> {
    let query = Query::of(&uri, &["orderId", "currency", "country"])?;
    let order = query.get("orderId", "a UUID", |text| text.parse::<OrderId>().ok())?;
    let given = query.get("currency", "CNY or NZD", |text| {
        text.parse::<Currency>().ok()
    })?;
    let currency = match (order, given) {
        (Some(order), None) => Some(state.visible(order, caller).await?.price.currency),
        (None, given) => given,
        (Some(_), Some(_)) => {
            let words = "goes without `orderId`, which has a currency of its own";
            return Err(ApiError::field("currency", words));
        }
    };
    let letters = "two capital letters of ISO 3166, such as CN";
    let country = query.get("country", letters, |text| {
        let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        fits.then(|| text.to_owned())
    })?;
    let offers = state
        .engine
        .gateways()
        .offers(currency, country.as_deref(), state.engine.now());
    let offers: Vec<Value> = offers
        .iter()
        .map(|offer| offered(offer, context.language))
        .collect();
    Ok(json!(offers).into())
}

fn offered(offer: &Offer, language: Language) -> Value {
    let methods: Vec<Value> = offer
        .methods
        .iter()
        .map(|method| {
            json!({
                "name": method.method, "label": said(method.labels, language),
                "kind": method.kind.name(), "payer": method.payer,
            })
        })
        .collect();
    let (zh, en) = (offer.labels.0.as_str(), offer.labels.1.as_str());
    let reason = offer.not.as_ref().map(|why| match language {
        Language::Zh => in_chinese(why, &[]).split('；').next().map(str::to_owned),
        Language::En => Some(why.to_string()),
    });
    json!({
        "name": offer.gateway, "label": said((zh, en), language), "on": offer.not.is_none(),
        "reason": reason.flatten(), "methods": methods, "currencies": offer.currencies,
        "countries": offer.countries,
    })
}

const fn said<'a>((zh, en): (&'a str, &'a str), language: Language) -> &'a str {
    match language {
        Language::Zh => zh,
        Language::En => en,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Confirm {
    order_id: OrderId,
}

/// "I have paid": the gateway is asked now instead of at its next time.
async fn confirm(State(state): State<AppState>, asked: Asked<Confirm>) -> Result<Data, NotNow> {
    let order = asked.body.order_id;
    state.visible(order, asked.caller).await?;
    let request_id = Some(asked.context.request_id.clone());
    let order = state.engine.ask_about_payment(order, request_id).await?;
    Ok(payments_of(&state, &order, asked.context.language))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Record {
    order_id: OrderId,
    method: Method,
    amount: Money,
    proof: String,
}

/// Money that was taken at the counter, or came by transfer.
async fn record(State(state): State<AppState>, asked: Asked<Record>) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let Record {
        order_id,
        method,
        amount,
        proof,
    } = &asked.body;
    let proof = proof.trim().to_owned();
    if proof.is_empty() || proof.chars().count() > 1_000 {
        return Err(ApiError::field("proof", "must have 1 to 1000 characters").into());
    }
    let offers = state
        .engine
        .gateways()
        .offers(None, None, state.engine.now());
    let counter: Vec<Method> = offers
        .iter()
        .flat_map(|offer| &offer.methods)
        .filter(|offered| offered.kind == PayKind::Counter)
        .map(|offered| offered.method)
        .collect();
    if !counter.contains(method) {
        let has: Vec<String> = counter.iter().map(ToString::to_string).collect();
        let words = format!("must be one of: {}", has.join(", "));
        return Err(ApiError::field("method", words).into());
    }
    let what = Command::RecordPayment {
        method: *method,
        amount: *amount,
        proof,
    };
    let executed = crate::orders::command(&state, &asked, *order_id, what).await?;
    crate::orders::viewed(&state, &asked, &executed.order).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Settle {
    order_id: OrderId,
    outcome: SettledAs,
    amount: Option<Money>,
    transaction_id: Option<String>,
    proof: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum SettledAs {
    Paid,
    Unpaid,
}

/// An operator says how a payment of unknown outcome ended, with evidence.
async fn settle(
    State(state): State<AppState>,
    Path(payment): Path<String>,
    asked: Asked<Settle>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let what = settled(&payment, &asked.body)?;
    let executed = crate::orders::command(&state, &asked, asked.body.order_id, what).await?;
    crate::orders::viewed(&state, &asked, &executed.order).await
}

/// What that would do, without doing it.
async fn preview_settle(
    State(state): State<AppState>,
    Path(payment): Path<String>,
    asked: Asked<Settle>,
) -> Result<Data, NotNow> {
    asked.caller.must_be(&[Role::Operator, Role::Admin])?;
    let what = settled(&payment, &asked.body)?;
    let (order, actor) = (asked.body.order_id, asked.caller.actor());
    let preview = state.engine.preview(order, &what, actor).await?;
    Ok(crate::preview::view(&preview, asked.context.language).into())
}

fn settled(payment: &str, body: &Settle) -> Result<Command, ApiError> {
    let proof = body.proof.trim().to_owned();
    if proof.is_empty() || proof.chars().count() > 1_000 {
        return Err(ApiError::field("proof", "must have 1 to 1000 characters"));
    }
    let number = body.transaction_id.as_deref().map(str::trim);
    let outcome = match (body.outcome, body.amount, number) {
        (SettledAs::Unpaid, None, None) => ProvenOutcome::Unpaid,
        (SettledAs::Unpaid, Some(_), _) => {
            return Err(ApiError::field("amount", "goes with outcome `paid` only"));
        }
        (SettledAs::Unpaid, None, Some(_)) => {
            let words = "goes with outcome `paid` only";
            return Err(ApiError::field("transactionId", words));
        }
        (SettledAs::Paid, None, _) => {
            let words = "is needed: what was really paid";
            return Err(ApiError::field("amount", words));
        }
        (SettledAs::Paid, Some(amount), Some(number))
            if (1..=128).contains(&number.chars().count()) =>
        {
            ProvenOutcome::Paid {
                amount,
                transaction_id: number.to_owned(),
            }
        }
        (SettledAs::Paid, Some(_), _) => {
            let words = "is needed: the gateway's number of the payment, 1 to 128 characters";
            return Err(ApiError::field("transactionId", words));
        }
    };
    Ok(Command::SettlePayment {
        payment: id(payment)?,
        outcome,
        proof,
    })
}
