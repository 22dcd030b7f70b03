//! What a rehearsal says at its end: which script ended how, where the money is, and every order
//! that broke its script's promise.

use super::play::{Play, Stage};
use super::script::{End, Script};
use anyhow::Result;
use domain::consultation::ConsultationStatus;
use domain::lifecycle::{Language, Status};
use std::collections::BTreeMap;

/// Orders, and fen paid and given back.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    orders: usize,
    paid: i64,
    back: i64,
}

impl Sum {
    fn add(&mut self, end: End) {
        self.orders += 1;
        self.paid += end.paid;
        self.back += end.back;
    }
}

/// How well patients' expected waits were met.
#[derive(Debug, Default)]
pub struct Waits {
    /// How long each really waited, and the two waits that they were told, in seconds.
    seen: Vec<(i64, i64, i64)>,
}

impl Waits {
    /// Somebody waited for so long, and had been told this.
    pub fn add(&mut self, waited: i64, p50: i64, p90: i64) {
        self.seen.push((waited, p50, p90));
    }

    /// In one line: how many were called by the shorter and by the longer time, and how far off the
    /// shorter one was.
    pub fn words(&self) -> String {
        let count = self.seen.len().max(1);
        let percent = |met: usize| met * 100 / count;
        let by_p50 = self
            .seen
            .iter()
            .filter(|(waited, p50, _)| waited <= p50)
            .count();
        let by_p90 = self
            .seen
            .iter()
            .filter(|(waited, _, p90)| waited <= p90)
            .count();
        let mut off: Vec<i64> = self
            .seen
            .iter()
            .map(|(waited, p50, _)| (waited - p50).abs())
            .collect();
        off.sort_unstable();
        let median = off.get(off.len() / 2).copied().unwrap_or(0);
        format!(
            "expected waits: {} told, {} % called by p50, {} % by p90; half of them within {} min of p50",
            self.seen.len(),
            percent(by_p50),
            percent(by_p90),
            (median + 59) / 60,
        )
    }
}

/// How the orders ended.
pub struct Report {
    rows: BTreeMap<(Script, i64), Sum>,
    differences: Vec<String>,
}

impl Report {
    /// Looks at every order.
    pub async fn of(stage: &Stage<'_>, played: &[(Script, Play)], url: &str) -> Result<Self> {
        let mut report = Self {
            rows: BTreeMap::new(),
            differences: Vec::new(),
        };
        for (script, play) in played {
            let promised = script.end(play.price);
            let got = stage.stands(play).await?;
            let row = report.rows.entry((*script, got.status)).or_default();
            row.add(got);
            if got != promised {
                report.differences.push(format!(
                    "{script:?}, order {order}\n  promised  {}\n  is        {}\n  \
                     look      GET {url}/api/v1/orders/{order}/journal (as operator1@demo.xinglin)",
                    words(promised),
                    words(got),
                    order = play.order,
                ));
            }
        }
        Ok(report)
    }

    /// How many orders ended otherwise than promised.
    pub fn differences(&self) -> usize {
        self.differences.len()
    }

    /// Prints the tables, and after them what is wrong.
    pub fn print(&self) {
        println!(
            "{:<28} {:>6}  {:<24} {:>11} {:>11}",
            "script", "orders", "end", "paid", "back"
        );
        let mut all = Sum::default();
        let mut by_status: BTreeMap<i64, Sum> = BTreeMap::new();
        for ((script, status), row) in &self.rows {
            line(&format!("{script:?}"), &label(*status), *row);
            for sum in [&mut all, by_status.entry(*status).or_default()] {
                sum.orders += row.orders;
                sum.paid += row.paid;
                sum.back += row.back;
            }
        }
        println!();
        for (status, row) in &by_status {
            line("", &label(*status), *row);
        }
        line("all", "", all);
        println!("{:<28} {:>55}", "held", yuan(all.paid - all.back));
        for difference in &self.differences {
            println!("\n{difference}");
        }
    }
}

fn line(script: &str, end: &str, row: Sum) {
    println!(
        "{script:<28} {:>6}  {end:<24} {:>11} {:>11}",
        row.orders,
        yuan(row.paid),
        yuan(row.back)
    );
}

fn words(end: End) -> String {
    let (paid, back) = (yuan(end.paid), yuan(end.back));
    format!("{}, paid {paid}, back {back}", label(end.status))
}

fn label(status: i64) -> String {
    let known = u16::try_from(status)
        .ok()
        .and_then(ConsultationStatus::from_code);
    let known = known.map_or("", |status| status.label(Language::En));
    format!("{status} {known}")
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
