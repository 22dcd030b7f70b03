//! What a journey asserts: status, money, journal, ledger.

use super::{Person, World};
use domain::OrderId;
use domain::ledger::Account;
use serde_json::Value;
use std::collections::BTreeMap;
use store::{Backlog, EntryRow};
use uuid::Uuid;

/// Money is somewhere outside, whoever brought it.
const fn kind_of(account: Account) -> &'static str {
    match account {
        Account::GatewayClearing(_) | Account::Offline => "money",
        Account::Patient => "patient",
        Account::PlatformRevenue => "platform_revenue",
        Account::RefundReserve => "refund_reserve",
        Account::DoctorPayable
        | Account::PharmacyPayable
        | Account::ClinicAccount
        | Account::Suspense
        | Account::GatewayFees
        | Account::Rounding => "no part of a consultation",
    }
}

impl World {
    pub async fn order(&self, order: &str) -> Value {
        self.get(&self.operator, &format!("/orders/{order}"))
            .await
            .data()
            .clone()
    }

    pub async fn status(&self, order: &str) -> i64 {
        self.order(order).await["statusCode"]
            .as_i64()
            .expect("statusCode")
    }

    /// Asserts where an order stands, what was paid and what went back, in fen.
    pub async fn stands(&self, order: &str, status: i64, paid: i64, refunded: i64) {
        let now = self.order(order).await;
        let found = (
            now["statusCode"].as_i64(),
            now["paid"]["amount"].as_i64(),
            now["refunded"]["amount"].as_i64(),
        );
        assert_eq!(found, (Some(status), Some(paid), Some(refunded)), "{now:#}");
    }

    /// The statuses that the journal tells of, in order, without notes.
    pub async fn path(&self, order: &str) -> Vec<i64> {
        let journal = self
            .get(&self.operator, &format!("/orders/{order}/journal"))
            .await;
        let lines = journal.data().as_array().expect("lines").clone();
        let mut path: Vec<i64> = Vec::new();
        for line in lines {
            let to = line["to"]["code"].as_i64().expect("code");
            if path.last() != Some(&to) {
                path.push(to);
            }
        }
        path
    }

    /// Asserts an order's whole story: where it stands, what was paid and what went back in fen, the
    /// statuses that its journal tells of, and that its ledger says the same.
    pub async fn ended(&self, order: &str, status: i64, paid: i64, refunded: i64, path: &[i64]) {
        self.stands(order, status, paid, refunded).await;
        assert_eq!(self.path(order).await, path);
        assert_eq!(
            path.last(),
            Some(&status),
            "the journal ends where the order stands"
        );
        self.ledger(order, paid, refunded).await;
    }

    /// Asserts that an order's entries balance, and that its accounts are what its payments and
    /// refunds make them: nothing is kept that was not earned, nothing promised is forgotten.
    pub async fn ledger(&self, order: &str, paid: i64, refunded: i64) {
        let id = OrderId(Uuid::parse_str(order).expect("id"));
        let entries = self.engine.store().entries(id).await.expect("entries");
        let mut accounts: BTreeMap<&str, i64> = BTreeMap::new();
        for entry in &entries {
            let sum: i64 = entry.postings.iter().map(|posting| posting.amount).sum();
            assert_eq!(sum, 0, "{entry:?}");
            for posting in &entry.postings {
                *accounts.entry(kind_of(posting.account)).or_default() += posting.amount;
            }
        }
        let now = self.order(order).await;
        let refunds = now["refunds"].as_array().expect("refunds");
        let sum_of = |statuses: &[&str]| -> i64 {
            let counted = refunds
                .iter()
                .filter(|refund| statuses.contains(&refund["status"].as_str().expect("status")));
            counted
                .filter_map(|refund| refund["amount"]["amount"].as_i64())
                .sum()
        };
        assert_eq!(sum_of(&["SUCCEEDED"]), refunded, "{now:#}");
        let promised = sum_of(&["PROCESSING", "FAILED"]);
        let rest = paid - refunded - promised;
        let is_over = now["statusCode"]
            .as_i64()
            .is_some_and(|status| status >= 900);
        let (held, earned) = if is_over { (0, rest) } else { (rest, 0) };
        let of = |account: &str| accounts.get(account).copied().unwrap_or(0);
        let found = (
            of("money"),
            of("refund_reserve"),
            of("patient"),
            of("platform_revenue"),
        );
        assert_eq!(
            found,
            (paid - refunded, -promised, -held, -earned),
            "{entries:#?}"
        );
    }

    /// Everything that is kept about an order: itself with payments, refunds and deadline, its
    /// journal, its movements of money, and how much work waits in all.
    pub async fn picture(&self, order: &str) -> (Value, Value, Vec<EntryRow>, Backlog) {
        let id = OrderId(Uuid::parse_str(order).expect("id"));
        let store = self.engine.store();
        let path = format!("/orders/{order}/journal");
        (
            self.order(order).await,
            self.get(&self.operator, &path).await.data().clone(),
            store.entries(id).await.expect("entries"),
            store.backlog().await.expect("backlog"),
        )
    }

    /// Whether the journal has a line with this reason, for notes that move no status.
    pub async fn noted(&self, who: &Person, order: &str, reason: &str) -> bool {
        let journal = self.get(who, &format!("/orders/{order}/journal")).await;
        let lines = journal.data().as_array().expect("lines").clone();
        lines.iter().any(|line| line["reason"] == reason)
    }

    /// The doctor whom the order was offered to.
    pub async fn assigned(&self, order: &str) -> Person {
        let now = self.order(order).await;
        let id = now["detail"]["doctor"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{now:#}"))
            .to_owned();
        self.doctors
            .iter()
            .find(|d| d.id.to_string() == id)
            .expect("one of ours")
            .clone()
    }

    /// What every journey ends with: nothing is inconsistent, and our ledger and the gateway's book
    /// agree to the last fen.
    pub async fn leaves_nothing_behind(&self) {
        self.settle().await;
        let findings = self.engine.store().check(self.now()).await.expect("check");
        assert!(findings.is_empty(), "{findings:#?}");
        self.agrees_with_the_gateways().await;
    }
}
