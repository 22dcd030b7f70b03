//! What a command would do, for a person to read before they do it.

use crate::view;
use domain::consultation::RoomLine;
use domain::lifecycle::Language;
use engine::Preview;
use serde_json::{Value, json};

/// Statuses, money and words of a preview. Where it was done before, nothing would happen.
pub fn view(preview: &Preview, language: Language) -> Value {
    let before = &preview.before;
    let steps = preview
        .decision
        .as_ref()
        .map_or(&[][..], |decision| &decision.steps);
    let after = preview
        .decision
        .as_ref()
        .map_or(before.as_ref(), |decision| &decision.order);
    let path: Vec<Value> = steps
        .iter()
        .filter(|step| step.from != Some(step.to))
        .map(|step| view::status(step.to, language))
        .collect();
    let refunds: Vec<Value> = after
        .refunds
        .iter()
        .filter(|refund| !before.refunds.contains(refund))
        .map(|refund| view::refund(refund, language, true))
        .collect();
    let mut postings = Vec::new();
    for entry in preview
        .decision
        .iter()
        .flat_map(|decision| &decision.entries)
    {
        postings.extend(entry.postings().iter().map(|posting| {
            json!({
                "account": posting.account.to_string(), "amount": posting.amount,
                "currency": posting.currency.code(),
            })
        }));
    }
    let said = steps.iter().filter_map(RoomLine::of);
    json!({
        "orderId": before.id, "version": before.version, "changes": preview.decision.is_some(),
        "from": view::status(before.status, language), "path": path,
        "refunds": refunds, "postings": postings,
        "said": said.map(|line| line.words(language)).collect::<Vec<_>>(),
    })
}
