//! The JSON of WeChat Pay API v3, as it goes over the wire. Amounts are whole fen.
//!
//! Fields that we neither send nor read are left out; unknown ones are ignored, since WeChat adds
//! fields without notice.

use domain::Ts;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// RFC 3339 in Beijing time with whole seconds, as every time on this wire; parts of a second are
/// cut off.
pub fn beijing_time(at: Ts) -> String {
    let whole = Timestamp::from_second(at.unix_seconds()).unwrap_or_else(|_| at.into());
    whole.display_with_offset(Offset::constant(8)).to_string()
}

/// Body of `POST /v3/pay/transactions/jsapi`, `/native` and `/h5`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PrepayRequest {
    /// The app that the payer pays in, bound to `mchid`.
    pub appid: String,
    /// The merchant.
    pub mchid: String,
    /// What is paid for, at most 127 characters.
    pub description: String,
    /// Our number, 6 to 32 of `0-9A-Za-z_-|*`.
    pub out_trade_no: String,
    /// The last moment at which it may be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_expire: Option<String>,
    /// Comes back in query and callback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// Where callbacks go, without a query.
    pub notify_url: String,
    /// How much.
    pub amount: PrepayAmount,
    /// Who pays; JSAPI needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payer: Option<Payer>,
    /// Where the payer is; H5 needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scene_info: Option<SceneInfo>,
}

/// Where the payer is (H5).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SceneInfo {
    /// The payer's internet address, IPv4 or IPv6, at most 45 characters.
    pub payer_client_ip: String,
    /// What kind of browser.
    pub h5_info: H5Info,
}

/// What kind of browser (H5).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct H5Info {
    /// `iOS`, `Android` or `Wap`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The amount to be paid.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PrepayAmount {
    /// Fen, at least 1.
    pub total: i64,
    /// `CNY`; WeChat takes its absence for that.
    #[serde(default = "cny")]
    pub currency: String,
}

/// The payer.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Payer {
    /// The payer's identity in this app.
    pub openid: String,
}

/// Answer to a JSAPI prepay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JsapiPrepayAnswer {
    /// Good for two hours.
    pub prepay_id: String,
}

/// Answer to a native prepay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NativePrepayAnswer {
    /// The text of the QR code.
    pub code_url: String,
}

/// Answer to an H5 prepay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct H5PrepayAnswer {
    /// WeChat's page for the payer's browser, with a query; good for five minutes.
    pub h5_url: String,
}

/// Body of `POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CloseRequest {
    /// The merchant.
    pub mchid: String,
}

/// A payment, as query and callback tell it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Transaction {
    /// The app.
    pub appid: String,
    /// The merchant.
    pub mchid: String,
    /// Our number.
    pub out_trade_no: String,
    /// WeChat's number, once paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// `JSAPI`, `NATIVE`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade_type: Option<String>,
    /// `SUCCESS`, `REFUND`, `NOTPAY`, `CLOSED`, `REVOKED`, `USERPAYING`, `PAYERROR`, `ACCEPT`.
    pub trade_state: String,
    /// The same in words.
    #[serde(default)]
    pub trade_state_desc: String,
    /// The payer's bank, such as `OTHERS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_type: Option<String>,
    /// What the prepay said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// Who paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Payer>,
    /// How much; always there once paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<TransactionAmount>,
}

/// The amounts of a payment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransactionAmount {
    /// Fen of the order: the one to compare.
    pub total: i64,
    /// Fen out of the payer's pocket: less than `total` where a coupon paid a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_total: Option<i64>,
    /// `CNY`.
    #[serde(default = "cny")]
    pub currency: String,
    /// The payer's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_currency: Option<String>,
}

/// Body of `POST /v3/refund/domestic/refunds`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefundRequest {
    /// WeChat's number of the payment; it or `out_trade_no` must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// Our number of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<String>,
    /// Our number of the refund, at most 64 of `0-9A-Za-z_-|*@`.
    pub out_refund_no: String,
    /// Shown to the payer, at most 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where callbacks go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_url: Option<String>,
    /// How much of how much.
    pub amount: RefundRequestAmount,
}

