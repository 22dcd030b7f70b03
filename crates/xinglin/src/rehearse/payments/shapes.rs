//! What is put into a bill for each kind of difference, and what must be found then.

use super::course::currency;
use super::lines::Item;
use super::planting::Expected;
use anyhow::Result;
use domain::Currency;
use domain::reconciliation::DifferenceKind as K;
use serde_json::{Value, json};

/// What is put into the bill for a kind, and what must be found then.
pub fn shapes(kind: K, item: &Item) -> Result<(Vec<Value>, Vec<Expected>)> {
    let number = item.number();
    let elsewhere =
        json!({ "kind": "change_transaction_id", "number": number, "to": "99990000111122223333" });
    let twice = json!({ "kind": "duplicate_line", "number": number });
    let one = item.expected(kind);
    let other_currency = match currency(item.gateway) {
        Currency::NZD => "CNY",
        _ => "NZD",
    };
    Ok(match kind {
        K::PaymentMissingThere | K::RefundMissingThere => (
            vec![json!({ "kind": "drop_line", "number": number })],
            vec![one],
        ),
        K::PaymentAmountDiffers | K::RefundAmountDiffers => {
            let amount = item.amount - 1;
            let plant = json!({ "kind": "change_amount", "number": number, "amount": amount });
            (vec![plant], vec![one])
        }
        K::PaymentCurrencyDiffers | K::RefundCurrencyDiffers => {
            let plant =
                json!({ "kind": "change_currency", "number": number, "currency": other_currency });
            (vec![plant], vec![one])
        }
        K::PaymentLineTwice | K::RefundLineTwice => (vec![twice], vec![one]),
        K::PaymentStatusDiffers | K::RefundStatusDiffers => {
            let plant =
                json!({ "kind": "change_status", "number": number, "status": "processing" });
            (vec![plant], vec![one])
        }
        K::PaymentNumbersDiffer | K::RefundNumbersDiffer => (vec![elsewhere], vec![one]),
        K::FeeDiffers => {
            let plant = json!({ "kind": "change_fee", "number": number, "fee": 9_900_000 });
            (vec![plant], vec![one])
        }
        K::PaymentPaidTwice | K::RefundSentTwice => (vec![twice, elsewhere], vec![one]),
        K::PaymentForeign => {
            let plant = json!({ "kind": "change_our_number", "number": number, "to": null });
            let with = vec![("transactionId", json!("99990000111122223333"))];
            let foreign = Expected { with, ..one };
            (vec![plant, elsewhere], vec![foreign, item.missing_there()])
        }
        K::PaymentTimeDiffers | K::RefundTimeDiffers => {
            let plant = json!({ "kind": "shift_day", "number": number, "later": true });
            let next = Expected {
                day: item.day.tomorrow()?,
                ..one.clone()
            };
            (vec![plant], vec![one, next])
        }
        K::UnknownLine => {
            let plants = [("change_our_number", 130), ("change_transaction_id", 150)];
            let plants = plants.map(
                |(kind, long)| json!({ "kind": kind, "number": number, "to": "9".repeat(long) }),
            );
            let there = json!({ "amount": item.amount, "currency": currency(item.gateway) });
            let with = vec![("there", there)];
            let unknown = Expected { with, ..one };
            (plants.to_vec(), vec![unknown, item.missing_there()])
        }
        K::RefundForeign => {
            let plant = json!({ "kind": "foreign_refund", "amount": 56, "of": item.payment });
            (vec![plant], vec![one])
        }
        K::RefundMissingHere => {
            let to = format!("RFx{}", &number[number.len().saturating_sub(20)..]);
            let plant = json!({ "kind": "change_our_number", "number": number, "to": to });
            let with = vec![("outRefundNo", json!(to))];
            let strange = Expected { with, ..one };
            (vec![plant, elsewhere], vec![strange, item.missing_there()])
        }
        other => anyhow::bail!("{} is not planted in a line", other.constant()),
    })
}
