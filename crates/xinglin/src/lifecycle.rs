//! `lifecycle`: the picture of a lifecycle, drawn from its table.

use anyhow::Result;
use clap::{Args, ValueEnum};
use domain::consultation::ConsultationStatus;
use domain::lifecycle::{Language, mermaid};
use domain::payment::{PaymentStatus, RefundStatus};
use domain::session::SessionStatus;

/// Which lifecycle, and how.
#[derive(Debug, Args)]
pub struct LifecycleArgs {
    /// Which.
    #[arg(value_enum)]
    kind: Kind,
    /// As text for Mermaid, the only form yet.
    #[arg(long)]
    mermaid: bool,
    /// The labels' language.
    #[arg(long, value_enum, default_value = "en")]
    language: LanguageName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Consultation,
    Payment,
    Refund,
    Session,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LanguageName {
    Zh,
    En,
}

/// `lifecycle ...`.
pub fn run(args: &LifecycleArgs) -> Result<()> {
    let language = match args.language {
        LanguageName::Zh => Language::Zh,
        LanguageName::En => Language::En,
    };
    let picture = match args.kind {
        Kind::Consultation => mermaid::<ConsultationStatus>(language),
        Kind::Payment => mermaid::<PaymentStatus>(language),
        Kind::Refund => mermaid::<RefundStatus>(language),
        Kind::Session => mermaid::<SessionStatus>(language),
    };
    print!("{picture}");
    Ok(())
}
