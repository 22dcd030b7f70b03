//! Why doctors were asked: an order's offers with the scores of every candidate, for operations.

use crate::AppState;
use crate::envelope::Context;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Data, id};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use domain::UserId;
use domain::consultation::Assignment;
use domain::consultation::ranking::{Ranked, Ranking};
use domain::lifecycle::Language;
use domain::order::Role;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

type Names = HashMap<UserId, String>;

/// The addresses.
pub fn routes() -> Router<AppState> {
    Router::new().route("/orders/{id}/assignments", get(assignments))
}

async fn assignments(
    State(state): State<AppState>,
    caller: Caller,
    context: Context,
    Path(order): Path<String>,
) -> Result<Data, ApiError> {
    caller.must_be(&[Role::Operator, Role::Admin])?;
    let store = state.engine.store();
    let order = store.load(id(&order)?).await?;
    let order = order.ok_or_else(|| ApiError::from(Code::OrderNotFound))?;
    let rankings: HashMap<usize, Ranking> = store.rankings(order.id).await?.into_iter().collect();
    let offers = &order.detail.assignments;
    let mut people: BTreeSet<UserId> = offers.iter().map(|offer| offer.doctor).collect();
    let candidates = rankings.values().flat_map(|ranking| &ranking.candidates);
    people.extend(candidates.map(|ranked| ranked.candidate.doctor));
    let names = store.doctor_names(&people).await?;
    let offers = (1..).zip(offers).map(|(attempt, offer)| {
        let ranking = rankings.get(&attempt);
        view(attempt, offer, ranking, &names, context.language)
    });
    Ok(Value::Array(offers.collect()).into())
}

/// An offer with why it was made; of one that was made before reasons were kept, only the score.
pub fn view(
    attempt: usize,
    offer: &Assignment,
    ranking: Option<&Ranking>,
    names: &Names,
    language: Language,
) -> Value {
    let kept = ranking.into_iter().flat_map(|ranking| &ranking.candidates);
    let candidates: Vec<Value> = kept.map(|ranked| candidate(ranked, offer, names)).collect();
    json!({
        "attempt": attempt, "doctor": named(offer.doctor, names), "offeredAt": offer.offered_at,
        "end": offer.end.map(|end| end.name()), "endLabel": offer.end.map(|end| end.label(language)),
        "score": offer.score, "complaint": ranking.map(|ranking| &ranking.complaint),
        "weights": ranking.map(|ranking| ranking.weights),
        "candidateCount": ranking.map(|ranking| ranking.count), "candidates": candidates,
    })
}

fn candidate(ranked: &Ranked, offer: &Assignment, names: &Names) -> Value {
    let known = &ranked.candidate;
    json!({
        "doctor": named(known.doctor, names), "chosen": known.doctor == offer.doctor,
        "passedOver": ranked.passed_over, "score": ranked.score,
        "specialities": known.specialities, "accepted": known.accepted, "offered": known.offered,
        "active": known.active, "limit": known.limit, "lastOrderAt": known.last_order_at,
        "stars": known.stars, "ratings": known.ratings, "knowsPatient": known.knows_patient,
    })
}

fn named(doctor: UserId, names: &Names) -> Value {
    json!({ "id": doctor, "name": names.get(&doctor) })
}
