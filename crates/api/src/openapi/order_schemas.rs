//! What answers about orders, payments and refunds carry.
#![allow(
    dead_code,
    reason = "these are shapes for the document; nothing makes one"
)]

use super::requests::RatingTag;
use super::schemas::{
    ConsultationType, DeadlineName, DoctorName, GatewayName, Instant, Mode, Money, OrderStatus,
    PaymentStatus, RefundStatus,
};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(ToSchema)]
pub struct Deadline {
    name: DeadlineName,
    at: Instant,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Place {
    position: u32,
    wait_p50_seconds: i64,
    wait_p90_seconds: i64,
}

#[derive(ToSchema)]
pub struct Summary {
    complaint: String,
    findings: String,
    advice: String,
}

/// What a review would do.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Preview {
    order_id: Uuid,
    version: i64,
    /// False where it was done before: nothing would happen.
    changes: bool,
    from: StatusName,
    /// The statuses that the order would take, in order.
    path: Vec<StatusName>,
    /// The refunds that would differ, as they would be.
    refunds: Vec<Refund>,
    /// The movements of money in our ledger.
    postings: Vec<Posting>,
    /// What the room would say.
    said: Vec<String>,
}

/// One side of a movement of money: a debit is positive.
#[derive(ToSchema)]
pub struct Posting {
    account: String,
    amount: i64,
    currency: String,
}

#[derive(ToSchema)]
pub struct Rating {
    stars: u8,
    tags: Vec<RatingTag>,
    words: Option<String>,
    at: Instant,
}

/// Why a doctor was asked, each part from 0 to 1000.
#[derive(ToSchema)]
pub struct Score {
    speciality: u32,
    acceptance: u32,
    load: u32,
    fairness: u32,
    rating: u32,
    continuity: u32,
    total: u32,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Assignment {
    doctor_id: Uuid,
    offered_at: Instant,
    /// How it ended; null while it is open.
    end: Option<String>,
    score: Score,
}

/// How much each part of a score counts, in parts of their sum.
#[derive(ToSchema)]
pub struct Weights {
    speciality: u32,
    acceptance: u32,
    load: u32,
    fairness: u32,
    rating: u32,
    continuity: u32,
}

/// A doctor who might have been asked, and what was known of them then.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Candidate {
    doctor: DoctorName,
    /// Whether they are who was asked.
    chosen: bool,
    /// Their last place was taken by another order at that moment.
    passed_over: bool,
    score: Score,
    specialities: Vec<String>,
    /// Offers accepted, decayed over time, in hundredths.
    accepted: u32,
    /// Offers made, decayed over time, in hundredths.
    offered: u32,
    /// Consultations in hand.
    active: u32,
    /// How many at most.
    limit: u32,
    last_order_at: Option<Instant>,
    /// The sum of all stars.
    stars: u32,
    ratings: u32,
    knows_patient: bool,
}

