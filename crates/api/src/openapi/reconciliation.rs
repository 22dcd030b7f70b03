//! Reconciliation: what is asked, what is answered, and the operations.
#![allow(
    dead_code,
    reason = "these are shapes for the document; nothing makes one"
)]

use super::requests::Nothing;
use super::schemas::{GatewayName, Instant, Money, Posting, Preview};
use super::{Asks, Gives, PAGE, Row, Who, refer, row};
use crate::error::Code as C;
use domain::lifecycle::Status;
use domain::reconciliation::{
    DifferenceKind as OfKind, DifferenceStatus as OfStatus, ReconciliationState as OfState,
    Repair as OfRepair,
};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::HttpMethod::{Get, Post};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// A closed list of names that the domain's table holds.
macro_rules! listed {
    ($($(#[doc = $doc:literal])* $name:ident: $all:expr;)+) => {$(
        $(#[doc = $doc])*
        pub struct $name;
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let names: Vec<&'static str> = $all;
                let kind = ObjectBuilder::new().schema_type(Type::String);
                Schema::Object(kind.enum_values(Some(names)).build()).into()
            }
        }
        impl ToSchema for $name {}
    )+};
}

listed! {
    /// How far the reconciliation of a day has come.
    ReconciliationState: OfState::ALL.iter().map(|state| state.name()).collect();
    /// What kind of difference it is; `docs/reconciliation.md` says what each means.
    DifferenceKind: OfKind::ALL.iter().map(|kind| kind.constant()).collect();
    /// Where a difference stands.
    DifferenceStatus: OfStatus::ALL.iter().map(|status| status.constant()).collect();
    /// What can be done about a difference.
    Repair: OfRepair::ALL.iter().map(|repair| repair.constant()).collect();
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Warning,
    Critical,
}

/// Who has too little money while a difference stands.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum AtLoss {
    Nobody,
    Payer,
    Hospital,
    Either,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum About {
    Payment,
    Refund,
}

/// A day at a gateway.
#[derive(ToSchema)]
pub struct DayToReconcile {
    gateway: GatewayName,
    #[schema(example = "2026-03-01")]
    day: String,
}

#[derive(ToSchema)]
pub struct RepairToPreview {
    repair: Repair,
}

#[derive(ToSchema)]
pub struct ProposedRepair {
    repair: Repair,
    /// Why; needed where no counterparty proves it. At most 500 characters.
    reason: Option<String>,
}

#[derive(ToSchema)]
pub struct AcceptedDifference {
    /// Why it is accepted; at most 500 characters.
    reason: String,
}

/// A day's money in one currency, in minor units. `gap` is what the bill's net has more than ours,
/// and what the day's differences explain to the last unit.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct DaySums {
    #[schema(example = "CNY")]
    currency: String,
    bill_paid: i64,
    bill_refunded: i64,
    bill_net: i64,
    /// In major units, with five decimals.
    #[schema(example = "0.18000")]
    bill_fee: String,
    our_paid: i64,
    our_refunded: i64,
    our_net: i64,
    gap: i64,
    /// What the gateway's clearing account moved on the day, by the time of posting.
    ledger_moved: i64,
}

/// A day at a gateway, held against our books.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Reconciliation {
    id: Uuid,
    gateway: GatewayName,
    day: String,
    state: ReconciliationState,
    state_label: String,
    runs: u32,
    started_at: Instant,
    finished_at: Option<Instant>,
    /// When the bill is asked for again, while it is waited for.
    retry_at: Option<Instant>,
    error: Option<String>,
    bill_sha256: Option<String>,
    bill_lines: u64,
    matched_payments: u64,
    matched_refunds: u64,
    /// How many differences need or needed somebody.
    differences: u64,
    unsettled: u64,
    sums: Vec<DaySums>,
}

/// A bill that was received.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct KeptBill {
    sha256: String,
    fetched_at: Instant,
}

/// Who decided what and when; it is never changed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ReconciliationStep {
    at: Instant,
    #[schema(example = "propose")]
    step: String,
    from: Option<DifferenceStatus>,
    to: Option<DifferenceStatus>,
    to_label: Option<String>,
    repair: Option<Repair>,
    note: Option<String>,
    actor_role: String,
    actor: Option<Uuid>,
    request_id: Option<String>,
}

/// A day with a page of its differences.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ReconciliationDetail {
    id: Uuid,
    gateway: GatewayName,
    day: String,
    state: ReconciliationState,
    state_label: String,
    runs: u32,
    started_at: Instant,
    finished_at: Option<Instant>,
    retry_at: Option<Instant>,
    error: Option<String>,
    bill_sha256: Option<String>,
    bill_lines: u64,
    matched_payments: u64,
    matched_refunds: u64,
    differences: u64,
    unsettled: u64,
    sums: Vec<DaySums>,
    /// The page of differences, in the order of the bill's lines, then those that the bill has not.
    items: Vec<Difference>,
    bills: Vec<KeptBill>,
    /// The runs, oldest first.
    steps: Vec<ReconciliationStep>,
}

/// What may be proposed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct PossibleRepair {
    repair: Repair,
    label: String,
    needs_reason: bool,
}

