//! The two tables as the documentation shows them (`docs/ledger.md`; a test holds the page against
//! them).

use super::chart::Heading;
use super::entry::EntryKind;
use crate::lifecycle::Language;
use std::fmt::Write;

/// The chart of accounts, as a Markdown table.
pub fn chart_page() -> String {
    let mut text = String::from(
        "| code | account | name | 名称 | type | balance, as a rule | posted by |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for heading in Heading::ALL {
        let name = match heading.account() {
            Some(account) => account.to_string(),
            None => format!("{}:GATEWAY", heading.name()),
        };
        let kind = heading.account_type();
        // Writing to a String can't fail.
        writeln!(
            text,
            "| {} | `{name}` | {} | {} | {} | {} | {} |",
            heading.code(),
            heading.label(Language::En),
            heading.label(Language::Zh),
            kind.name(),
            kind.normal_side().name(),
            posted_by(*heading)
        )
        .ok();
    }
    text
}

/// The movements that touch an account; some wait for what will post to them.
fn posted_by(heading: Heading) -> String {
    let touches =
        |kind: &&EntryKind| kind.debits().contains(&heading) || kind.credits().contains(&heading);
    let kinds = EntryKind::ALL.iter().filter(touches);
    let names: Vec<String> = kinds.map(|kind| format!("`{}`", kind.name())).collect();
    if names.is_empty() {
        "nothing yet".to_owned()
    } else {
        names.join(", ")
    }
}

/// Which movement posts what, as a Markdown table.
pub fn kinds_page() -> String {
    let mut text =
        String::from("| movement | name | 名称 | debits | credits |\n|---|---|---|---|---|\n");
    let names = |headings: &[Heading]| {
        let names: Vec<String> = headings
            .iter()
            .map(|heading| format!("`{}`", heading.name()))
            .collect();
        names.join(" or ")
    };
    for kind in EntryKind::ALL {
        writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            kind.name(),
            kind.label(Language::En),
            kind.label(Language::Zh),
            names(kind.debits()),
            names(kind.credits())
        )
        .ok();
    }
    text
}
