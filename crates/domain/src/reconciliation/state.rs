//! How far the reconciliation of a day has come.

use crate::lifecycle::Language;

macro_rules! states {
    ($($state:ident $name:literal $zh:literal $en:literal $says:literal;)+) => {
        /// How far the reconciliation of a gateway's day has come.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum ReconciliationState {
            $(#[doc = $says] $state,)+
        }

        impl ReconciliationState {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$state,)+];

            /// As in the API.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$state => $name,)+ }
            }

            /// The label a person reads.
            pub const fn label(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$state, Language::Zh) => $zh, (Self::$state, Language::En) => $en,)+
                }
            }

            /// What it means, in one sentence, for the documentation.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$state => $says,)+ }
            }

            /// The state of this name, if there is one.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|state| state.name() == name)
            }
        }
    };
}

states! {
    Running "running" "对账中" "Under way" "The bill is being fetched and read.";
    Waiting "waiting" "等待账单" "Waits for the bill" "The gateway has not made the bill yet, or could not be reached; it is asked again.";
    Failed "failed" "对账失败" "Failed" "The gateway refused to give the bill: somebody must look.";
    Matched "matched" "平账" "Agrees" "Both sides have the same, or another day's bill explains what they have not.";
    Differing "differing" "有差异" "Differs" "There are differences that nobody has settled.";
    Settled "settled" "差异已处理" "Settled" "There were differences, and every one of them is repaired or accepted.";
}

/// What happened to a run, as it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Run {
    /// It goes on.
    Running,
    /// It waits for the bill.
    Waiting,
    /// The bill was refused.
    Failed,
    /// It came to its end.
    Done,
}

impl Run {
    /// As in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Done => "done",
        }
    }

    /// What happened by this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Running, Self::Waiting, Self::Failed, Self::Done];
        all.into_iter().find(|run| run.name() == name)
    }

    /// The state of a day whose run came so far, with so many differences that needed somebody, and
    /// so many of them not settled.
    pub const fn state(self, differences: u64, unsettled: u64) -> ReconciliationState {
        match (self, differences, unsettled) {
            (Self::Running, ..) => ReconciliationState::Running,
            (Self::Waiting, ..) => ReconciliationState::Waiting,
            (Self::Failed, ..) => ReconciliationState::Failed,
            (Self::Done, 0, _) => ReconciliationState::Matched,
            (Self::Done, _, 0) => ReconciliationState::Settled,
            (Self::Done, ..) => ReconciliationState::Differing,
        }
    }
}