/// Something that is not the same on both sides.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Difference {
    id: Uuid,
    reconciliation_id: Uuid,
    gateway: GatewayName,
    day: String,
    kind: DifferenceKind,
    kind_label: String,
    severity: Severity,
    at_loss: AtLoss,
    about: About,
    /// The bill's line, from 1.
    line: Option<u32>,
    out_trade_no: Option<String>,
    transaction_id: Option<String>,
    out_refund_no: Option<String>,
    /// The gateway's number of the refund.
    gateway_refund_id: Option<String>,
    order_id: Option<Uuid>,
    payment_id: Option<Uuid>,
    refund_id: Option<Uuid>,
    /// By our books.
    here: Option<Money>,
    /// By the bill.
    there: Option<Money>,
    /// By how much the bill's net is above ours through this.
    gap: Vec<Money>,
    at: Option<Instant>,
    note: Option<String>,
    status: DifferenceStatus,
    status_label: String,
    /// The first settles it, as a rule.
    repairs: Vec<PossibleRepair>,
    /// Whether a second person has to approve whatever is decided.
    needs_approval: bool,
    repair: Option<Repair>,
    repair_label: Option<String>,
    proposed_by: Option<Uuid>,
    approved_by: Option<Uuid>,
    reason: Option<String>,
    /// What came of the last try to repair it.
    result: Option<String>,
    found_at: Instant,
    updated_at: Instant,
    /// All that happened to it, oldest first; where one is asked for by itself.
    #[schema(required = false)]
    steps: Option<Vec<ReconciliationStep>>,
}

/// What a repair would do. Nothing was changed.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct RepairPreview {
    difference: Difference,
    repair: Repair,
    repair_label: String,
    needs_approval: bool,
    /// The gateway's answer in words, where it was asked.
    gateway_says: Option<String>,
    /// Whether the difference would be settled by it.
    settles: bool,
    /// What the gateway's answer would do to the order.
    order: Option<Preview>,
    /// What would be posted to the suspense account: debits are positive.
    postings: Vec<Posting>,
}

const STAFF: Who = Who::Only("operator, admin");
const OF_DIFFERENCES: [Asks; 2] = [
    ("kind", "Of this kind.", Type::String),
    ("status", "Standing there.", Type::String),
];

pub fn reconciliation() -> Vec<Row> {
    let mut all = days();
    all.extend(differences());
    all.into_iter().map(|row| row.by(STAFF)).collect()
}

fn days() -> Vec<Row> {
    use Gives::{Bare, One, Page, Part};
    vec![
        row(
            Get,
            "/admin/reconciliation",
            ("Days, the newest first", "对账列表"),
            Page(refer::<Reconciliation>),
        )
        .asks(&[
            ("gateway", "At this gateway.", Type::String),
            ("from", "Of this day or later.", Type::String),
            ("to", "Of this day or earlier.", Type::String),
            ("state", "So far.", Type::String),
        ])
        .asks(&PAGE),
        row(
            Post,
            "/admin/reconciliation",
            (
                "Hold a gateway's bill of a day against our books now",
                "立即对某渠道某日的账",
            ),
            One(refer::<Reconciliation>),
        )
        .takes::<DayToReconcile>()
        .fails(&[C::Conflict]),
        row(
            Get,
            "/admin/reconciliation/{id}",
            (
                "A day: its money, and a page of what differs",
                "某日对账详情（分页列出差异）",
            ),
            Part(refer::<ReconciliationDetail>),
        )
        .asks(&OF_DIFFERENCES)
        .asks(&PAGE)
        .fails(&[C::NotFound]),
        row(
            Get,
            "/admin/reconciliation/{id}/bill",
            (
                "The newest bill, as it was received",
                "下载该日账单原始文件",
            ),
            Bare("application/octet-stream", None),
        )
        .fails(&[C::NotFound]),
        row(
            Get,
            "/admin/reconciliation/{id}/differences.csv",
            (
                "What differs on a day, for a spreadsheet",
                "导出该日差异（CSV）",
            ),
            Bare("text/csv", None),
        )
        .fails(&[C::NotFound]),
    ]
}

fn differences() -> Vec<Row> {
    use Gives::{One, Page};
    let decided = |path, words| {
        row(Post, path, words, One(refer::<Difference>)).fails(&[C::NotFound, C::Conflict])
    };
    vec![
        row(
            Get,
            "/admin/reconciliation/differences",
            (
                "Differences of all days and gateways, the newest first",
                "全部差异",
            ),
            Page(refer::<Difference>),
        )
        .asks(&OF_DIFFERENCES)
        .asks(&PAGE),
        row(
            Get,
            "/admin/reconciliation/differences/{id}",
            (
                "A difference, with all that happened to it",
                "差异详情及处理过程",
            ),
            One(refer::<Difference>),
        )
        .fails(&[C::NotFound]),
        row(
            Post,
            "/admin/reconciliation/differences/{id}/preview",
            (
                "What a repair would do, in money and status",
                "预览处理结果",
            ),
            One(refer::<RepairPreview>),
        )
        .takes::<RepairToPreview>()
        .unkeyed()
        .fails(&[C::NotFound, C::InvalidOrderStatus]),
        decided(
            "/admin/reconciliation/differences/{id}/propose",
            (
                "Propose a repair; up to the limit it is done at once",
                "提出处理方式（限额内直接执行）",
            ),
        )
        .takes::<ProposedRepair>(),
        decided(
            "/admin/reconciliation/differences/{id}/approve",
            (
                "Approve what somebody else proposed",
                "复核他人提出的处理方式",
            ),
        )
        .takes::<Nothing>(),
        decided(
            "/admin/reconciliation/differences/{id}/accept",
            (
                "Accept a difference with a reason; above the limit somebody else must approve",
                "说明原因并接受差异（超限额须复核）",
            ),
        )
        .takes::<AcceptedDifference>(),
    ]
}
