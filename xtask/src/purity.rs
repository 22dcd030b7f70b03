//! The purity rules: `domain` knows no outside world, and only `store` knows SQL.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::source::{Source, is_word, rust_files};

/// What `domain` may not name, and what it does instead.
const IMPURE: &[(&str, &str)] = &[
    ("tokio", "domain waits for nothing"),
    ("async", "domain waits for nothing"),
    ("reqwest", "domain calls nobody; return an effect"),
    ("sqlx", "domain stores nothing; return a Decision"),
    ("std::fs", "domain reads no files"),
    ("std::net", "domain calls nobody; return an effect"),
    ("std::thread", "domain starts nothing"),
    ("rand", "chance is an argument"),
    ("new_v4", "new ids are arguments"),
    ("now_v7", "new ids are arguments"),
    ("SystemTime", "`now` is an argument"),
    ("Instant::now", "`now` is an argument"),
    ("Timestamp::now", "`now` is an argument"),
    ("Zoned::now", "`now` is an argument"),
];

/// How a string literal begins that is SQL; the second word, if any, must follow somewhere.
const SQL: &[(&str, &str)] = &[
    ("SELECT ", ""),
    ("INSERT INTO ", ""),
    ("UPDATE ", " SET "),
    ("DELETE FROM ", ""),
    ("WITH ", "SELECT "),
    ("CREATE TABLE ", ""),
    ("CREATE INDEX ", ""),
    ("ALTER TABLE ", ""),
    ("DROP TABLE ", ""),
];

/// Prints each breach of the two rules, and fails if there is one.
pub fn check() -> Result<()> {
    let mut breaches = Vec::new();
    for path in rust_files(Path::new("crates"))? {
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let source = Source::parse(&text);
        let shown = path.display();
        if path.starts_with("crates/domain/src") {
            let found = impurities(&source);
            breaches.extend(
                found
                    .into_iter()
                    .map(|(line, what)| format!("{shown}:{line}: {what}")),
            );
        }
        if !may_hold_sql(&path) {
            let found = sql_outside_tests(&source);
            breaches.extend(found.into_iter().map(|line| {
                format!("{shown}:{line}: SQL in a string; only crates/store knows SQL")
            }));
        }
    }
    for breach in &breaches {
        println!("error: {breach}");
    }
    ensure!(
        breaches.is_empty(),
        "{} breach(es) of the purity rules",
        breaches.len()
    );
    Ok(())
}

/// The lines of `source` that name something impure, and why not.
fn impurities(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in source.lines().iter().enumerate() {
        for (word, instead) in IMPURE.iter().filter(|(word, _)| names(line, word)) {
            found.push((index + 1, format!("`{word}` in domain: {instead}")));
        }
    }
    found
}

/// Whether `line` holds `word` as a whole word or path.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(place, _)| {
        let before = line.get(..place).and_then(|text| text.chars().next_back());
        let after = line
            .get(place + word.len()..)
            .and_then(|text| text.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The store, tests (`tests/`, `tests.rs`) and benchmarks (`bench.rs`, `bench/`, `benches/`) may.
fn may_hold_sql(path: &Path) -> bool {
    path.starts_with("crates/store")
        || path.iter().any(|part| {
            let part = part.to_string_lossy();
            let stem = part.strip_suffix(".rs").unwrap_or(&part);
            stem == "tests" || stem.ends_with("_tests") || stem.starts_with("bench")
        })
}

/// The lines of string literals that are SQL and stand outside `#[cfg(test)]` items.
fn sql_outside_tests(source: &Source) -> Vec<usize> {
    let tests = test_items(source);
    let sql = source
        .literals
        .iter()
        .filter(|literal| is_sql(&literal.text));
    sql.map(|literal| literal.line)
        .filter(|line| {
            !tests
                .iter()
                .any(|(first, last)| (first..=last).contains(&line))
        })
        .collect()
}

fn is_sql(text: &str) -> bool {
    let words = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
    SQL.iter()
        .any(|(start, then)| words.starts_with(start) && words.contains(then))
}

/// First and last line of each item under `#[cfg(test)]`.
fn test_items(source: &Source) -> Vec<(usize, usize)> {
    let marker: Vec<char> = "#[cfg(test)]".chars().collect();
    let places = source.code.windows(marker.len()).enumerate();
    let marked = places
        .filter(|(_, window)| *window == marker)
        .map(|(place, _)| place);
    marked
        .filter_map(|place| {
            let mut after = source.code.iter().enumerate().skip(place);
            let (open, bracket) = after.find(|(_, c)| matches!(c, '{' | ';'))?;
            let end = if *bracket == '{' {
                source.closing_brace(open)?
            } else {
                open
            };
            Some((source.line_of(place), source.line_of(end)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impure_words_are_found_in_code_only() {
        let source = Source::parse(
            "use rand::Rng;\n// tokio\nlet brand = \"rand\";\njiff::Timestamp::now()\nlet operand = 1;",
        );
        let lines: Vec<usize> = impurities(&source)
            .into_iter()
            .map(|(line, _)| line)
            .collect();
        assert_eq!(lines, [1, 4]);
    }

    #[test]
    fn sql_is_recognised_by_how_a_literal_begins() {
        assert!(is_sql("SELECT 1"));
        assert!(is_sql("\n    UPDATE orders SET version = 2"));
        assert!(is_sql("WITH due AS (SELECT id FROM timers) DELETE"));
        assert!(!is_sql("UPDATE the page"));
        assert!(!is_sql("Please SELECT a doctor"));
        assert!(!is_sql("SELECTED"));
    }

    #[test]
    fn sql_in_a_test_module_is_allowed() {
        let source = Source::parse(
            "f(\"SELECT 1\");\n#[cfg(test)]\nmod tests {\n  f(\"SELECT 2\");\n}\nf(\"SELECT 3\");",
        );
        assert_eq!(sql_outside_tests(&source), [1, 6]);
    }

    #[test]
    fn store_tests_and_bench_may_hold_sql() {
        for path in [
            "crates/store/src/order.rs",
            "crates/api/tests/a.rs",
            "crates/api/src/tests.rs",
            "crates/xinglin/src/bench/load.rs",
        ] {
            assert!(may_hold_sql(Path::new(path)), "{path}");
        }
        assert!(!may_hold_sql(Path::new("crates/engine/src/relay.rs")));
    }
}
