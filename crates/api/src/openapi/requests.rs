//! What requests carry. The handlers' own types read it; a test holds the two together.
#![allow(
    dead_code,
    reason = "these are shapes for the document; nothing makes one"
)]

pub use super::schemas::Summary;
use super::schemas::{ConsultationType, GatewayName, Mode, Money};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// No fields: an empty body will do.
#[derive(ToSchema)]
pub struct Nothing {}

/// A patient's account.
#[derive(ToSchema)]
pub struct Registration {
    #[schema(example = "patient51@example.com")]
    email: String,
    #[schema(min_length = 10, max_length = 128)]
    password: String,
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Only `patient`, or left out.
    role: Option<String>,
}

#[derive(ToSchema)]
pub struct SignIn {
    #[schema(example = "patient1@demo.xinglin")]
    email: String,
    password: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Refresh {
    refresh_token: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ComeOrGo {
    online: bool,
    /// After so many seconds they have gone, unless they say again that they are there; without it
    /// they stay until they say that they go.
    #[schema(minimum = 15, maximum = 3600)]
    lease_seconds: Option<i64>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct NewSession {
    /// At most 7 days ahead.
    #[schema(format = DateTime)]
    begins_at: String,
    /// At most 24 hours later.
    #[schema(format = DateTime)]
    ends_at: String,
    #[schema(minimum = 5, maximum = 480)]
    slot_minutes: u32,
    /// Patients in a slot.
    #[schema(minimum = 1, maximum = 100)]
    capacity: u32,
    consultation_type: ConsultationType,
    price: Money,
    /// For patients to read.
    note: Option<String>,
}

/// Hours of one day of every week, by the hospital's clock.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Weekly {
    /// 1 is Monday, 7 Sunday.
    #[schema(minimum = 1, maximum = 7)]
    weekday: u8,
    /// Such as `09:00`.
    from: String,
    /// The same day; `24:00` at most.
    to: String,
    #[schema(minimum = 5, maximum = 480)]
    slot_minutes: u32,
    /// Patients in a slot.
    #[schema(minimum = 1, maximum = 100)]
    capacity: u32,
    consultation_type: ConsultationType,
    price: Money,
    /// For patients to read.
    note: Option<String>,
}

#[derive(ToSchema)]
pub struct Close {
    /// Needed where people wait: they are refunded in full.
    confirm: Option<bool>,
}

#[derive(ToSchema)]
pub struct Reason {
    reason: Option<String>,
}

/// A consultation: a department in mode `dispatch`, a slot in mode `clinic`.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct NewOrder {
    #[schema(example = "consultation")]
    kind: String,
    mode: Mode,
    consultation_type: ConsultationType,
    department_id: Option<Uuid>,
    slot_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 2000)]
    complaint: String,
    /// What the patient was shown: compared with our price.
    price: Option<Money>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Cancel {
    /// From the refund quote that the patient was shown.
    quote_id: Option<String>,
    reason: Option<String>,
}

#[derive(ToSchema)]
pub struct Complaint {
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

#[derive(ToSchema)]
pub struct Target {
    /// A constant or its number.
    #[schema(example = "CANCELLED")]
    status: String,
}

#[derive(ToSchema)]
pub struct Attempt {
    /// Which try, from 1, so that both sides may report the same one.
    attempt: Option<u8>,
}

/// What a consultation was like.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum RatingTag {
    Attentive,
    Clear,
    Professional,
    Prompt,
    Helpful,
    Hurried,
    Unclear,
    Slow,
    Unfriendly,
    Unhelpful,
}

#[derive(ToSchema)]
pub struct Stars {
    #[schema(minimum = 1, maximum = 5)]
    stars: u8,
    /// At most five, each once.
    #[schema(max_items = 5)]
    tags: Option<Vec<RatingTag>>,
    #[schema(max_length = 1000)]
    words: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct NewMessage {
    /// The sender's own id of it: sent twice, it is written once.
    id: Option<Uuid>,
    /// `text` (if left out), `picture`, `voice` or `file`.
    kind: Option<String>,
    /// Needed where it is a text; beside a file it may say what is to be seen.
    #[schema(max_length = 4000)]
    text: Option<String>,
    /// A confirmed file of your own in this order, of the same kind (`file`: a document).
    file_id: Option<Uuid>,
}

/// One frame of the room; which fields it has depends on its type.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct AnyFrame {
    /// `message`, `delivered`, `read`, `typing`, `signal` or `ping`.
    #[schema(rename = "type")]
    kind_of_frame: String,
}

#[derive(ToSchema)]
pub struct Pay {
    gateway: GatewayName,
    /// One of the gateway's methods, such as `native`.
    #[schema(example = "native")]
    method: String,
    /// Who pays, as the gateway knows them, where the method needs it (`jsapi`: the openid, unless
    /// the account knows it; `create`: Alipay's buyer id).
    payer: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Intent {
    order_id: Uuid,
    gateway: GatewayName,
    /// One of the gateway's methods, such as `native`.
    #[schema(example = "native")]
    method: String,
    /// Who pays, as the gateway knows them, where the method needs it.
    payer: Option<String>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Confirm {
    order_id: Uuid,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct RecordedPayment {
    order_id: Uuid,
    /// `cash` or `transfer`.
    #[schema(example = "cash")]
    method: String,
    /// What the order costs.
    amount: Money,
    /// Evidence of the payment, such as a receipt's number.
    #[schema(min_length = 1, max_length = 1000)]
    proof: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub enum SettledAs {
    Paid,
    Unpaid,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct Settle {
    order_id: Uuid,
    outcome: SettledAs,
    /// What was really paid; with `paid` only.
    amount: Option<Money>,
    /// The gateway's number of the payment; with `paid` only.
    #[schema(min_length = 1, max_length = 128)]
    transaction_id: Option<String>,
    /// Evidence, such as a line of the gateway's page or of the bank's statement.
    #[schema(min_length = 1, max_length = 1000)]
    proof: String,
}

#[derive(ToSchema)]
pub struct Elsewhere {
    /// Another card of the payer's; without it, the money goes to the merchant's own account.
    card: Option<OtherCard>,
}

#[derive(ToSchema)]
pub struct OtherCard {
    /// The bank by the gateway's code, such as `ICBC_DEBIT`.
    #[schema(min_length = 1, max_length = 64)]
    bank: String,
    /// The card's number: 8 to 32 digits.
    #[schema(pattern = "^[0-9]{8,32}$")]
    account: String,
    /// The holder's name.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub enum Decision {
    ByTable,
    Share,
    Amount,
    Refuse,
}

#[derive(ToSchema)]
pub struct Review {
    decision: Decision,
    /// Percent; with decision `share` only.
    #[schema(minimum = 0, maximum = 100)]
    share: Option<i64>,
    /// With decision `amount` only.
    amount: Option<Money>,
    /// Needed for `share`, `amount` and `refuse`.
    reason: Option<String>,
}

#[derive(ToSchema)]
pub struct Proof {
    /// Evidence of the refund.
    #[schema(min_length = 1, max_length = 1000)]
    proof: String,
}

#[derive(ToSchema)]
pub struct NewConfig {
    value: Value,
    /// The version that was read.
    version: i64,
}
