//! What only a consultation knows.

use super::Mode;
use super::matching::Score;
use super::refund::Quote;
use crate::lifecycle::Language;
use crate::{DepartmentId, SessionId, SlotId, Ts, UserId};
use serde::{Deserialize, Serialize};

/// How patient and doctor talk.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsultationType {
    /// Text and pictures.
    Text,
    /// By voice.
    Phone,
    /// By video.
    Video,
}

impl ConsultationType {
    /// As in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Phone => "phone",
            Self::Video => "video",
        }
    }

    /// The type of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Text, Self::Phone, Self::Video]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// How an offer to a doctor ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentEnd {
    /// The doctor accepted.
    Accepted,
    /// The doctor declined.
    Declined,
    /// The doctor let the time pass.
    TimedOut,
    /// The doctor went offline, and the offer with them.
    WentOffline,
    /// The order left for another reason, such as the patient's cancel.
    Withdrawn,
}

impl AssignmentEnd {
    /// As in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::TimedOut => "timed_out",
            Self::WentOffline => "went_offline",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// For people.
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Accepted, Language::Zh) => "已接单",
            (Self::Accepted, Language::En) => "accepted",
            (Self::Declined, Language::Zh) => "已拒单",
            (Self::Declined, Language::En) => "declined",
            (Self::TimedOut, Language::Zh) => "超时未接",
            (Self::TimedOut, Language::En) => "timed out",
            (Self::WentOffline, Language::Zh) => "医生离线",
            (Self::WentOffline, Language::En) => "went offline",
            (Self::Withdrawn, Language::Zh) => "订单已取消",
            (Self::Withdrawn, Language::En) => "cancelled",
        }
    }
}

/// One offer of the order to a doctor (spec 10, dispatch mode).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Assignment {
    /// To whom.
    pub doctor: UserId,
    /// When.
    pub offered_at: Ts,
    /// Why them: the score of every part, kept for operations.
    pub score: Score,
    /// How it ended; `None` while it is open.
    pub end: Option<AssignmentEnd>,
}

/// A cancel that waits for the gateway's word (101).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CancelAsked {
    /// When.
    pub at: Ts,
    /// The patient's words, if any.
    pub reason: Option<String>,
}

/// What the doctor writes at the end.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// What the patient came with.
    pub complaint: String,
    /// What the doctor found.
    pub findings: String,
    /// What the doctor advises.
    pub advice: String,
}

/// What a consultation was like, to choose from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RatingTag {
    /// The doctor took the time to listen.
    Attentive,
    /// It was explained so that one understands.
    Clear,
    /// The doctor knew what to do.
    Professional,
    /// Answers came at once.
    Prompt,
    /// It helped.
    Helpful,
    /// There was no time to listen.
    Hurried,
    /// It was not understood.
    Unclear,
    /// Answers took long.
    Slow,
    /// The tone was not right.
    Unfriendly,
    /// It did not help.
    Unhelpful,
}

impl RatingTag {
    /// All of them, those of praise first.
    pub const ALL: [Self; 10] = [
        Self::Attentive,
        Self::Clear,
        Self::Professional,
        Self::Prompt,
        Self::Helpful,
        Self::Hurried,
        Self::Unclear,
        Self::Slow,
        Self::Unfriendly,
        Self::Unhelpful,
    ];

    /// Its words, for patients to choose.
    pub const fn label(self, language: Language) -> &'static str {
        let (chinese, english) = match self {
            Self::Attentive => ("耐心细致", "Attentive"),
            Self::Clear => ("讲解清楚", "Clear"),
            Self::Professional => ("专业", "Professional"),
            Self::Prompt => ("回复及时", "Prompt"),
            Self::Helpful => ("很有帮助", "Helpful"),
            Self::Hurried => ("匆忙", "Hurried"),
            Self::Unclear => ("讲解不清", "Unclear"),
            Self::Slow => ("回复慢", "Slow"),
            Self::Unfriendly => ("态度不佳", "Unfriendly"),
            Self::Unhelpful => ("没有帮助", "Not helpful"),
        };
        match language {
            Language::Zh => chinese,
            Language::En => english,
        }
    }
}

/// What the patient says of it afterwards.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rating {
    /// 1 to 5.
    pub stars: u8,
    /// What it was like, each once, at most five.
    #[serde(default)]
    pub tags: Vec<RatingTag>,
    /// More words, if any.
    pub words: Option<String>,
    /// When.
    pub at: Ts,
}

/// What only a consultation knows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Detail {
    /// Dispatched or queued.
    pub mode: Mode,
    /// How patient and doctor talk.
    pub consultation_type: ConsultationType,
    /// Where.
    pub department: DepartmentId,
    /// What the patient came with, in their words.
    pub complaint: String,
    /// The doctor: offered or found (dispatch), booked (clinic).
    pub doctor: Option<UserId>,
    /// Every offer, oldest first (dispatch).
    pub assignments: Vec<Assignment>,
    /// Whether it takes one of the doctor's parallel consultations.
    pub holds_doctor: bool,
    /// When it first waited for a doctor: oldest first (dispatch).
    pub waiting_since: Option<Ts>,
    /// The booked session (clinic).
    pub session: Option<SessionId>,
    /// The booked slot (clinic).
    pub slot: Option<SlotId>,
    /// The slot's place in the session, from 0: the queue's first key.
    pub slot_index: u16,
    /// Whether it takes a place in the slot.
    pub holds_place: bool,
    /// The number taken; without gaps or repeats in a session.
    pub number: Option<u32>,
    /// The place in the queue; smaller is earlier. Kept while a refund is reviewed.
    pub queue_rank: Option<i64>,
    /// How often the patient was called.
    pub calls: u8,
    /// Whether the patient said "I'm here", or was seen on the order's page with the session open.
    pub checked_in: bool,
    /// Whether the patient was present at any moment of 400: decides who is at fault.
    pub patient_seen: bool,
    /// How often the connection failed in 400.
    pub connection_failures: u8,
    /// When the doctor started (401), put off by as long as refused reviews took: service time counts
    /// from here.
    pub started_at: Option<Ts>,
    /// When it ended (900).
    pub ended_at: Option<Ts>,
    /// A cancel that waits for the gateway's word.
    pub cancel_asked: Option<CancelAsked>,
    /// What the patient was shown when they cancelled; honoured as shown.
    pub quote: Option<Quote>,
    /// Whether the payment's outcome is unknown and being asked for.
    pub being_checked: bool,
    /// The doctor's summary.
    pub summary: Option<Summary>,
    /// The patient's rating.
    pub rating: Option<Rating>,
}

impl Detail {
    /// Whether this doctor had this order before and doesn't get it again.
    pub fn was_asked(&self, doctor: UserId) -> bool {
        self.assignments
            .iter()
            .any(|assignment| assignment.doctor == doctor)
    }
}
