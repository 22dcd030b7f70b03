//! The ledger: what is asked, what is answered, and the operations.
#![allow(
    dead_code,
    reason = "these are shapes for the document; nothing makes one"
)]

use super::schemas::{Instant, Money};
use super::{Asks, Gives, Row, Who, refer, row};
use crate::error::Code as C;
use utoipa::ToSchema;
use utoipa::openapi::path::HttpMethod::{Get, Post};
use utoipa::openapi::schema::Type;
use uuid::Uuid;

const STAFF: Who = Who::Only("operator, admin");

const DAYS: [Asks; 2] = [
    (
        "from",
        "The first day in the hospital's zone, such as 2026-03-01.",
        Type::String,
    ),
    ("to", "The last day; it is included.", Type::String),
];

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum AccountType {
    Asset,
    Liability,
    Income,
    Expense,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Side {
    Debit,
    Credit,
}

/// What an account has, in minor units, on the side where it stands.
#[derive(ToSchema)]
pub struct Balance {
    #[schema(minimum = 0, example = 3050)]
    amount: i64,
    #[schema(example = "CNY")]
    currency: String,
    side: Side,
}

/// A line of the chart of accounts, with what the account has now.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct LedgerAccount {
    #[schema(example = 1010)]
    code: u16,
    #[schema(example = "gateway_clearing:wechat")]
    name: String,
    label: String,
    r#type: AccountType,
    type_label: String,
    /// On which side its balance stands as a rule.
    normal_side: Side,
    normal_side_label: String,
    /// The gateway that holds its money, where one does.
    gateway: Option<String>,
    /// One a currency; none before anything was posted.
    #[schema(required = false)]
    balances: Vec<Balance>,
}

#[derive(ToSchema)]
pub struct AccountName {
    code: u16,
    name: String,
    label: String,
}

/// Amounts in minor units.
#[derive(ToSchema)]
pub struct AccountDay {
    #[schema(example = "2026-03-31")]
    day: String,
    debits: i64,
    credits: i64,
    /// When the day ended.
    balance: Balance,
}

#[derive(ToSchema)]
pub struct AccountDays {
    account: AccountName,
    currency: String,
    /// When the first day began.
    opening: Balance,
    /// When the last day ended, or now.
    closing: Balance,
    /// Every day asked for.
    days: Vec<AccountDay>,
}

#[derive(ToSchema)]
pub struct BalancesByDay {
    from: String,
    to: String,
    /// Whose midnights the days begin at.
    zone: Option<String>,
    accounts: Vec<AccountDays>,
}

/// Minor units; neither is negative.
#[derive(ToSchema)]
pub struct DebitAndCredit {
    debit: i64,
    credit: i64,
}

#[derive(ToSchema)]
pub struct TrialLine {
    account: AccountName,
    currency: String,
    opening: DebitAndCredit,
    movement: DebitAndCredit,
    closing: DebitAndCredit,
}

