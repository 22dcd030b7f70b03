//! The JSON of Alipay's OpenAPI, as it goes over the wire: what stands in `biz_content`, and what
//! the inner object of an answer holds.
//!
//! Amounts are yuan with two decimals, times are Beijing's without an offset. Fields that we
//! neither send nor read are left out; unknown ones are ignored, since Alipay adds fields without
//! notice. Where a fact could not be seen in a source, a remark says that it must be checked
//! before going live.

use domain::{Currency, Money, MoneyError, Ts};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Beijing is eight hours ahead all year.
const BEIJING: Offset = Offset::constant(8);

/// `2025-11-20 10:00:00` in Beijing, as every time on this wire; parts of a second are cut off.
pub fn beijing_time(at: Ts) -> String {
    let whole = Timestamp::from_second(at.unix_seconds()).unwrap_or_else(|_| at.into());
    let local = BEIJING.to_datetime(whole);
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads a time of this wire. Refund notices have parts of a second (`... 17:38:48.536`).
pub fn read_time(text: &str) -> Option<Ts> {
    // Alone, a day or an hour would be read, too.
    let bytes = text.as_bytes();
    let is_whole = bytes.len() >= 19 && bytes.get(10) == Some(&b' ');
    let local: DateTime = text.parse().ok().filter(|_| is_whole)?;
    BEIJING.to_timestamp(local).ok().map(Ts::from)
}

/// An amount as Alipay writes it: a text of yuan with two decimals. Its documents show bare
/// numbers in some answers, so those are read, too, digit by digit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Yuan(pub String);

impl Yuan {
    /// The amount in whole fen.
    pub fn money(&self) -> Result<Money, MoneyError> {
        Money::from_decimal(&self.0, Currency::CNY)
    }

    /// Whether there is something; what can't be read is nothing.
    pub fn is_positive(&self) -> bool {
        self.money().is_ok_and(|money| money.amount > 0)
    }
}

impl From<Money> for Yuan {
    fn from(money: Money) -> Self {
        Self(money.to_decimal())
    }
}

impl<'de> Deserialize<'de> for Yuan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        if text.starts_with('"') {
            serde_json::from_str(text)
                .map(Self)
                .map_err(D::Error::custom)
        } else if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(D::Error::custom("an amount is a text or a number"))
        }
    }
}

/// `biz_content` of `alipay.trade.page.pay`, `.wap.pay`, `.precreate` and `.create`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pay {
    /// Our number, at most 64 of `0-9A-Za-z_`.
    pub out_trade_no: String,
    /// Yuan.
    pub total_amount: String,
    /// What is paid for, at most 256 characters, none of `/=&`.
    pub subject: String,
    /// Which of Alipay's products it is.
    pub product_code: String,
    /// The last moment at which it may be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_expire: Option<String>,
    /// Where a phone's browser goes when the payer gives up (`wap`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quit_url: Option<String>,
    /// Who pays, by user number, `2088...` (`create`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer_id: Option<String>,
    /// Who pays, by the identity in this app (`create`; new apps have only this).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer_open_id: Option<String>,
    /// The mini-program in which it is paid (`create`). From memory: check before going live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_app_id: Option<String>,
}

/// The answer to `alipay.trade.create`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Created {
    /// Our number.
    pub out_trade_no: String,
    /// Alipay's number, which `my.tradePay` takes.
    pub trade_no: String,
}

/// The answer to `alipay.trade.precreate`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Precreated {
    /// Our number.
    pub out_trade_no: String,
    /// The QR code's text, such as `https://qr.alipay.com/bax...`.
    pub qr_code: String,
}

/// `biz_content` of `alipay.trade.query` and `alipay.trade.close`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TradeNumber {
    /// Our number.
    pub out_trade_no: String,
    /// What the answer shall hold besides (`fund_bill_list`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query_options: Vec<String>,
}

/// The answer to `alipay.trade.query`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trade {
    /// Our number.
    pub out_trade_no: String,
    /// Alipay's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade_no: Option<String>,
    /// `WAIT_BUYER_PAY`, `TRADE_CLOSED`, `TRADE_SUCCESS`, `TRADE_FINISHED`.
    pub trade_status: String,
    /// What was asked for: the one to compare.
    pub total_amount: Yuan,
    /// What the merchant got, less than `total_amount` where a coupon of ours paid a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_amount: Option<Yuan>,
    /// What left the payer's pocket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer_pay_amount: Option<Yuan>,
    /// When it was paid; not there while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_pay_date: Option<String>,
    /// Which means paid how much; asked for with `query_options`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fund_bill_list: Vec<FundBill>,
}

