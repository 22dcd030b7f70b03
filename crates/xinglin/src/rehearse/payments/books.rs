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
