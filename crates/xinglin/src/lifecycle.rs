//! `lifecycle`: the picture of a lifecycle, drawn from its table.

use crate::language::LanguageName;
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
    /// As a drawing, which is what comes if nothing is said.
    #[arg(long, conflicts_with = "mermaid")]
    svg: bool,
    /// As text for Mermaid.
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

/// `lifecycle ...`.
pub fn run(args: &LifecycleArgs) -> Result<()> {
    let language = args.language.into();
    let picture = match args.kind {
        Kind::Consultation => drawn::<ConsultationStatus>(args, language),
        Kind::Payment => drawn::<PaymentStatus>(args, language),
        Kind::Refund => drawn::<RefundStatus>(args, language),
        Kind::Session => drawn::<SessionStatus>(args, language),
    };
    print!("{picture}");
    Ok(())
}

fn drawn<S: Status>(args: &LifecycleArgs, language: Language) -> String {
    if args.mermaid {
        mermaid::<S>(language)
    } else {
        svg::<S>(language)
    }
}
