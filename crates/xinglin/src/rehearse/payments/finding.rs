//! The days are reconciled, and what was found is held against what was planted.

use super::course::gateways;
use super::planting::Expected;
use super::{LOOK, Stage, text};
use anyhow::{Result, bail};
use domain::reconciliation::DifferenceKind as K;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long another run of a day may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the reconciliation found.
#[derive(Debug)]
pub struct Found {
    /// The gateways' days.
    pub days: Vec<Value>,
    /// Their differences that are still found.
    pub differences: Vec<Value>,
}

/// What was found beside what was planted.
#[derive(Debug)]
pub struct Compared<'a> {
    /// Each planted one with what was found of it.
    pub planted: Vec<(&'a Expected, Vec<&'a Value>)>,
    /// What nobody planted and what explains itself: things of around midnight.
    neighbours: Vec<&'a Value>,
    /// What nobody planted and nothing explains.
    unexplained: Vec<&'a Value>,
    /// Days whose money the differences don't explain, or that were not reconciled.
    days: Vec<String>,
}

impl Stage<'_> {
    /// Reconciles the day and those beside it at each gateway, twice: the second time, all bills
    /// beside each are known.
    pub(super) async fn reconcile(&self) -> Result<Found> {
        let days = [self.day.yesterday()?, self.day, self.day.tomorrow()?];
        let mut found = Found {
            days: Vec::new(),
            differences: Vec::new(),
        };
        for is_last in [false, true] {
            for gateway in gateways() {
                for day in days {
                    let body = json!({ "gateway": gateway, "day": day });
                    let one = self.reconciled(&body).await?;
                    if is_last {
                        found.days.push(one);
                    }
                }
            }
        }
        for day in &found.days {
            let all = self.differences(&text(&day["id"])?).await?;
            let still = all.into_iter().filter(|one| one["status"] != "GONE");
            found.differences.extend(still);
        }
        Ok(found)
    }

    /// One day at one gateway; another run of it is waited for.
    async fn reconciled(&self, body: &Value) -> Result<Value> {
        let since = Instant::now();
        loop {
            let path = "/admin/reconciliation";
            let asked = self.client.call("operator1", Method::POST, path, body);
            let answer = asked.await?;
            if answer.status != StatusCode::CONFLICT {
                return answer.data();
            }
            if since.elapsed() > PATIENCE {
                bail!("{body} is being reconciled by somebody else all the time");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A day's differences, page by page.
    async fn differences(&self, day: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for page in 1.. {
            let path = format!("/admin/reconciliation/{day}?limit=100&page={page}");
            let detail = self.client.get("operator1", &path).await?;
            let items = detail["items"].as_array().cloned().unwrap_or_default();
            let is_last = items.len() < 100;
            all.extend(items);
            if is_last {
                break;
            }
        }
        Ok(all)
    }
}

/// Holds what was found against what was planted.
pub fn compare<'a>(found: &'a Found, expected: &'a [Expected]) -> Compared<'a> {
    let mut left: Vec<&Value> = found.differences.iter().collect();
    let mut planted = Vec::new();
    for one in expected {
        let is_it = |row: &&Value| is_found(one, row);
        let rows: Vec<&Value> = left.iter().copied().filter(is_it).collect();
        left.retain(|row| !is_it(row));
        planted.push((one, rows));
    }
    let explains_itself = |row: &&Value| {
        let kind = row["kind"].as_str().and_then(K::from_constant);
        let is_neighbour = matches!(
            kind,
            Some(K::PaymentNeighbouringDay | K::RefundNeighbouringDay)
        );
        is_neighbour && row["status"] == "EXPLAINED"
    };
    let (neighbours, unexplained) = left.into_iter().partition(explains_itself);
    Compared {
        planted,
        neighbours,
        unexplained,
        days: found
            .days
            .iter()
            .filter_map(|day| not_explained(day, &found.differences))
            .collect(),
    }
}

fn is_found(one: &Expected, row: &Value) -> bool {
    row["kind"] == one.kind.constant()
        && row["gateway"] == json!(one.gateway)
        && row["day"] == json!(one.day)
        && one.with.iter().all(|(field, value)| row[*field] == *value)
}

/// Every minor unit between the bill's net and ours is in the day's differences.
fn not_explained(day: &Value, differences: &[Value]) -> Option<String> {
    let name = format!("{} at {}", day["day"], day["gateway"]);
    let states = ["matched", "differing", "settled"];
    if !states.iter().any(|state| day["state"] == *state) {
        return Some(format!("{name} is {}: {}", day["state"], day["error"]));
    }
    let of_day = differences
        .iter()
        .filter(|one| one["reconciliationId"] == day["id"]);
    let gaps: Vec<&Value> = of_day
        .flat_map(|one| one["gap"].as_array().into_iter().flatten())
        .collect();
    for sums in day["sums"].as_array().into_iter().flatten() {
        let of_currency = gaps
            .iter()
            .filter(|gap| gap["currency"] == sums["currency"]);
        let explained: i64 = of_currency.filter_map(|gap| gap["amount"].as_i64()).sum();
        if sums["gap"] != json!(explained) {
            return Some(format!(
                "{name}: bill and books are {} {} apart, the differences say {explained}",
                sums["gap"], sums["currency"]
            ));
        }
    }
    None
}

impl Compared<'_> {
    /// How many differences nobody planted and nothing explains.
    pub fn unexplained(&self) -> usize {
        self.unexplained.len() + self.days.len()
    }

    /// What chance did around midnight.
    pub fn by_chance(&self) -> String {
        format!(
            "{} more differences of neighbouring days, each explained by the other day's bill",
            self.neighbours.len()
        )
    }

    /// What is otherwise than promised, in words.
    pub fn wrong(&self, url: &str) -> Vec<String> {
        let mut wrong = self.days.clone();
        for (one, rows) in &self.planted {
            if rows.len() != 1 {
                wrong.push(format!(
                    "{} was planted at {} on {} with {:?}, and was found {} times",
                    one.kind.constant(),
                    one.gateway,
                    one.day,
                    one.with,
                    rows.len()
                ));
            }
        }
        for row in &self.unexplained {
            wrong.push(format!(
                "unexplained: {} at {} on {}, {} {} {}: here {}, there {}, {}\n  look  GET {}/api/v1/admin/reconciliation/differences/{} (as operator1@demo.xinglin)",
                row["kind"], row["gateway"], row["day"], row["status"], row["outTradeNo"], row["outRefundNo"],
                row["here"], row["there"], row["note"], url.trim_end_matches('/'),
                row["id"].as_str().unwrap_or_default()
            ));
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::payment::GatewayName as G;
    use jiff::civil::date;

    fn row(kind: K, number: &str, status: &str, gap: i64) -> Value {
        json!({
            "id": "1", "reconciliationId": "day", "kind": kind.constant(), "gateway": "wechat",
            "day": "2026-03-02", "outTradeNo": number, "status": status,
            "gap": [{ "amount": gap, "currency": "CNY" }],
        })
    }

    fn found(gap: i64, differences: Vec<Value>) -> Found {
        let sums = json!([{ "currency": "CNY", "gap": gap }]);
        let day = json!({
            "id": "day", "gateway": "wechat", "day": "2026-03-02", "state": "differing", "sums": sums,
        });
        Found {
            days: vec![day],
            differences,
        }
    }

    fn planted(kind: K, number: &str) -> Expected {
        Expected {
            kind,
            gateway: G::WECHAT,
            day: date(2026, 3, 2),
            with: vec![("outTradeNo", json!(number))],
            real: None,
        }
    }

    #[test]
    fn what_was_planted_and_found_once_and_what_explains_itself_is_no_trouble() {
        let neighbour = row(K::PaymentNeighbouringDay, "b", "EXPLAINED", 500);
        let missing = row(K::PaymentMissingThere, "a", "OPEN", -3_000);
        let found = found(-2_500, vec![missing, neighbour]);
        let expected = [planted(K::PaymentMissingThere, "a")];
        let compared = compare(&found, &expected);
        assert_eq!((compared.unexplained(), compared.neighbours.len()), (0, 1));
        assert_eq!(compared.wrong("http://here"), Vec::<String>::new());
    }

    #[test]
    fn what_was_not_found_or_found_twice_or_under_another_name_is_told() {
        let missing = || row(K::PaymentMissingThere, "a", "OPEN", -3_000);
        let expected = [planted(K::PaymentMissingThere, "a")];
        for (gap, rows, told) in [
            (0, vec![], 1),
            (-6_000, vec![missing(), missing()], 1),
            // Not found under its name, and something else is.
            (
                -3_000,
                vec![row(K::PaymentStatusDiffers, "a", "OPEN", -3_000)],
                2,
            ),
            // A neighbouring day that nothing explains yet.
            (
                -3_001,
                vec![missing(), row(K::PaymentNeighbouringDay, "b", "OPEN", -1)],
                1,
            ),
        ] {
            let found = found(gap, rows);
            let wrong = compare(&found, &expected).wrong("http://here");
            assert_eq!(wrong.len(), told, "{wrong:#?}");
        }
    }

    #[test]
    fn a_day_whose_money_the_differences_do_not_explain_is_told() {
        let found = found(-1, vec![]);
        let compared = compare(&found, &[]);
        assert_eq!(compared.unexplained(), 1);
        assert!(compared.wrong("")[0].contains("apart"), "{compared:?}");
    }
}
