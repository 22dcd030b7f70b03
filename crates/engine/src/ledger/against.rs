//! What stands against the closing of a month.

use domain::ledger::Month;
use domain::lifecycle::Language;
use jiff::civil::Date;
use store::Unsettled;

/// What stands against the closing of a month, or should be known before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// It was closed before.
    Closed {
        /// On which day in the hospital's zone.
        on: Date,
    },
    /// Nothing was ever posted.
    NothingPosted,
    /// Another month comes first.
    NotNext {
        /// Which.
        next: Month,
    },
    /// It is not over for long enough.
    NotOver {
        /// From the beginning of which day on it may be closed.
        closable_on: Date,
    },
    /// Its columns don't sum to the same: see the consistency check.
    Unbalanced,
    /// Bills of gateways and our books differ on days of it.
    Differences {
        /// How many times.
        count: i64,
    },
    /// Bills of days of it that gateways have not given, or were not asked for: nobody knows whether they agree. It does
    /// not stand against it, or a gateway could keep all books open.
    BillsUnread {
        /// How many, one a gateway and day.
        count: usize,
    },
    /// Payments asked for before its end of which it is not known whether money came. The gateway
    /// may have had the money in this month, and no account shows it.
    PaymentsUnknown(Unsettled),
    /// Refunds granted before its end that have not gone. The ledger shows them as owed, which is
    /// right whenever they go: they don't stand against it.
    RefundsNotPaid(Unsettled),
}

impl Against {
    /// Whether the month can't be closed because of it.
    pub const fn blocks(&self) -> bool {
        match self {
            Self::Closed { .. } | Self::NothingPosted | Self::NotNext { .. } => true,
            Self::NotOver { .. } | Self::Unbalanced => true,
            Self::Differences { .. } | Self::PaymentsUnknown(_) => true,
            Self::BillsUnread { .. } | Self::RefundsNotPaid(_) => false,
        }
    }

    /// As in the API.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::NothingPosted => "nothing_posted",
            Self::NotNext { .. } => "not_next",
            Self::NotOver { .. } => "not_over",
            Self::Unbalanced => "unbalanced",
            Self::Differences { .. } => "differences",
            Self::BillsUnread { .. } => "bills_unread",
            Self::PaymentsUnknown(_) => "payments_unknown",
            Self::RefundsNotPaid(_) => "refunds_not_paid",
        }
    }

    /// The payments or refunds that it is about.
    pub const fn unsettled(&self) -> Option<&Unsettled> {
        match self {
            Self::PaymentsUnknown(of) | Self::RefundsNotPaid(of) => Some(of),
            Self::Closed { .. }
            | Self::NothingPosted
            | Self::NotNext { .. }
            | Self::NotOver { .. }
            | Self::Unbalanced
            | Self::Differences { .. }
            | Self::BillsUnread { .. } => None,
        }
    }

    /// For people.
    pub fn words(&self, language: Language) -> String {
        match language {
            Language::Zh => self.chinese(),
            Language::En => self.english(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Closed { on } => format!("it was closed on {on}"),
            Self::NothingPosted => "nothing was ever posted".to_owned(),
            Self::NotNext { next } => format!("months are closed in their order: {next} is next"),
            Self::NotOver { closable_on } => {
                format!("it may be closed a day after its end, from {closable_on} on")
            }
            Self::Unbalanced => "debits and credits differ: run the consistency check".to_owned(),
            Self::Differences { count } => format!(
                "{count} differences between gateways' bills and the books of its days are open: settle them"
            ),
            Self::BillsUnread { count } => {
                format!("{count} bills of its days were not read: whether they agree is not known")
            }
            Self::PaymentsUnknown(of) => format!(
                "of {} payments asked for before its end it is not known whether money came: settle them",
                of.count
            ),
            Self::RefundsNotPaid(of) => format!(
                "{} refunds granted before its end have not gone yet: they stay owed",
                of.count
            ),
        }
    }

    fn chinese(&self) -> String {
        match self {
            Self::Closed { on } => format!("该月已于 {on} 结账"),
            Self::NothingPosted => "账簿中还没有任何记账".to_owned(),
            Self::NotNext { next } => format!("须按月份顺序结账，下一个月是 {next}"),
            Self::NotOver { closable_on } => {
                format!("月末满一天后才能结账，最早 {closable_on}")
            }
            Self::Unbalanced => "借贷不平，请先运行一致性检查".to_owned(),
            Self::Differences { count } => {
                format!("该月还有 {count} 条对账差异未处理，请先处理")
            }
            Self::BillsUnread { count } => {
                format!("该月还有 {count} 份渠道账单未核对，是否一致未知")
            }
            Self::PaymentsUnknown(of) => {
                format!("月末前发起的 {} 笔支付结果未知，请先查清", of.count)
            }
            Self::RefundsNotPaid(of) => {
                format!("月末前批准的 {} 笔退款尚未付出，仍记为应付", of.count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_shown_right_anyway_or_is_not_ours_to_give_lets_a_month_be_closed() {
        let some = Unsettled {
            count: 2,
            oldest: Vec::new(),
        };
        let next: Month = "2026-03".parse().unwrap();
        let on = next.last_day();
        let blocking = [
            Against::Closed { on },
            Against::NothingPosted,
            Against::NotNext { next },
            Against::NotOver { closable_on: on },
            Against::Unbalanced,
            Against::Differences { count: 1 },
            Against::PaymentsUnknown(some.clone()),
        ];
        assert!(blocking.iter().all(Against::blocks));
        assert!(!Against::BillsUnread { count: 1 }.blocks());
        let owed = Against::RefundsNotPaid(some);
        assert!(!owed.blocks());
        assert!(owed.words(Language::En).starts_with("2 refunds"));
        assert!(owed.words(Language::Zh).contains("2 笔退款"));
    }
}
