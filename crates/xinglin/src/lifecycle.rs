//! `lifecycle`: the picture of a lifecycle, drawn from its table.

use anyhow::Result;
use clap::{Args, ValueEnum};
use domain::consultation::ConsultationStatus;
use domain::lifecycle::{Language, Status, mermaid, svg};
use domain::payment::{PaymentStatus, RefundStatus};
use domain::session::SessionStatus;

/// Which lifecycle, and how.
#[derive(Debug, Args)]
pub struct LifecycleArgs {
    /// Which.
    #[arg(value_enum)]
    kind: Kind,
    /// As a picture.
    #[arg(long, conflicts_with = "mermaid")]
    svg: bool,
    /// As text for Mermaid (the default).
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
        Kind::Consultation => draw::<ConsultationStatus>(args.svg, language),
        Kind::Payment => draw::<PaymentStatus>(args.svg, language),
        Kind::Refund => draw::<RefundStatus>(args.svg, language),
        Kind::Session => draw::<SessionStatus>(args.svg, language),
    };
    print!("{picture}");
    Ok(())
}

fn draw<S: Status>(as_picture: bool, language: Language) -> String {
    if as_picture { svg::<S>(language) } else { mermaid::<S>(language) }
}
