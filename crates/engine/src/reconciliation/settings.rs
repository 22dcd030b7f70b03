//! The business setting of reconciliation.

use domain::payment::GatewayName;
use domain::reconciliation::ContractFee;
use domain::{Currency, Money};
use jiff::civil::{Time, time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// When days are reconciled, what fees gateways take by contract, and above which amounts two people
/// decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReconciliationSettings {
    /// When the day before is reconciled, by the hospital's clock. Chinese gateways make their bills
    /// from 9:00 to 10:00.
    #[serde(default = "half_past_ten")]
    pub run_at: Time,
    /// Up to which amount one person decides about a difference, at most one for a currency. Where a
    /// currency has none, two always do.
    #[serde(default = "hundred_yuan")]
    pub approval_limits: Vec<Money>,
    /// What gateways take of a payment by contract. A gateway that is not here is not checked.
    #[serde(default)]
    pub fees: BTreeMap<GatewayName, ContractFee>,
}

fn half_past_ten() -> Time {
    time(10, 30, 0, 0)
}

fn hundred_yuan() -> Vec<Money> {
    vec![Money::fen(10_000)]
}

impl Default for ReconciliationSettings {
    fn default() -> Self {
        Self {
            run_at: half_past_ten(),
            approval_limits: hundred_yuan(),
            fees: BTreeMap::new(),
        }
    }
}

/// Limits that are amounts, one for a currency, and fees that are not more than all.
pub(crate) fn sensible(settings: &ReconciliationSettings) -> Result<(), String> {
    let mut seen: BTreeSet<Currency> = BTreeSet::new();
    for limit in &settings.approval_limits {
        if limit.amount < 0 {
            return Err("approvalLimits: an amount must be 0 or more".to_owned());
        }
        if !seen.insert(limit.currency) {
            let currency = limit.currency;
            return Err(format!("approvalLimits: {currency} has two limits"));
        }
    }
    match settings
        .fees
        .iter()
        .find(|(_, fee)| fee.basis_points > 10_000)
    {
        Some((gateway, _)) => Err(format!("fees.{gateway}: basisPoints are 10000 at most")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_left_out_is_the_default() {
        let read: ReconciliationSettings = serde_json::from_value(json!({})).unwrap();
        assert_eq!(read, ReconciliationSettings::default());
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(
            written,
            json!({
                "runAt": "10:30:00", "approvalLimits": [{ "amount": 10_000, "currency": "CNY" }],
                "fees": {},
            })
        );
        let own = json!({ "runAt": "11:00", "fees": { "wechat": { "basisPoints": 60 } }, "approvalLimits": [] });
        let read: ReconciliationSettings = serde_json::from_value(own).unwrap();
        assert_eq!(read.run_at, time(11, 0, 0, 0));
        assert_eq!(
            read.fees[&GatewayName::WECHAT],
            ContractFee::basis_points(60)
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in [
            json!({ "runAt": "25:00" }),
            json!({ "fees": { "wechat": 60 } }),
            json!({ "fees": { "WeChat": { "basisPoints": 60 } } }),
            json!({ "limit": 1 }),
        ] {
            let read = serde_json::from_value::<ReconciliationSettings>(wrong.clone());
            assert!(read.is_err(), "{wrong}");
        }
        let limits = |approval_limits| {
            let settings = ReconciliationSettings {
                approval_limits,
                ..Default::default()
            };
            sensible(&settings)
        };
        assert!(limits(vec![Money::fen(0), Money::new(1, Currency::NZD)]).is_ok());
        assert!(limits(vec![Money::fen(-1)]).is_err());
        assert!(limits(vec![Money::fen(1), Money::fen(2)]).is_err());
        let all = ContractFee::basis_points(10_001);
        let fees = BTreeMap::from([(GatewayName::WECHAT, all)]);
        let settings = ReconciliationSettings {
            fees,
            ..Default::default()
        };
        assert!(sensible(&settings).is_err());
    }
}
