//! The table form of a lifecycle: written once, read like the specification.
//!
//! Everything that depends on "which status may follow which" reads these rows: the check on every
//! step, the journal's wording, filters, diagrams, labels, the API's enums and the tests.

mod svg;

pub use svg::svg;

use serde::{Deserialize, Serialize};
use std::fmt::{self, Debug, Write};
use std::hash::Hash;

/// In which modes of an order a status occurs (spec 10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Modes {
    /// In every mode, or the kind has no modes.
    Both,
    /// Only when a doctor is found by dispatch.
    Dispatch,
    /// Only when the patient queues for a session.
    Clinic,
}

impl Modes {
    /// As the specification's tables write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Dispatch => "dispatch",
            Self::Clinic => "clinic",
        }
    }
}

/// Who must act for the order to leave a status (spec 70, stuck-order radar).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The patient.
    Patient,
    /// The doctor.
    Doctor,
    /// A part of the program.
    System,
    /// The counterparty that moves the money.
    Gateway,
    /// Hospital operations.
    Operations,
    /// Nobody: the status is terminal.
    Nobody,
}

/// One row of a lifecycle's table.
#[derive(Debug)]
pub struct Row<S: 'static> {
    /// The number in the database and the API.
    pub code: u16,
    /// The constant's name in the API, such as `PENDING_PAYMENT`.
    pub constant: &'static str,
    /// The label in Chinese.
    pub zh: &'static str,
    /// The label in English.
    pub en: &'static str,
    /// Where it occurs.
    pub modes: Modes,
    /// Who must act.
    pub owner: Owner,
    /// The statuses it may go to.
    pub next: &'static [S],
    /// Whether it may also go back to the status it was suspended from (501, review refused).
    pub returns: bool,
}

/// A status of some lifecycle.
pub trait Status: Copy + Eq + Hash + Debug + Send + Sync + 'static {
    /// The lifecycle's name, such as `consultation`.
    const KIND: &'static str;
    /// Every status, in the table's order.
    const ALL: &'static [Self];

    /// This status's row.
    fn row(self) -> &'static Row<Self>;

    /// The number in the database and the API.
    fn code(self) -> u16 {
        self.row().code
    }

    /// The constant's name in the API.
    fn constant(self) -> &'static str {
        self.row().constant
    }

    /// The label a person reads.
    fn label(self, language: Language) -> &'static str {
        match language {
            Language::Zh => self.row().zh,
            Language::En => self.row().en,
        }
    }

    /// Terminal statuses have no way out, ever.
    fn is_terminal(self) -> bool {
        self.row().next.is_empty() && !self.row().returns
    }

    /// Whether the table lets this status be followed by `to`; `suspended` is the status that a
    /// review may give back.
    fn may_become(self, to: Self, suspended: Option<Self>) -> bool {
        self.row().next.contains(&to) || (self.row().returns && suspended == Some(to))
    }

    /// The status of this number, if there is one.
    fn from_code(code: u16) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|status| status.code() == code)
    }

    /// The status of this constant, if there is one.
    fn from_constant(constant: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|status| status.constant() == constant)
    }
}

/// The languages that people read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// Simplified Chinese, zh-CN.
    #[default]
    Zh,
    /// English.
    En,
}

/// A status that the database or a caller named and that no table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownStatus {
    /// The lifecycle.
    pub kind: &'static str,
    /// What was given.
    pub given: String,
}

impl fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a status of {}", self.given, self.kind)
    }
}

impl std::error::Error for UnknownStatus {}

/// Writes a lifecycle's table. A row reads: code, name, constant, labels, modes, owner, where it
/// may go; `+ original` where it may also go back to the status it came from.
#[macro_export]
macro_rules! lifecycle {
    (
        $(#[$doc:meta])*
        $name:ident of $kind:literal {
            $($code:literal $status:ident $constant:ident $zh:literal $en:literal
              $modes:ident $owner:ident => [$($next:ident),*] $(+ $returns:ident)?;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u16)]
        pub enum $name {
            $(#[doc = concat!(stringify!($code), " ", $zh, ": ", $en, ".")] $status = $code,)+
        }

        impl $crate::lifecycle::Status for $name {
            const KIND: &'static str = $kind;
            const ALL: &'static [Self] = &[$(Self::$status,)+];

            fn row(self) -> &'static $crate::lifecycle::Row<Self> {
                match self {
                    $(Self::$status => {
                        const RETURNS: &[&str] = &[$(stringify!($returns))?];
                        const ROW: $crate::lifecycle::Row<$name> = $crate::lifecycle::Row {
                            code: $code,
                            constant: stringify!($constant),
                            zh: $zh,
                            en: $en,
                            modes: $crate::lifecycle::Modes::$modes,
                            owner: $crate::lifecycle::Owner::$owner,
                            next: &[$($name::$next,)*],
                            returns: !RETURNS.is_empty(),
                        };
                        &ROW
                    })+
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u16(*self as u16)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let code = u16::deserialize(deserializer)?;
                <Self as $crate::lifecycle::Status>::from_code(code).ok_or_else(|| {
                    serde::de::Error::custom(format!("{code} is not a status of {}", $kind))
                })
            }
        }

        impl TryFrom<i32> for $name {
            type Error = $crate::lifecycle::UnknownStatus;
            fn try_from(code: i32) -> Result<Self, Self::Error> {
                u16::try_from(code)
                    .ok()
                    .and_then(<Self as $crate::lifecycle::Status>::from_code)
                    .ok_or_else(|| $crate::lifecycle::UnknownStatus {
                        kind: $kind,
                        given: code.to_string(),
                    })
            }
        }

        impl From<$name> for i32 {
            fn from(status: $name) -> Self {
                Self::from(status as u16)
            }
        }
    };
}

/// The table as a Mermaid state diagram.
pub fn mermaid<S: Status>(language: Language) -> String {
    let mut text = String::from("stateDiagram-v2\n");
    for status in S::ALL {
        writeln!(
            text,
            "    s{0}: {0} {1}",
            status.code(),
            status.label(language)
        )
        .ok();
    }
    if let Some(first) = S::ALL.first() {
        writeln!(text, "    [*] --> s{}", first.code()).ok();
    }
    for status in S::ALL {
        for next in status.row().next {
            writeln!(text, "    s{} --> s{}", status.code(), next.code()).ok();
        }
        if status.row().returns {
            let code = status.code();
            let back = match language {
                Language::Zh => "退回原状态",
                Language::En => "back to the status before",
            };
            writeln!(
                text,
                "    state \"{back}\" as original\n    s{code} --> original"
            )
            .ok();
        }
        if status.is_terminal() {
            writeln!(text, "    s{} --> [*]", status.code()).ok();
        }
    }
    text
}
