//! PayPal's Transaction Search: the lines of an account, and what they mean to us.
//!
//! Field names, status letters and limits are those of PayPal's published OpenAPI description
//! (`reporting_transactions_v1`); event codes are those of its "Transaction event codes". Check
//! before going live, since PayPal describes neither fully: which `invoice_id` a refund's line
//! carries (both are understood), and the sign of a fee that comes back.

use super::standing::read_time;
use super::wire::Amount;
use domain::Money;
use domain::reconciliation::{BillLine, LineKind, LineStatus};
use serde::{Deserialize, Serialize};

/// The lines of one page, the answer to `GET /v1/reporting/transactions`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Page {
    /// The lines.
    #[serde(default)]
    pub transaction_details: Vec<Detail>,
    /// From when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    /// Until when, or the last moment that lines can be had of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    /// Up to when the lines are complete; PayPal needs up to three hours, sometimes more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_refreshed_datetime: Option<String>,
    /// Which page this is, from 1.
    #[serde(default)]
    pub page: u32,
    /// How many lines there are on all pages.
    #[serde(default)]
    pub total_items: u32,
    /// How many pages there are.
    #[serde(default)]
    pub total_pages: u32,
}

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Detail {
    /// What it says.
    pub transaction_info: Info,
}

/// What a line says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Info {
    /// PayPal's number: of a capture for a payment, of a refund for a refund.
    pub transaction_id: String,
    /// PayPal's number of what it belongs to: of the capture for a refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paypal_reference_id: Option<String>,
    /// What that is: `TXN` for a transaction, `ODR` for an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paypal_reference_id_type: Option<String>,
    /// Such as `T0006`.
    pub transaction_event_code: String,
    /// When, with an offset written `+0000` or `Z`.
    pub transaction_initiation_date: String,
    /// Positive for money that came, negative for money that went.
    pub transaction_amount: Amount,
    /// Negative for a fee that we pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_amount: Option<Amount>,
    /// `S` succeeded, `P` pending, `D` denied, `V` succeeded and later taken back in full; `F` for
    /// in part (older accounts).
    pub transaction_status: String,
    /// Our number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<String>,
    /// Our number of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_field: Option<String>,
}

/// How our numbers of refunds begin.
const REFUND_PREFIX: &str = "RF";
/// Hundred-thousandths of a major unit in one minor unit, for currencies with two decimals.
const PER_CENT: i64 = 1_000;

impl Info {
    /// The bill's line, numbered `line`; nothing for what is neither a payment nor a refund
    /// (conversions, withdrawals, fees by themselves), and for business in other currencies.
    pub fn line(&self, line: u32) -> Result<Option<BillLine>, String> {
        let Some(kind) = self.kind()? else {
            return Ok(None);
        };
        let (out_trade_no, out_refund_no) = self.numbers(kind);
        let amount = match self.transaction_amount.read() {
            Ok(amount) => amount,
            // We only ever ask for currencies that we know, so this is other business.
            Err(_) if !self.is_of_our_currency() => return Ok(None),
            Err(reason) => return Err(format!("{}: {reason}", self.transaction_id)),
        };
        let fee = self.fee(amount)?;
        // A reference to anything but a transaction is not to a capture.
        let is_capture = self.paypal_reference_id_type.as_deref().unwrap_or("TXN") == "TXN";
        let reference = self.paypal_reference_id.clone().filter(|_| is_capture);
        let (transaction_id, refund_id) = match kind {
            LineKind::Payment => (Some(self.transaction_id.clone()), None),
            LineKind::Refund => (reference, Some(self.transaction_id.clone())),
        };
        Ok(Some(BillLine {
            line,
            kind,
            out_trade_no,
            transaction_id,
            out_refund_no,
            refund_id,
            amount: unsigned(amount)?,
            fee,
            status: self.status()?,
            at: read_time(
                "transaction_initiation_date",
                &self.transaction_initiation_date,
            )?,
        }))
    }

    /// Our numbers of the payment and of the refund. A refund's line carries its own number as its
    /// invoice and the payment's beside it; where it carries one number only, which of the two it
    /// is shows in how it begins.
    fn numbers(&self, kind: LineKind) -> (Option<String>, Option<String>) {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let (invoice, custom) = (given(&self.invoice_id), given(&self.custom_field));
        match (kind, invoice, custom) {
            (LineKind::Payment, invoice, custom) => (custom.or(invoice), None),
            (LineKind::Refund, Some(invoice), Some(custom)) if invoice != custom => {
                (Some(custom), Some(invoice))
            }
            (LineKind::Refund, invoice, custom) => match invoice.or(custom) {
                Some(number) if number.starts_with(REFUND_PREFIX) => (None, Some(number)),
                number => (number, None),
            },
        }
    }

    /// `T00nn` is a payment, ours to receive where its amount is positive. `T1107` is a refund that
    /// a merchant sent; `T1106` and `T1201` are payments that PayPal or the payer's bank took back,
    /// which reconciliation must show as money gone without a refund of ours.
    fn kind(&self) -> Result<Option<LineKind>, String> {
        let code = self.transaction_event_code.as_str();
        let known = code.len() == 5 && code.starts_with('T') && code.is_ascii();
        if !known {
            return Err(format!("event code `{code}` is none"));
        }
        let goes = self.transaction_amount.value.starts_with('-');
        let takes_back = matches!(code, "T1106" | "T1107" | "T1201");
        Ok(if takes_back && goes {
            Some(LineKind::Refund)
        } else if code.starts_with("T00") && !goes {
            Some(LineKind::Payment)
        } else {
            None
        })
    }

    fn is_of_our_currency(&self) -> bool {
        let code = &self.transaction_amount.currency_code;
        code.parse::<domain::Currency>().is_ok()
    }

