//! Purchases, opened by the form that a browser posts.

use super::answers::{Code, malformed};
use super::{Api, GATEWAY};
use crate::book::NewPayment;
use crate::refusal::MoneyRefusal;
use connectors::unionpay::fields::Fields;
use connectors::unionpay::time::read_order_time;
use connectors::unionpay::wire::amount;
use domain::Ts;
use domain::payment::Method;
use serde_json::json;

/// What every request about an order says of it.
pub(super) struct Order<'a> {
    pub(super) order_id: &'a str,
    pub(super) txn_time: &'a str,
}

/// orderId and txnTime, in UnionPay's form.
pub(super) fn order(request: &Fields) -> Result<Order<'_>, Code> {
    let order_id = request.required("orderId").map_err(malformed)?;
    let txn_time = request.required("txnTime").map_err(malformed)?;
    let well_formed = (8..=40).contains(&order_id.len())
        && order_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !well_formed {
        return Err(malformed("orderId must be 8 to 40 letters and digits"));
    }
    if read_order_time(txn_time).is_none() {
        return Err(malformed("txnTime must be YYYYMMDDhhmmss"));
    }
    Ok(Order { order_id, txn_time })
}

/// txnAmt in fen.
pub(super) fn fen(request: &Fields) -> Result<i64, Code> {
    match amount(request).map_err(malformed)?.amount {
        0 => Err(malformed("txnAmt must be at least 1 fen")),
        fen => Ok(fen),
    }
}

impl Api {
    /// Opens a purchase, or finds it: the number of the payment, for the cashier to show.
    pub(super) fn purchase(&self, request: &Fields) -> Result<String, Code> {
        for (name, expected) in [
            ("txnType", "01"),
            ("txnSubType", "01"),
            ("bizType", "000201"),
        ] {
            if request.get(name) != Some(expected) {
                return Err(malformed(format!("{name} must be {expected}")));
            }
        }
        let asked = self.new_payment(request)?;
        let out_trade_no = asked.out_trade_no.clone();
        match self.sandbox.open_payment(asked) {
            Ok(_) => Ok(out_trade_no),
            // The same form once more: the cashier says how it stands, and lets whoever failed
            // try again.
            Err(
                MoneyRefusal::Paid
                | MoneyRefusal::Closed
                | MoneyRefusal::Failed
                | MoneyRefusal::Expired,
            ) => Ok(out_trade_no),
            Err(refusal) => Err(refusal.into()),
        }
    }

    fn new_payment(&self, request: &Fields) -> Result<NewPayment, Code> {
        let Order { order_id, txn_time } = order(request)?;
        let total = fen(request)?;
        let url = |name| {
            let url = request.required(name).map_err(malformed)?;
            let is_web = url.starts_with("http://") || url.starts_with("https://");
            if is_web && url.len() <= 256 {
                Ok(url.to_owned())
            } else {
                Err(malformed(format!(
                    "{name} must be a URL of at most 256 characters"
                )))
            }
        };
        if !matches!(request.get("channelType"), Some("07" | "08")) {
            return Err(malformed("channelType must be 07 or 08"));
        }
        Ok(NewPayment {
            gateway: GATEWAY,
            out_trade_no: order_id.to_owned(),
            method: Method::FRONT,
            description: commodity(request).unwrap_or_default(),
            notify_url: Some(url("backUrl")?),
            return_url: Some(url("frontUrl")?),
            total,
            currency: domain::Currency::CNY,
            payable_until: self.payable_until(request)?,
            payer: None,
            // UnionPay gives an order no number of its own before it is paid.
            handle: order_id.to_owned(),
            terms: json!({
                "txnTime": txn_time,
                "txnAmt": total,
                "payTimeout": request.get("payTimeout"),
            }),
            extra: json!({ "txnTime": txn_time }),
        })
    }

    /// Without a time, an order can be paid for a day (of the sandbox's making).
    fn payable_until(&self, request: &Fields) -> Result<Ts, Code> {
        match request.get("payTimeout") {
            None => Ok(self.sandbox.now() + domain::Span::hours(24)),
            Some(text) => {
                read_order_time(text).ok_or_else(|| malformed("payTimeout must be YYYYMMDDhhmmss"))
            }
        }
    }
}

/// What is bought, in `riskRateInfo={commodityName=...}`.
fn commodity(request: &Fields) -> Option<String> {
    let info = request.get("riskRateInfo")?;
    let inner = info.strip_prefix('{')?.strip_suffix('}')?;
    inner
        .split('&')
        .find_map(|pair| pair.strip_prefix("commodityName="))
        .map(str::to_owned)
}