/// One means of a payment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FundBill {
    /// Such as `ALIPAYACCOUNT`.
    #[serde(default)]
    pub fund_channel: String,
    /// How much.
    pub amount: Yuan,
}

/// The answer to `alipay.trade.close`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Closed {
    /// Our number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<String>,
    /// Alipay's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade_no: Option<String>,
}

/// `biz_content` of `alipay.trade.refund`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refund {
    /// Our number of the payment.
    pub out_trade_no: String,
    /// Yuan to give back.
    pub refund_amount: String,
    /// Our number of the refund, at most 64: the same number is the same refund.
    pub out_request_no: String,
    /// Shown to the payer, at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_reason: Option<String>,
}

/// The answer to `alipay.trade.refund`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refunded {
    /// Our number of the payment.
    pub out_trade_no: String,
    /// Alipay's number of the payment; refunds have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade_no: Option<String>,
    /// `Y`: the money moved with this very request. `N`: it did not, which may mean that it did
    /// before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fund_change: Option<String>,
    /// All that went back of this payment so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_fee: Option<Yuan>,
    /// When; older versions have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gmt_refund_pay: Option<String>,
}

/// `biz_content` of `alipay.trade.fastpay.refund.query`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RefundNumber {
    /// Our number of the payment.
    pub out_trade_no: String,
    /// Our number of the refund.
    pub out_request_no: String,
    /// What the answer shall hold besides (`gmt_refund_pay`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query_options: Vec<String>,
}

/// The answer to `alipay.trade.fastpay.refund.query`: empty where there is no such refund.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RefundFound {
    /// Our number of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_trade_no: Option<String>,
    /// Our number of the refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_request_no: Option<String>,
    /// Alipay's number of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trade_no: Option<String>,
    /// What had been paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_amount: Option<Yuan>,
    /// What this refund gave back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_amount: Option<Yuan>,
    /// `REFUND_SUCCESS`, or not there. Older versions leave it out even then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_status: Option<String>,
    /// When; asked for with `query_options`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gmt_refund_pay: Option<String>,
}

/// `biz_content` of `alipay.data.dataservice.bill.downloadurl.query`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BillRequest {
    /// `trade`: what was paid and refunded. (`signcustomer`: what moved on the account.)
    pub bill_type: String,
    /// `2025-11-20`.
    pub bill_date: String,
}

/// The answer to `alipay.data.dataservice.bill.downloadurl.query`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BillAddress {
    /// Good for 30 seconds.
    pub bill_download_url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_beijings_and_whole_seconds() {
        let at = Ts::parse("2025-11-20T02:00:00.999Z").unwrap();
        assert_eq!(beijing_time(at), "2025-11-20 10:00:00");
        let at = |text| Ts::parse(text).ok();
        assert_eq!(read_time("2025-11-20 10:00:00"), at("2025-11-20T02:00:00Z"));
        assert_eq!(
            read_time("2025-05-15 17:38:48.536"),
            at("2025-05-15T09:38:48.536Z")
        );
        for wrong in [
            "",
            "2025-11-20",
            "2025-11-20 10:00",
            "20251120100000",
            "2025-11-20T10:00:00Z",
            "2025-13-20 10:00:00",
        ] {
            assert_eq!(read_time(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn amounts_are_texts_and_in_the_documents_numbers() {
        let read = |json| serde_json::from_str::<Yuan>(json).map(|yuan| yuan.money());
        assert_eq!(read("\"30.00\"").unwrap(), Ok(Money::fen(3000)));
        assert_eq!(read("100.20").unwrap(), Ok(Money::fen(10_020)));
        // No number of a machine holds this one; its digits do.
        assert_eq!(
            read("90071992547409.93").unwrap(),
            Ok(Money::fen(9_007_199_254_740_993))
        );
        assert!(read("1e2").unwrap().is_err());
        assert!(read("null").is_err() && read("{}").is_err() && read("[1]").is_err());
        let written = serde_json::to_string(&Yuan::from(Money::fen(5))).unwrap();
        assert_eq!(written, "\"0.05\"");
    }
}
