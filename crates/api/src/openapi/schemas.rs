//! What answers carry. A test holds it against real answers.
#![allow(
    dead_code,
    reason = "these are shapes for the document; nothing makes one"
)]

pub use super::order_schemas::*;

use domain::consultation::{ConsultationStatus, TimerName};
use domain::lifecycle::Status;
use domain::payment::{PaymentStatus as OfPayment, RefundStatus as OfRefund};
use domain::session::SessionStatus as OfSession;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// An instant.
#[derive(ToSchema)]
#[schema(format = DateTime, example = "2026-03-02T01:00:00.000000Z")]
pub struct Instant(String);

/// An amount in minor units.
#[derive(ToSchema)]
pub struct Money {
    #[schema(example = 3050)]
    amount: i64,
    #[schema(example = "CNY")]
    currency: String,
}

/// A closed list of names that another crate's table holds.
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

fn constants<S: Status>() -> Vec<&'static str> {
    S::ALL.iter().map(|status| status.constant()).collect()
}

listed! {
    /// Where a consultation stands.
    OrderStatus: constants::<ConsultationStatus>();
    /// Where a payment stands.
    PaymentStatus: constants::<OfPayment>();
    /// Where a refund stands.
    RefundStatus: constants::<OfRefund>();
    /// Where a session stands.
    SessionStatus: constants::<OfSession>();
    /// A deadline.
    DeadlineName: TimerName::ALL.iter().map(|name| name.name()).collect();
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Mode {
    Dispatch,
    Clinic,
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum ConsultationType {
    Text,
    Phone,
    Video,
}

/// A gateway's name; `GET /payments/gateways` lists them.
#[derive(ToSchema)]
#[schema(value_type = String, example = "wechat", pattern = "^[a-z][a-z0-9_]{0,15}$")]
pub struct GatewayName(#[expect(dead_code, reason = "the schema is what is wanted")] String);

#[derive(ToSchema)]
pub struct Meta {
    timestamp: Instant,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Pagination {
    page: u32,
    limit: u32,
    total: i64,
    total_pages: i64,
    has_next: bool,
    has_prev: bool,
    /// Where the list goes on, for `cursor`; left out at its end.
    #[schema(required = false)]
    next_cursor: Option<String>,
}

#[derive(ToSchema)]
pub struct PageMeta {
    timestamp: Instant,
    pagination: Pagination,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Error {
    #[schema(example = "6001")]
    code: String,
    #[schema(example = "VALIDATION_FAILED")]
    name: String,
    /// For a person to read.
    message: String,
    /// For a program: fields with messages, or what is allowed now.
    details: Option<Value>,
    timestamp: Instant,
    request_id: String,
}

/// Every error.
#[derive(ToSchema)]
pub struct ErrorAnswer {
    #[schema(example = false)]
    success: bool,
    error: Error,
}

#[derive(ToSchema)]
pub struct User {
    id: Uuid,
    email: String,
    name: String,
    role: String,
}

#[derive(ToSchema)]
pub struct Me {
    user: User,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Tokens {
    access_token: String,
    token_type: String,
    /// In seconds.
    expires_in: i64,
    refresh_token: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct SignedIn {
    access_token: String,
    token_type: String,
    /// In seconds.
    expires_in: i64,
    refresh_token: String,
    user: User,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct SignedOut {
    signed_out: bool,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Department {
    id: Uuid,
    code: String,
    name_zh: String,
    name_en: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct DepartmentName {
    id: Uuid,
    name_zh: String,
    name_en: String,
}

#[derive(ToSchema)]
pub struct Average {
    /// The average in tenths; null while there is none.
    stars: Option<u32>,
    count: u32,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Doctor {
    id: Uuid,
    name: String,
    title: String,
    department: Option<DepartmentName>,
    specialities: Vec<String>,
    types: Vec<ConsultationType>,
    online: bool,
    parallel_limit: i32,
    /// Consultations taken now.
    active: i32,
    rating: Average,
    price: Money,
}

#[derive(ToSchema)]
pub struct Presence {
    online: bool,
    since: Instant,
    until: Option<Instant>,
}

#[derive(ToSchema)]
pub struct DoctorName {
    id: Uuid,
    name: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Slot {
    id: Uuid,
    index: u16,
    begins_at: Instant,
    ends_at: Instant,
    capacity: u32,
    taken: u32,
    free: u32,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Session {
    id: Uuid,
    doctor: DoctorName,
    department_id: Uuid,
    status: SessionStatus,
    status_code: u16,
    status_label: String,
    begins_at: Instant,
    ends_at: Instant,
    opened_at: Option<Instant>,
    consultation_type: ConsultationType,
    price: Money,
    /// The last queue number given.
    last_number: u32,
    note: Option<String>,
    slots: Vec<Slot>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct WeeklySession {
    id: Uuid,
    begins_at: Instant,
    ends_at: Instant,
    status: SessionStatus,
    status_code: u16,
    status_label: String,
}

/// Hours of one day of every week, by the hospital's clock.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct WeeklyHours {
    id: Uuid,
    /// 1 is Monday, 7 Sunday.
    weekday: u8,
    from: String,
    to: String,
    slot_minutes: u32,
    capacity: u32,
    consultation_type: ConsultationType,
    price: Money,
    note: Option<String>,
    created_at: Instant,
    /// Those published from today on.
    sessions: Vec<WeeklySession>,
    /// Days of the next seven without one: another session of yours is in the way.
    blocked: Vec<String>,
}

/// Sessions that stay, because somebody has booked them.
#[derive(ToSchema)]
pub struct StillBooked {
    booked: Vec<WeeklySession>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Waiting {
    order_id: Uuid,
    number: u32,
    position: u32,
    patient_name: Option<String>,
    wait_p50_seconds: i64,
    wait_p90_seconds: i64,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Queue {
    session_id: Uuid,
    waiting: Vec<Waiting>,
    /// Orders.
    calling: Vec<Uuid>,
    /// Orders.
    serving: Vec<Uuid>,
}

/// In the gateway's form: `SUCCESS` or `FAIL`.
#[derive(ToSchema)]
pub struct NoticeAnswer {
    code: String,
    message: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Config {
    name: String,
    version: i64,
    value: Value,
    changed_by: Option<Uuid>,
    at: Instant,
}

#[derive(ToSchema)]
pub struct ConfigWritten {
    name: String,
    version: i64,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Effect {
    id: Uuid,
    order_id: Option<Uuid>,
    effect: Value,
    attempts: i32,
    last_error: Option<String>,
    created_at: Instant,
}

#[derive(ToSchema)]
pub struct Retried {
    id: Uuid,
    retried: bool,
}

#[derive(ToSchema)]
pub struct Finding {
    rule: String,
    subject: String,
    words: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct StatusCount {
    status: OrderStatus,
    status_code: u16,
    count: i64,
}

/// Amounts in fen.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Totals {
    by_status: Vec<StatusCount>,
    /// Each currency by itself.
    money: Vec<MoneyTotals>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct MoneyTotals {
    currency: String,
    /// Minor units that arrived.
    money_in: i64,
    /// Minor units that went back.
    money_back: i64,
    /// Arrived, and neither gone back nor earned.
    held: i64,
}

#[derive(ToSchema)]
pub struct Alive {
    alive: bool,
}

#[derive(ToSchema)]
pub struct GatewayHealth {
    name: GatewayName,
    /// `closed` (it answers), `open` (it fails and is left alone) or `half_open` (it is tried again).
    breaker: String,
    /// When it is tried again, where it is left alone.
    until: Option<Instant>,
}

#[derive(ToSchema)]
pub struct Ready {
    ready: bool,
    database: String,
    /// The payment gateways, and how each is doing.
    gateways: Vec<GatewayHealth>,
    outbox: i64,
    timers: i64,
    dead: i64,
}
