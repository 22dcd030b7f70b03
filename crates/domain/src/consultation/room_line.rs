//! What is said in a consultation's room when the order moves: both sides read in one place what was
//! said and what happened (spec 10, system lines).

use super::ConsultationStatus as S;
use crate::lifecycle::Language;
use crate::order::Step;

/// A line that the system says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RoomLine {
    /// The doctor took the order, or the patient answered the call: the room is open.
    Opened,
    /// The consultation began; its time counts from here.
    Started,
    /// The doctor's connection is lost; the doctor may come back.
    DoctorAway,
    /// The doctor is back.
    DoctorBack,
    /// Audio or video could not be connected.
    ConnectionFailed,
    /// A refund was asked for, or the consultation could not go on.
    BrokenOff,
    /// The refund was refused: it goes on where it was.
    Resumed,
    /// Nobody said a word for too long, or the time was over.
    TimedOut,
    /// The doctor ended the consultation.
    Ended,
    /// Money came that the order could not take: late, or a second time. It goes back by itself.
    LateMoney,
}

impl RoomLine {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Opened,
        Self::Started,
        Self::DoctorAway,
        Self::DoctorBack,
        Self::ConnectionFailed,
        Self::BrokenOff,
        Self::Resumed,
        Self::TimedOut,
        Self::Ended,
        Self::LateMoney,
    ];

    /// The line that a step is worth, if it is worth one.
    pub fn of(step: &Step<S>) -> Option<Self> {
        let talked = |status| matches!(status, S::PendingConsultation | S::InProgress);
        let came_from_a_talk = step.from.is_some_and(talked);
        match (step.to, step.reason) {
            (_, "late_money") => Some(Self::LateMoney),
            (S::InProgress, "doctor_away") => Some(Self::DoctorAway),
            (S::InProgress | S::RefundReviewing, "doctor_back") => Some(Self::DoctorBack),
            (S::PendingConsultation, "connection_failed") => Some(Self::ConnectionFailed),
            _ if step.from == Some(step.to) => None,
            (S::PendingConsultation | S::InProgress, _)
                if step.from == Some(S::RefundReviewing) =>
            {
                Some(Self::Resumed)
            }
            (S::PendingConsultation, _) => Some(Self::Opened),
            (S::InProgress, _) => Some(Self::Started),
            (S::ServiceTimeout, _) => Some(Self::TimedOut),
            (S::Completed, _) if came_from_a_talk => Some(Self::Ended),
            (S::RefundRequested | S::Refunding, _) if came_from_a_talk => Some(Self::BrokenOff),
            _ => None,
        }
    }

    /// Its name in the API and the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Started => "started",
            Self::DoctorAway => "doctor_away",
            Self::DoctorBack => "doctor_back",
            Self::ConnectionFailed => "connection_failed",
            Self::BrokenOff => "broken_off",
            Self::Resumed => "resumed",
            Self::TimedOut => "timed_out",
            Self::Ended => "ended",
            Self::LateMoney => "late_money",
        }
    }

    /// The line of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|line| line.name() == name)
    }

    /// Its words, for both sides to read.
    pub const fn words(self, language: Language) -> &'static str {
        let (chinese, english) = match self {
            Self::Opened => (
                "诊室已开放，可以开始交流",
                "The room is open: you can talk now",
            ),
            Self::Started => ("医生已开始问诊", "The doctor has begun the consultation"),
            Self::DoctorAway => (
                "医生的连接中断，正在等待医生回来",
                "The doctor's connection is lost; waiting for the doctor to come back",
            ),
            Self::DoctorBack => ("医生已回来", "The doctor is back"),
            Self::ConnectionFailed => (
                "音视频未能接通，请再试一次",
                "Audio or video could not be connected: please try again",
            ),
            Self::BrokenOff => (
                "问诊已中止，退款正在处理",
                "The consultation was broken off; the refund is being dealt with",
            ),
            Self::Resumed => (
                "退款申请未通过，问诊继续",
                "The refund was not granted; the consultation goes on",
            ),
            Self::TimedOut => ("问诊时间已到", "The time for the consultation is over"),
            Self::Ended => ("医生已结束问诊", "The doctor has ended the consultation"),
            Self::LateMoney => (
                "收到一笔迟到或重复的付款，系统正在原路全额退回",
                "A payment came late or twice; it is being refunded in full by itself",
            ),
        };
        match language {
            Language::Zh => chinese,
            Language::En => english,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(from: S, to: S, reason: &'static str) -> Option<RoomLine> {
        RoomLine::of(&Step {
            from: Some(from),
            to,
            reason,
            note: None,
        })
    }

    #[test]
    fn what_people_in_the_room_must_know_is_said() {
        use RoomLine as L;
        let (waits, talks) = (S::PendingConsultation, S::InProgress);
        let said = [
            (S::PendingAccept, waits, "accept", L::Opened),
            (S::Calling, waits, "answer", L::Opened),
            (waits, talks, "start", L::Started),
            (waits, waits, "connection_failed", L::ConnectionFailed),
            (waits, S::Refunding, "connection_failed", L::BrokenOff),
            (talks, talks, "doctor_away", L::DoctorAway),
            (talks, talks, "doctor_back", L::DoctorBack),
            (talks, S::RefundRequested, "cancel", L::BrokenOff),
            (S::RefundReviewing, talks, "review_refused", L::Resumed),
            (talks, S::ServiceTimeout, "timer_idle", L::TimedOut),
            (talks, S::Completed, "finish", L::Ended),
            (talks, talks, "late_money", L::LateMoney),
            (S::Cancelled, S::Cancelled, "late_money", L::LateMoney),
        ];
        for (from, to, reason, expected) in said {
            assert_eq!(line(from, to, reason), Some(expected), "{reason}");
        }
        let unsaid = [
            (S::Paying, S::Dispatching, "payment_succeeded"),
            (S::ServiceTimeout, S::Completed, "timer_idle"),
            (S::RefundRequested, S::RefundReviewing, "cancel"),
            (S::InQueue, S::RefundRequested, "cancel"),
            (S::Completed, S::Completed, "rate"),
            (talks, talks, "cancel_asked"),
        ];
        for (from, to, reason) in unsaid {
            assert_eq!(line(from, to, reason), None, "{reason}");
        }
    }

    #[test]
    fn every_line_has_a_name_of_its_own_and_words_in_both_languages() {
        for line in RoomLine::ALL {
            assert_eq!(RoomLine::from_name(line.name()), Some(line));
            let (zh, en) = (line.words(Language::Zh), line.words(Language::En));
            assert!(!zh.is_ascii() && en.is_ascii(), "{zh} {en}");
        }
    }
}
