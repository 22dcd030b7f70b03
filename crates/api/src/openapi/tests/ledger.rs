//! The ledger's answers against their schemas.

use super::house::NOW;
use super::{document, fits};
use crate::ledger::view;
use domain::ledger::{Account, EntryKind, Heading, TrialBalance, TrialLine};
use domain::lifecycle::Language;
use domain::payment::GatewayName;
use domain::{Currency, Money, OrderId, Ts, UserId};
use engine::{Against, ClosingPreview};
use serde_json::{Value, json};
use store::{
    AccountBalance, AccountEntry, Closing, DayMovements, EntryPlace, Movement, Unsettled,
    UnsettledMoney,
};
use uuid::Uuid;

const WECHAT: Account = Account::GatewayClearing(GatewayName::WECHAT);

fn holds(name: &str, value: &Value) {
    let document = serde_json::to_value(document()).unwrap();
    let schemas = &document["components"]["schemas"];
    assert!(schemas[name].is_object(), "{name}");
    fits(schemas, &schemas[name], value, name);
}

fn trial_balance() -> TrialBalance {
    let line = |account, debits, credits| TrialLine {
        account,
        currency: Currency::CNY,
        opening: 0,
        debits,
        credits,
    };
    TrialBalance {
        month: "2026-03".parse().unwrap(),
        lines: vec![line(WECHAT, 5, 0), line(Account::Patient, 0, 5)],
    }
}

fn every_reason() -> Vec<Against> {
    let unsettled = Unsettled {
        count: 1,
        oldest: vec![UnsettledMoney {
            order: OrderId(Uuid::nil()),
            gateway: GatewayName::WECHAT,
            amount: Money::fen(5),
            since: Ts::parse(NOW).unwrap(),
        }],
    };
    let next: domain::ledger::Month = "2026-02".parse().unwrap();
    vec![
        Against::Closed {
            on: next.first_day(),
        },
        Against::NothingPosted,
        Against::NotNext { next },
        Against::NotOver {
            closable_on: next.last_day(),
        },
        Against::Unbalanced,
        Against::Differences { count: 1 },
        Against::BillsUnread { count: 1 },
        Against::PaymentsUnknown(unsettled.clone()),
        Against::RefundsNotPaid(unsettled),
    ]
}

#[test]
fn accounts_days_and_entries_are_as_documented() {
    let at = Ts::parse(NOW).unwrap();
    for heading in Heading::ALL {
        let account = heading.account().unwrap_or(WECHAT);
        let mut seen = view::account(account, Language::Zh);
        holds("LedgerAccount", &seen);
        seen["balances"] = json!([view::balance(account, Currency::CNY, -5)]);
        holds("LedgerAccount", &seen);
    }
    let opening = AccountBalance {
        account: WECHAT,
        currency: Currency::CNY,
        balance: 7,
    };
    let day = DayMovements {
        day: "2026-03-02".parse().unwrap(),
        movements: vec![Movement {
            account: WECHAT,
            currency: Currency::CNY,
            debits: 5,
            credits: 2,
        }],
    };
    let days = view::by_day(&[opening], &[day], Language::En);
    assert_eq!(days[0]["closing"]["amount"], 10);
    holds(
        "BalancesByDay",
        &json!({ "from": "2026-03-02", "to": "2026-03-02", "zone": null, "accounts": days }),
    );
    let entry = AccountEntry {
        place: EntryPlace {
            entry: Uuid::nil(),
            line: 0,
        },
        order: OrderId(Uuid::nil()),
        kind: EntryKind::PaymentReceived,
        at,
        amount: -5,
        currency: Currency::CNY,
    };
    let seen = view::entry(Account::Patient, &entry, Language::En);
    assert_eq!(
        (&seen["side"], &seen["amount"]),
        (&json!("credit"), &json!(5))
    );
    holds("AccountEntry", &seen);
}

#[test]
fn trial_balances_closings_and_previews_are_as_documented() {
    let at = Ts::parse(NOW).unwrap();
    let mut seen = view::trial_balance(&trial_balance(), Language::En);
    seen["month"] = json!("2026-03");
    seen["closedAt"] = json!(at);
    holds("TrialBalance", &seen);
    let closing = Closing {
        month: "2026-03".parse().unwrap(),
        begins_at: at,
        until: at,
        entries: 1,
        closed_at: at,
        closed_by: UserId(Uuid::nil()),
    };
    holds("Closing", &view::closing(&closing));
    let preview = ClosingPreview {
        month: closing.month,
        begins_at: at,
        until: at,
        entries: 1,
        balance: trial_balance(),
        against: every_reason(),
    };
    for language in [Language::En, Language::Zh] {
        let seen = view::preview(&preview, language);
        holds("ClosingPreview", &seen);
        assert_eq!(seen["mayBeClosed"], false);
    }
}