/// The amounts of a refund request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefundRequestAmount {
    /// Fen to give back.
    pub refund: i64,
    /// Fen that had been paid in all.
    pub total: i64,
    /// `CNY`.
    pub currency: String,
}

/// A refund, as the answer to its request and its query tell it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refund {
    /// WeChat's number.
    pub refund_id: String,
    /// Our number.
    pub out_refund_no: String,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// Our number of the payment.
    pub out_trade_no: String,
    /// `ORIGINAL`, `BALANCE`, `OTHER_BALANCE`, `OTHER_BANKCARD`.
    #[serde(default)]
    pub channel: String,
    /// In words, such as `支付用户零钱`.
    #[serde(default)]
    pub user_received_account: String,
    /// When it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// When it was accepted.
    #[serde(default)]
    pub create_time: String,
    /// `SUCCESS`, `CLOSED`, `PROCESSING`, `ABNORMAL`.
    pub status: String,
    /// How much.
    pub amount: RefundAmount,
}

/// The amounts of a refund.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefundAmount {
    /// Fen that had been paid.
    pub total: i64,
    /// Fen given back: the one to compare.
    pub refund: i64,
    /// Fen that had left the payer's pocket.
    #[serde(default)]
    pub payer_total: i64,
    /// Fen back into it.
    #[serde(default)]
    pub payer_refund: i64,
    /// `CNY`; callbacks leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// Body of `POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund`.
#[derive(Clone, Serialize, Deserialize)]
pub struct AbnormalRefundRequest {
    /// Our number of the refund.
    pub out_refund_no: String,
    /// `USER_BANK_CARD` or `MERCHANT_BANK_CARD`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The bank of the payer's card, such as `ICBC_DEBIT`; debit cards of 15 banks only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_type: Option<String>,
    /// The card's number, encrypted for WeChat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_account: Option<String>,
    /// The holder's name, encrypted for WeChat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real_name: Option<String>,
}

/// Answer to `GET /v3/bill/tradebill`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BillAnswer {
    /// `SHA1`.
    pub hash_type: String,
    /// Of the bill as text, in hexadecimal digits.
    pub hash_value: String,
    /// Where the bill is, for five minutes. Its answer is not signed.
    pub download_url: String,
}

/// A callback's body.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notification {
    /// The same in every repetition.
    pub id: String,
    /// When it was made.
    #[serde(default)]
    pub create_time: String,
    /// `encrypt-resource`.
    #[serde(default)]
    pub resource_type: String,
    /// `TRANSACTION.SUCCESS`, `REFUND.SUCCESS`, `REFUND.ABNORMAL`, `REFUND.CLOSED`, ...
    pub event_type: String,
    /// In words.
    #[serde(default)]
    pub summary: String,
    /// What it is about, sealed.
    pub resource: EncryptedResource,
}

/// The sealed part of a callback.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EncryptedResource {
    /// `transaction`, `refund`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_type: Option<String>,
    /// `AEAD_AES_256_GCM`.
    pub algorithm: String,
    /// Base64 of cipher text and tag.
    pub ciphertext: String,
    /// Bound into the tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub associated_data: Option<String>,
    /// 12 ASCII bytes, used as they are.
    pub nonce: String,
}

/// What a refund callback's resource holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefundNotice {
    /// The merchant.
    pub mchid: String,
    /// Our number of the payment.
    pub out_trade_no: String,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// Our number of the refund.
    pub out_refund_no: String,
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// `SUCCESS`, `CLOSED` (also seen: `CLOSE`), `ABNORMAL`.
    pub refund_status: String,
    /// When it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_time: Option<String>,
    /// In words.
    #[serde(default)]
    pub user_received_account: String,
    /// How much.
    pub amount: RefundAmount,
}

/// The body of every answer that says no.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorAnswer {
    /// Such as `ORDER_NOT_EXIST`; spellings with and without `_` occur.
    pub code: String,
    /// In words.
    #[serde(default)]
    pub message: String,
}

fn cny() -> String {
    "CNY".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_beijing_and_whole_seconds() {
        let at = Ts::parse("2015-05-20T05:29:35.999Z").unwrap();
        assert_eq!(beijing_time(at), "2015-05-20T13:29:35+08:00");
    }
}
