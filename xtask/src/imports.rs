//! Who may import whom: the architecture, as a rule over `cargo metadata`.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::guard;

/// Each crate of ours and the crates of ours it may import. Dev-dependencies may go wider: see [`reason_against`].
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("store", &["domain"]),
    ("connectors", &["domain"]),
    ("sandbox", &["domain", "connectors"]),
    ("engine", &["domain", "store", "connectors"]),
    ("api", &["domain", "store", "engine"]),
    ("portal", &["domain", "store", "engine"]),
    ("simulation", &["domain", "store", "engine", "sandbox"]),
    (
        "xinglin",
        &[
            "domain",
            "store",
            "connectors",
            "sandbox",
            "engine",
            "api",
            "portal",
            "simulation",
        ],
    ),
    ("xtask", &[]),
    // Sandbox: its notices are the gateways' own. Connectors: their check is measured alone, too.
    (
        "bench",
        &["domain", "store", "connectors", "sandbox", "engine", "api"],
    ),
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// None for a normal dependency, otherwise `dev` or `build`.
    kind: Option<String>,
    /// Given for the crates of this workspace.
    path: Option<String>,
}

/// Prints each import that the architecture forbids, and fails if there is one.
pub fn check() -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata = serde_json::from_str(&guard::output_of(&mut cargo)?)
        .context("cannot read what `cargo metadata` says")?;
    let breaches = breaches(&metadata);
    for breach in &breaches {
        println!("error: {breach}");
    }
    ensure!(
        breaches.is_empty(),
        "{} import(s) against the architecture",
        breaches.len()
    );
    Ok(())
}

fn breaches(metadata: &Metadata) -> Vec<String> {
    let mut found = Vec::new();
    for package in &metadata.packages {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == package.name) else {
            found.push(format!(
                "{} has no rule: say in xtask/src/imports.rs whom it may import",
                package.name
            ));
            continue;
        };
        for dependency in &package.dependencies {
            if let Some(reason) = reason_against(&package.name, allowed, dependency) {
                let kind = dependency
                    .kind
                    .as_deref()
                    .map(|kind| format!("{kind}-"))
                    .unwrap_or_default();
                found.push(format!(
                    "{} has the {kind}dependency {}; {reason}",
                    package.name, dependency.name
                ));
            }
        }
    }
    found
}

/// The rule that forbids `dependency`, if one does.
fn reason_against(package: &str, allowed: &[&str], dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    if name == "sqlx" || name.starts_with("sqlx-") {
        return (package != "store").then(|| "rule: only store knows SQL".to_owned());
    }
    if dependency.path.is_none() || allowed.contains(&name) {
        return None;
    }
    if dependency.kind.as_deref() == Some("dev") && package != "domain" {
        return None; // tests may look from further away, but for the domain's: they are pure too
    }
    Some(match allowed {
        [] => format!("rule: {package} imports none of our crates"),
        allowed => format!("rule: {package} imports only {}", allowed.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(package: &str, dependency: &str, kind: Option<&str>) -> Vec<String> {
        let dependency = Dependency {
            name: dependency.to_owned(),
            kind: kind.map(str::to_owned),
            path: MAY_IMPORT
                .iter()
                .any(|(name, _)| *name == dependency)
                .then(|| "crates".to_owned()),
        };
        let package = Package {
            name: package.to_owned(),
            dependencies: vec![dependency],
        };
        breaches(&Metadata {
            packages: vec![package],
        })
    }

    #[test]
    fn what_the_architecture_allows_passes() {
        assert!(found("engine", "store", None).is_empty());
        assert!(found("simulation", "sandbox", None).is_empty());
        assert!(found("engine", "serde", None).is_empty());
        assert!(found("store", "sqlx", None).is_empty());
    }

    #[test]
    fn a_breach_names_the_import_and_the_rule() {
        assert_eq!(
            found("api", "portal", None),
            ["api has the dependency portal; rule: api imports only domain, store, engine"]
        );
        assert_eq!(
            found("domain", "store", Some("build")),
            ["domain has the build-dependency store; rule: domain imports none of our crates"]
        );
    }

    #[test]
    fn dev_dependencies_go_wider_except_for_the_domain() {
        assert!(found("engine", "sandbox", Some("dev")).is_empty());
        assert!(found("api", "sandbox", Some("dev")).is_empty());
        assert_eq!(found("domain", "engine", Some("dev")).len(), 1);
    }

    #[test]
    fn only_the_store_has_sqlx() {
        assert_eq!(
            found("engine", "sqlx", None),
            ["engine has the dependency sqlx; rule: only store knows SQL"]
        );
        assert_eq!(found("api", "sqlx", Some("dev")).len(), 1);
    }

    #[test]
    fn a_new_crate_needs_a_rule() {
        assert!(found("helpers", "domain", None)[0].starts_with("helpers has no rule"));
    }
}