/// The sums of a currency: debit and credit are the same in each pair.
#[derive(ToSchema)]
pub struct TrialTotals {
    currency: String,
    opening: DebitAndCredit,
    movement: DebitAndCredit,
    closing: DebitAndCredit,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct TrialBalance {
    #[schema(example = "2026-03")]
    month: String,
    /// When the month was closed; null while it is open.
    closed_at: Option<Instant>,
    lines: Vec<TrialLine>,
    totals: Vec<TrialTotals>,
    balanced: bool,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct AccountEntry {
    entry_id: Uuid,
    /// Of which order; none where it is about a gateway's bill.
    order_id: Option<Uuid>,
    #[schema(example = "payment_received")]
    kind: String,
    kind_label: String,
    at: Instant,
    side: Side,
    /// Minor units.
    amount: i64,
    currency: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct AccountEntries {
    account: LedgerAccount,
    /// Newest first.
    entries: Vec<AccountEntry>,
    /// Where the list goes on, for `cursor`; null at its end.
    next_cursor: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Closing {
    month: String,
    begins_at: Instant,
    /// Nothing is posted before this instant any more.
    until: Instant,
    entries: i64,
    closed_at: Instant,
    closed_by: Uuid,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct UnsettledMoney {
    order_id: Uuid,
    gateway: String,
    amount: Money,
    since: Instant,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum AgainstClosing {
    Closed,
    NothingPosted,
    NotNext,
    NotOver,
    Unbalanced,
    Differences,
    BillsUnread,
    PaymentsUnknown,
    RefundsNotPaid,
}

/// What stands against a closing, or should be known before it.
#[derive(ToSchema)]
pub struct ClosingReason {
    reason: AgainstClosing,
    /// Whether the month can't be closed because of it.
    blocks: bool,
    /// For a person to read.
    words: String,
    /// The oldest payments or refunds that it is about, 20 at most.
    oldest: Option<Vec<UnsettledMoney>>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ClosingPreview {
    month: String,
    begins_at: Instant,
    until: Instant,
    entries: i64,
    may_be_closed: bool,
    against: Vec<ClosingReason>,
    trial_balance: TrialBalance,
}

#[derive(ToSchema)]
pub struct WhichMonth {
    #[schema(example = "2026-03")]
    month: String,
}

pub fn ledger() -> Vec<Row> {
    let mut rows = reading();
    rows.extend(closing());
    rows
}

fn reading() -> Vec<Row> {
    use Gives::{Many, One};
    vec![
        row(
            Get,
            "/admin/ledger/accounts",
            (
                "The chart of accounts, with what each has now",
                "会计科目表及当前余额",
            ),
            Many(refer::<LedgerAccount>),
        )
        .by(STAFF),
        row(
            Get,
            "/admin/ledger/accounts/{name}/entries",
            ("An account's postings, newest first", "账户明细（新的在前）"),
            One(refer::<AccountEntries>),
        )
        .by(STAFF)
        .asks(&[
            (
                "cursor",
                "Goes on behind the posting that `nextCursor` named.",
                Type::String,
            ),
            (
                "limit",
                "How many: 1 to 100, 20 if left out.",
                Type::Integer,
            ),
        ])
        .asks(&DAYS)
        .fails(&[C::NotFound]),
        row(
            Get,
            "/admin/ledger/balances",
            (
                "What accounts had at the end of each day, and what was posted on it: 92 days at most, this month's if left out",
                "每日余额与发生额（最多 92 天，缺省为本月）",
            ),
            One(refer::<BalancesByDay>),
        )
        .by(STAFF)
        .asks(&DAYS),
        row(
            Get,
            "/admin/ledger/trial-balance",
            (
                "A month's trial balance; with `Accept: text/csv` for a spreadsheet, in major units",
                "月度试算平衡表（Accept: text/csv 可导出）",
            ),
            One(refer::<TrialBalance>),
        )
        .by(STAFF)
        .asks(&[("month", "Needed, such as 2026-03.", Type::String)])
        .or("text/csv"),
    ]
}

fn closing() -> Vec<Row> {
    use Gives::{Many, One};
    vec![
        row(
            Get,
            "/admin/ledger/closings",
            ("Closed months, newest first", "已结账月份（新的在前）"),
            Many(refer::<Closing>),
        )
        .by(STAFF),
        row(
            Post,
            "/admin/ledger/closings",
            (
                "Close a month, for good: from the second day after it, in order, with nothing open",
                "月度结账（次月第二天起，按月份顺序，无未决事项）",
            ),
            One(refer::<Closing>),
        )
        .takes::<WhichMonth>()
        .by(Who::Only("admin"))
        .creates()
        .fails(&[C::Conflict]),
        row(
            Post,
            "/admin/ledger/closings/preview",
            (
                "What a month would be closed with, and what stands against it",
                "结账预览",
            ),
            One(refer::<ClosingPreview>),
        )
        .takes::<WhichMonth>()
        .by(STAFF)
        .unkeyed(),
    ]
}