/// An offer to a doctor, with why it was made.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Offer {
    /// Which of the order's offers, from 1.
    attempt: usize,
    doctor: DoctorName,
    offered_at: Instant,
    /// `accepted`, `declined`, `timed_out`, `went_offline` or `withdrawn`; null while it is open.
    end: Option<String>,
    end_label: Option<String>,
    score: Score,
    /// The words that specialities were held against; null where reasons were not kept yet.
    complaint: Option<String>,
    weights: Option<Weights>,
    /// How many candidates there were; the best 50 are kept.
    candidate_count: Option<u32>,
    /// Best first.
    candidates: Vec<Candidate>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Detail {
    mode: Mode,
    consultation_type: ConsultationType,
    department_id: Uuid,
    complaint: String,
    doctor: Option<DoctorName>,
    session_id: Option<Uuid>,
    slot_id: Option<Uuid>,
    number: Option<u32>,
    /// While in the queue.
    queue: Option<Place>,
    calls: u8,
    checked_in: bool,
    connection_failures: u8,
    started_at: Option<Instant>,
    ended_at: Option<Instant>,
    /// The payment's outcome is unknown and being asked for.
    being_checked: bool,
    /// A cancel waits for the gateway's word.
    cancel_asked: bool,
    summary: Option<Summary>,
    rating: Option<Rating>,
    /// For operations only.
    assignments: Option<Vec<Assignment>>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Order {
    id: Uuid,
    #[schema(example = "consultation")]
    kind: String,
    status: OrderStatus,
    status_code: u16,
    status_label: String,
    version: i64,
    patient_id: Uuid,
    price: Money,
    paid: Money,
    refunded: Money,
    /// What the caller may do now.
    actions: Vec<String>,
    /// What happens by itself, and when.
    deadline: Option<Deadline>,
    created_at: Instant,
    updated_at: Instant,
    payments: Vec<Payment>,
    refunds: Vec<Refund>,
    detail: Detail,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Payment {
    id: Uuid,
    gateway: GatewayName,
    method: String,
    out_trade_no: String,
    status: PaymentStatus,
    status_code: u16,
    status_label: String,
    amount: Money,
    paid: Option<Money>,
    /// When the money came, by the gateway's clock.
    paid_at: Option<Instant>,
    /// What the payer's device needs; null until it is there.
    pay_with: Option<PayWith>,
    expires_at: Instant,
    created_at: Instant,
    /// The address of the page on which it is paid, where the answer is about paying.
    #[schema(nullable = false)]
    page: Option<String>,
}

/// What the payer's device needs: which fields there are depends on `kind`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct PayWith {
    /// `qr`, `inApp`, `redirect`, `form`, `card` or `counter`.
    kind: String,
    /// `qr`: the code's text.
    #[schema(nullable = false)]
    code_url: Option<String>,
    /// `inApp`: the app's fields, signed. `form`: the form's fields, signed.
    #[schema(nullable = false)]
    fields: Option<Value>,
    /// `redirect`: the gateway's page.
    #[schema(nullable = false)]
    url: Option<String>,
    /// `form`: where it is posted to.
    #[schema(nullable = false)]
    action: Option<String>,
    /// `card`: lets the page finish this payment.
    #[schema(nullable = false)]
    client_secret: Option<String>,
    /// `card`: whose page it is.
    #[schema(nullable = false)]
    publishable_key: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Refund {
    id: Uuid,
    payment_id: Uuid,
    out_refund_no: String,
    status: RefundStatus,
    status_code: u16,
    status_label: String,
    purpose: String,
    cause: String,
    fault: String,
    /// Percent.
    share: i64,
    amount: Money,
    /// The rule that set the share.
    rule: String,
    reason: Option<String>,
    /// The last working day on which the money must be there.
    #[schema(format = Date)]
    due_on: Option<String>,
    retries: u8,
    /// For operations only.
    last_error: Option<String>,
    requested_at: Instant,
    updated_at: Instant,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Quote {
    quote_id: String,
    status: OrderStatus,
    /// Percent.
    share: i64,
    amount: Money,
    rule: String,
    #[schema(format = Date)]
    due_on: Option<String>,
    fault: String,
    valid_until: Instant,
}

#[derive(ToSchema)]
pub struct StatusName {
    code: u16,
    constant: OrderStatus,
    label: String,
}

#[derive(ToSchema)]
pub struct JournalActor {
    role: String,
    id: Option<Uuid>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct JournalLine {
    version: i64,
    seq: i16,
    /// Null for the creation.
    from: Option<StatusName>,
    to: StatusName,
    at: Instant,
    reason: String,
    note: Option<String>,
    actor: JournalActor,
    request_id: Option<String>,
}

/// The order as it was stored.
#[derive(ToSchema)]
pub struct Snapshot(Value);

#[derive(ToSchema)]
pub struct Sender {
    /// Nobody, where the system speaks.
    id: Option<Uuid>,
    role: String,
}

/// A frame of the room: an object with a `type` and what belongs to it.
#[derive(ToSchema)]
pub struct Frame {
    /// `welcome`, `message`, `ack`, `receipt`, `presence`, `typing`, `signal`, `order`, `pong`,
    /// `done` or `error`.
    #[schema(rename = "type")]
    kind: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Message {
    id: Uuid,
    seq: i64,
    /// `text`, `picture`, `voice`, `file`, `call` or `system`; of a call, the text is its length in
    /// seconds.
    kind: String,
    sender: Sender,
    /// What the system says is in the reader's language.
    text: String,
    /// What happened, where the system speaks: `opened`, `started`, `doctor_away`, `doctor_back`,
    /// `connection_failed`, `broken_off`, `resumed`, `timed_out`, `ended` or
    /// `late_money`.
    event: Option<String>,
    file_id: Option<Uuid>,
    at: Instant,
}

#[derive(ToSchema)]
pub struct Paying {
    order: Order,
    payment: Option<Payment>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct PaymentsOf {
    order_id: Uuid,
    status: OrderStatus,
    status_label: String,
    /// Whether the gateway is being asked because no result came in time.
    being_checked: bool,
    payments: Vec<Payment>,
}

#[derive(ToSchema)]
pub struct Gateway {
    name: GatewayName,
    label: String,
    /// Whether it can be chosen now.
    on: bool,
    /// Why it can't.
    reason: Option<String>,
    methods: Vec<GatewayMethod>,
    /// The currencies it takes.
    currencies: Vec<String>,
    /// The countries whose payers it serves.
    countries: Vec<String>,
}

#[derive(ToSchema)]
pub struct GatewayMethod {
    name: String,
    label: String,
    /// What the payer is shown: `qr`, `inApp`, `redirect`, `card` or `counter`.
    kind: String,
    /// What the payer must be known by, such as `openid`.
    payer: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct RefundOf {
    order_id: Uuid,
    refund: Refund,
}
