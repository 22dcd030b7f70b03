//! `docs/reconciliation.md` tells the kinds, repairs and statuses of the tables, no more and no less.

use domain::lifecycle::{Language, Status};
use domain::reconciliation::{DifferenceKind, DifferenceStatus, Repair};
use std::path::Path;

fn page() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reconciliation.md");
    std::fs::read_to_string(file).unwrap()
}

/// The rows of the table under a heading.
fn rows(page: &str, heading: &str) -> Vec<String> {
    let (_, after) = page.split_once(&format!("## {heading}\n")).unwrap();
    let lines = after.lines().take_while(|line| !line.starts_with("## "));
    let rows = lines.filter(|line| line.starts_with('|')).skip(2);
    rows.map(str::to_owned).collect()
}

#[test]
fn the_page_has_every_kind_with_its_meaning_and_repairs() {
    let row = |kind: &DifferenceKind| {
        let repairs: Vec<&str> = kind.repairs().iter().map(|one| one.constant()).collect();
        format!(
            "| `{}` | {} | {} | {} | {} | {} | `{}` |",
            kind.constant(),
            kind.label(Language::Zh),
            kind.label(Language::En),
            kind.severity().name(),
            kind.at_loss().name(),
            kind.says(),
            repairs.join("`, `")
        )
    };
    let of_table: Vec<String> = DifferenceKind::ALL.iter().map(row).collect();
    assert_eq!(rows(&page(), "Kinds of differences"), of_table);
}

#[test]
fn the_page_has_every_repair() {
    let row = |repair: &Repair| {
        format!(
            "| `{}` | {} | {} | {} |",
            repair.constant(),
            repair.label(Language::Zh),
            repair.label(Language::En),
            repair.says()
        )
    };
    let of_table: Vec<String> = Repair::ALL.iter().map(row).collect();
    assert_eq!(rows(&page(), "Repairs"), of_table);
}

#[test]
fn the_page_has_every_status() {
    let row = |status: &DifferenceStatus| {
        format!(
            "| {} `{}` | {} | {} |",
            status.code(),
            status.constant(),
            status.label(Language::Zh),
            status.label(Language::En)
        )
    };
    let of_table: Vec<String> = DifferenceStatus::ALL.iter().map(row).collect();
    assert_eq!(rows(&page(), "Where a difference stands"), of_table);
}
