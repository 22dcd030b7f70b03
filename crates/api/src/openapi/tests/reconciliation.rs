//! What is answered about reconciliation, against its schemas.

use super::house::{House, NOW, id_of};
use super::{document, fits};
use crate::reconciliation::view;
use domain::lifecycle::Language;
use domain::order::Role;
use domain::payment::GatewayName;
use domain::reconciliation::{
    BillLine, BillingDay, Difference, DifferenceKind, DifferenceStatus, LineKind, LineStatus,
    Question, Repair, Run, Sums, reconcile, suspense,
};
use domain::{Currency, Money, Ts};
use engine::reconciliation::{RepairPreview, Said};
use jiff::civil::date;
use serde_json::{Value, json};
use store::{DaySums, DifferenceRow, Reconciliation, ReconciliationStep};
use uuid::Uuid;

const WECHAT: GatewayName = GatewayName::WECHAT;

fn now() -> Ts {
    Ts::parse(NOW).unwrap()
}

fn difference() -> Difference {
    let line = BillLine {
        line: 1,
        kind: LineKind::Payment,
        out_trade_no: Some("X".into()),
        transaction_id: None,
        out_refund_no: None,
        refund_id: None,
        amount: Money::fen(1),
        fee: None,
        status: LineStatus::Succeeded,
        at: now(),
    };
    let day = BillingDay {
        date: date(2026, 3, 1),
        begins: now(),
        ends: now(),
        is_previous_known: true,
        is_next_known: true,
    };
    let found = reconcile(&Question {
        day,
        lines: &[line],
        totals: None,
        payments: &[],
        refunds: &[],
        fee: None,
    });
    found.differences[0].clone()
}

fn row() -> DifferenceRow {
    DifferenceRow {
        id: Uuid::nil().into(),
        version: 1,
        reconciliation: Uuid::nil().into(),
        gateway: WECHAT,
        day: date(2026, 3, 1),
        difference: difference(),
        status: DifferenceStatus::Proposed,
        repair: Some(Repair::RecordSuspense),
        proposed_by: Some(id_of(Role::Operator)),
        approved_by: None,
        reason: None,
        result: None,
        found_at: now(),
        updated_at: now(),
    }
}

#[test]
fn days_and_differences_are_as_documented() {
    let document = serde_json::to_value(document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let fits = |name: &str, value: &Value| fits(schemas, &schemas[name], value, name);
    let day = Reconciliation {
        id: Uuid::nil().into(),
        gateway: WECHAT,
        day: date(2026, 3, 1),
        run: Run::Done,
        runs: 1,
        started_at: now(),
        finished_at: Some(now()),
        retry_at: None,
        error: None,
        bill_sha256: Some([1; 32]),
        bill_lines: 1,
        matched_payments: 0,
        matched_refunds: 0,
        differences: 1,
        unsettled: 1,
        created_at: now(),
        sums: vec![DaySums {
            sums: Sums::zero(Currency::CNY),
            ledger_moved: 0,
        }],
    };
    let step = ReconciliationStep {
        id: Uuid::nil(),
        reconciliation: day.id,
        difference: Some(row().id),
        at: now(),
        step: "found".into(),
        from: None,
        to: Some(DifferenceStatus::Open),
        repair: None,
        note: None,
        actor_role: Role::System,
        actor: None,
        request_id: None,
    };
    let limits = [Money::fen(10_000)];
    for language in [Language::Zh, Language::En] {
        let seen = view::reconciliation(&day, language);
        fits("Reconciliation", &seen);
        let (one, steps) = (
            view::difference(&row(), &limits, language),
            view::step(&step, language),
        );
        fits("Difference", &one);
        fits("ReconciliationStep", &steps);
        let mut detail = seen;
        detail["items"] = json!([one]);
        detail["bills"] = json!([{ "sha256": view::hex(&[1; 32]), "fetchedAt": now() }]);
        detail["steps"] = json!([steps]);
        fits("ReconciliationDetail", &detail);
    }
    let row = row();
    let preview = RepairPreview {
        repair: Repair::RecordSuspense,
        needs_two: false,
        said: Some(Said::NoProof {
            words: "not yet".into(),
        }),
        order: None,
        entry: Some(suspense(WECHAT, &row.difference.gap()).unwrap()),
        row,
    };
    let seen = view::preview(&preview, &limits, Language::En);
    fits("RepairPreview", &seen);
    assert_eq!(seen["postings"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_day_whose_bill_is_not_there_is_as_documented() {
    let house = House::new().await;
    let document = serde_json::to_value(document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let day = json!({ "gateway": "wechat", "day": "2026-03-01" });
    let path = "/admin/reconciliation";
    let found = house.data(Role::Operator, "post", path, Some(&day)).await;
    fits(
        schemas,
        &schemas["Reconciliation"],
        &found,
        "Reconciliation",
    );
    assert_eq!(
        (&found["state"], &found["runs"]),
        (&json!("waiting"), &json!(1))
    );
    let list = house.data(Role::Admin, "get", path, None).await;
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    let detail = format!("{path}/{}", found["id"].as_str().unwrap());
    let detail = house.data(Role::Admin, "get", &detail, None).await;
    let name = "ReconciliationDetail";
    fits(schemas, &schemas[name], &detail, name);
    let open = house
        .data(
            Role::Admin,
            "get",
            "/admin/reconciliation/differences",
            None,
        )
        .await;
    assert_eq!(open, json!([]));
}

#[test]
fn the_document_lists_every_kind() {
    let document = serde_json::to_value(document()).unwrap();
    let listed = document["components"]["schemas"]["DifferenceKind"]["enum"].clone();
    let kinds: Vec<&str> = DifferenceKind::ALL
        .iter()
        .map(|kind| kind.constant())
        .collect();
    assert_eq!(listed, json!(kinds));
}
