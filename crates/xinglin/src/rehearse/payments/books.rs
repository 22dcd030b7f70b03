//! Our ledger beside the gateways' own book.

use super::Stage;
use super::planting::Expected;
use super::repairing::Repaired;
use anyhow::Result;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Contract fees, as the sandbox's gateways take them.
const FEES: &str = r#"{
    "wechat": { "basisPoints": 60 }, "alipay": { "basisPoints": 60 }, "unionpay": { "basisPoints": 60 },
    "paypal": { "basisPoints": 340, "fixed": 45 }, "stripe": { "basisPoints": 270, "fixed": 30 }
}"#;

/// Gateway and currency.
type Place = (String, String);

/// What each gateway holds for us, by both.
#[derive(Debug, Default)]
pub struct Books {
    ledger: BTreeMap<Place, i64>,
    theirs: BTreeMap<Place, i64>,
}

/// A gateway's line of the report, in minor units.
#[derive(Debug)]
pub struct Line {
    /// Gateway and currency.
    pub place: Place,
    /// By our ledger.
    pub ledger: i64,
    /// By its own book.
    pub theirs: i64,
    /// What was put on the suspense account on the word of a bill that was made wrong.
    pub planted: i64,
}

impl Stage<'_> {
    /// Both books as they stand.
    pub(super) async fn books(&self) -> Result<Books> {
        let mut books = Books::default();
        let place = |gateway: &Value, currency: &Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(gateway), text(currency))
        };
        let accounts = self
            .client
            .get("operator1", "/admin/ledger/accounts")
            .await?;
        for account in accounts.as_array().into_iter().flatten() {
            let name = account["name"].as_str().unwrap_or_default();
            if !name.starts_with("gateway_clearing:") {
                continue;
            }
            for balance in account["balances"].as_array().into_iter().flatten() {
                let amount = balance["amount"].as_i64().unwrap_or(0);
                let amount = if balance["side"] == "credit" {
                    -amount
                } else {
                    amount
                };
                let place = place(&account["gateway"], &balance["currency"]);
                *books.ledger.entry(place).or_default() += amount;
            }
        }
        let book = self
            .client
            .control(Method::GET, "/book", &json!({}))
            .await?;
        for of in book["gateways"].as_array().into_iter().flatten() {
            let place = place(&of["gateway"], &of["currency"]);
            *books.theirs.entry(place).or_default() += of["net"].as_i64().unwrap_or(0);
        }
        Ok(books)
    }

    /// The gateways' contracts, so that fees are checked, too.
    pub(super) async fn fees(&self) -> Result<()> {
        let path = "/admin/configs/reconciliation";
        let now = self.client.get("admin1", path).await?;
        let mut value = now["value"].clone();
        let fees: Value = serde_json::from_str(FEES)?;
        if value["fees"] == fees {
            return Ok(());
        }
        value["fees"] = fees;
        let body = json!({ "value": value, "version": now["version"] });
        self.client.put("admin1", path, body).await?;
        Ok(())
    }
}

/// What the ledger moved beside the gateways' book must be, to the last minor unit, what was put on
/// suspense on the word of the planted bills; a line for each gateway, and what does not agree.
pub fn agree(
    before: &Books,
    after: &Books,
    repaired: &Repaired,
    expected: &[Expected],
) -> (Vec<Line>, Vec<String>) {
    let mut planted: BTreeMap<Place, i64> = BTreeMap::new();
    let mut add = |gateway: &Value, gap: &Value, sign: i64| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let place = (text(gateway), text(&gap["currency"]));
        *planted.entry(place).or_default() += sign * gap["amount"].as_i64().unwrap_or(0);
    };
    for settled in repaired.settled.values() {
        for gap in &settled.suspense {
            add(&settled.gateway, gap, 1);
        }
    }
    // Money that really moved there is in their book already.
    for (gateway, gap) in expected.iter().filter_map(Expected::real_gap) {
        add(&gateway, &gap, -1);
    }
    let mut places: Vec<&Place> = after.ledger.keys().chain(after.theirs.keys()).collect();
    places.sort();
    places.dedup();
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for place in places {
        let of = |all: &BTreeMap<Place, i64>| all.get(place).copied().unwrap_or(0);
        let line = Line {
            place: place.clone(),
            ledger: of(&after.ledger) - of(&before.ledger),
            theirs: of(&after.theirs) - of(&before.theirs),
            planted: of(&planted),
        };
        if line.ledger != line.theirs + line.planted {
            wrong.push(format!(
                "{place:?}: our ledger and the gateway's book don't agree: {line:?}"
            ));
        }
        lines.push(line);
    }
    (lines, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearse::payments::repairing::Settled;
    use domain::payment::GatewayName;
    use domain::reconciliation::DifferenceKind;
    use jiff::civil::date;

    fn books(ledger: i64, theirs: i64) -> Books {
        let of = |amount| BTreeMap::from([(("wechat".to_owned(), "CNY".to_owned()), amount)]);
        Books {
            ledger: of(ledger),
            theirs: of(theirs),
        }
    }

    fn on_suspense(amount: i64) -> Repaired {
        let settled = Settled {
            repair: "RECORD_SUSPENSE".to_owned(),
            by_two: false,
            suspense: vec![json!({ "amount": amount, "currency": "CNY" })],
            gateway: json!("wechat"),
            unproven: None,
        };
        Repaired {
            settled: BTreeMap::from([("1".to_owned(), settled)]),
            wrong: Vec::new(),
        }
    }

    #[test]
    fn the_books_agree_to_the_last_fen_or_it_is_told() {
        let before = books(100, 70);
        for (ledger, theirs, is_well) in [(600, 570, true), (601, 570, false), (600, 571, false)] {
            let after = books(ledger, theirs);
            let (lines, wrong) = agree(&before, &after, &Repaired::default(), &[]);
            assert_eq!((lines.len(), wrong.is_empty()), (1, is_well));
        }
    }

    #[test]
    fn suspense_counts_where_the_bill_alone_was_wrong_and_not_where_money_moved() {
        let (before, repaired) = (books(0, 0), on_suspense(-40));
        // The bill alone: the gateway still has what we put on suspense.
        let (_, wrong) = agree(&before, &books(460, 500), &repaired, &[]);
        assert_eq!(wrong, Vec::<String>::new());
        // The gateway really paid it: only now both agree.
        let real = [Expected {
            kind: DifferenceKind::RefundPaidByHandToo,
            gateway: GatewayName::WECHAT,
            day: date(2026, 3, 2),
            with: Vec::new(),
            real: Some(json!({ "amount": -40, "currency": "CNY" })),
        }];
        let (_, wrong) = agree(&before, &books(460, 460), &repaired, &real);
        assert_eq!(wrong, Vec::<String>::new());
        let (_, wrong) = agree(&before, &books(460, 500), &repaired, &real);
        assert_eq!(wrong.len(), 1);
    }
}
