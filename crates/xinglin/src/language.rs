//! The language of what a command prints.

use clap::ValueEnum;
use domain::lifecycle::Language;

/// A language as it is given on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LanguageName {
    Zh,
    En,
}

impl From<LanguageName> for Language {
    fn from(name: LanguageName) -> Self {
        match name {
            LanguageName::Zh => Self::Zh,
            LanguageName::En => Self::En,
        }
    }
}