    /// In hundred-thousandths of a major unit; PayPal's is negative where we pay.
    fn fee(&self, amount: Money) -> Result<Option<i64>, String> {
        let Some(fee) = &self.fee_amount else {
            return Ok(None);
        };
        let wrong = |reason: &str| format!("{}: fee: {reason}", self.transaction_id);
        let fee = fee.read().map_err(|reason| wrong(&reason))?;
        if fee.currency != amount.currency {
            return Err(wrong("is in another currency than its line"));
        }
        let fee = fee.amount.checked_mul(-PER_CENT);
        fee.map(Some).ok_or_else(|| wrong("is too large"))
    }

    fn status(&self) -> Result<LineStatus, String> {
        match self.transaction_status.as_str() {
            // What happened to a payment later is another line.
            "S" | "V" | "F" => Ok(LineStatus::Succeeded),
            "P" => Ok(LineStatus::Processing),
            "D" => Ok(LineStatus::Failed),
            other => Err(format!("transaction status `{other}` is not known")),
        }
    }
}

fn unsigned(amount: Money) -> Result<Money, String> {
    let abs = amount.amount.checked_abs();
    let abs = abs.ok_or_else(|| format!("{amount} is too large"))?;
    Ok(Money::new(abs, amount.currency))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Currency, Ts};

    fn nzd(value: &str) -> Amount {
        Amount {
            currency_code: "NZD".to_owned(),
            value: value.to_owned(),
        }
    }

    fn payment() -> Info {
        Info {
            transaction_id: "27M47624FP291604U".to_owned(),
            paypal_reference_id: None,
            paypal_reference_id_type: None,
            transaction_event_code: "T0006".to_owned(),
            transaction_initiation_date: "2025-11-20T02:00:00+0000".to_owned(),
            transaction_amount: nzd("115.00"),
            fee_amount: Some(nzd("-4.26")),
            transaction_status: "S".to_owned(),
            invoice_id: Some("0193".to_owned()),
            custom_field: Some("0193".to_owned()),
        }
    }

    fn refund() -> Info {
        Info {
            transaction_id: "1JU08902781691411".to_owned(),
            paypal_reference_id: Some("27M47624FP291604U".to_owned()),
            paypal_reference_id_type: Some("TXN".to_owned()),
            transaction_event_code: "T1107".to_owned(),
            transaction_amount: nzd("-15.00"),
            fee_amount: None,
            invoice_id: Some("RF0193".to_owned()),
            custom_field: None,
            ..payment()
        }
    }

    #[test]
    fn a_payment_is_read_with_its_fee() {
        let line = payment().line(7).unwrap().unwrap();
        assert_eq!((line.line, line.kind), (7, LineKind::Payment));
        assert_eq!(line.out_trade_no.as_deref(), Some("0193"));
        assert_eq!(line.transaction_id.as_deref(), Some("27M47624FP291604U"));
        assert_eq!(line.amount, Money::new(11_500, Currency::NZD));
        assert_eq!(line.fee, Some(426_000));
        assert_eq!(line.status, LineStatus::Succeeded);
        assert_eq!(line.at, Ts::parse("2025-11-20T02:00:00Z").unwrap());
    }

    #[test]
    fn a_refund_names_itself_and_its_payment_whichever_number_the_line_carries() {
        let line = refund().line(1).unwrap().unwrap();
        assert_eq!(line.kind, LineKind::Refund);
        assert_eq!(line.out_refund_no.as_deref(), Some("RF0193"));
        assert_eq!(line.out_trade_no, None);
        assert_eq!(line.transaction_id.as_deref(), Some("27M47624FP291604U"));
        assert_eq!(line.refund_id.as_deref(), Some("1JU08902781691411"));
        assert_eq!(line.amount, Money::new(1_500, Currency::NZD));

        let of_the_payment = Info {
            invoice_id: Some("0193".to_owned()),
            ..refund()
        };
        let line = of_the_payment.line(1).unwrap().unwrap();
        assert_eq!(line.out_refund_no, None);
        assert_eq!(line.out_trade_no.as_deref(), Some("0193"));
    }

    #[test]
    fn money_taken_back_by_others_is_shown_and_other_business_is_not() {
        let with_code = |code: &str, value: &str| Info {
            transaction_event_code: code.to_owned(),
            transaction_amount: nzd(value),
            fee_amount: None,
            ..payment()
        };
        for code in ["T1106", "T1201"] {
            let line = with_code(code, "-115.00").line(1).unwrap().unwrap();
            assert_eq!((line.kind, line.out_refund_no), (LineKind::Refund, None));
        }
        for (code, value) in [
            ("T0200", "1.00"),
            ("T0400", "-5.00"),
            ("T0006", "-3.00"),
            ("T1107", "3.00"),
        ] {
            assert_eq!(with_code(code, value).line(1), Ok(None), "{code}");
        }
        let mut dollars = payment();
        dollars.transaction_amount.currency_code = "USD".to_owned();
        assert_eq!(dollars.line(1), Ok(None));
    }

    #[test]
    fn what_is_not_understood_is_said_and_not_left_out() {
        let with = |change: fn(&mut Info)| {
            let mut info = payment();
            change(&mut info);
            info.line(1).unwrap_err()
        };
        with(|info| info.transaction_status = "X".to_owned());
        with(|info| info.transaction_event_code = "0006".to_owned());
        with(|info| info.transaction_amount.value = "1e3".to_owned());
        with(|info| info.transaction_initiation_date = "yesterday".to_owned());
        with(|info| info.fee_amount = Some(nzd("-92233720368547758.08")));
        with(|info| info.fee_amount = Some(Amount::of(Money::fen(-1))));
    }
}
