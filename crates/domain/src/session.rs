//! A doctor's opening hours on a day (spec 10, clinic mode).

use crate::lifecycle;

lifecycle! {
    /// Where a session stands. A pause keeps it open: nobody is called, nobody is sent away.
    SessionStatus of "session" {
        10 Scheduled SCHEDULED "未开诊" "Not yet open" Clinic Doctor => [Open, Cancelled, Expired];
        20 Open OPEN "已开诊" "Open" Clinic Doctor => [Paused, Closed, Cancelled];
        30 Paused PAUSED "暂停中" "Paused" Clinic Doctor => [Open, Closed, Cancelled];
        40 Closed CLOSED "已结束" "Closed" Clinic Nobody => [];
        50 Cancelled CANCELLED "已停诊" "Cancelled" Clinic Nobody => [];
        60 Expired EXPIRED "未曾开诊" "Never opened" Clinic Nobody => [];
    }
}

impl SessionStatus {
    /// Whether patients are seen in it; a pause counts.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Paused)
    }
}
