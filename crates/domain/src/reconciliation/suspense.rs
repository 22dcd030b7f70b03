//! What is posted where a difference is put on the suspense account.

use crate::Money;
use crate::ledger::{Account, Entry, EntryError, EntryKind, Posting};
use crate::payment::GatewayName;

/// The entry that brings a gateway's clearing account to what the gateway says. Of each gap, what is
/// more there is debited to clearing and owed on suspense; what is less there is the other way round.
///
/// # Errors
///
/// Where nothing is apart, or two gaps are of one currency.
pub fn suspense(gateway: GatewayName, gaps: &[Money]) -> Result<Entry, EntryError> {
    let clearing = Account::GatewayClearing(gateway);
    let sides = gaps.iter().flat_map(|gap| {
        [
            Posting::debit(clearing, *gap),
            Posting::credit(Account::Suspense, *gap),
        ]
    });
    Entry::new(EntryKind::SuspenseRecorded, sides.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;

    const WECHAT: GatewayName = GatewayName::WECHAT;
    const CLEARING: Account = Account::GatewayClearing(WECHAT);

    #[test]
    fn money_that_is_nobodys_is_owed_on_suspense() {
        let entry = suspense(WECHAT, &[Money::fen(3_000)]).unwrap();
        let sides = [
            Posting::debit(CLEARING, Money::fen(3_000)),
            Posting::credit(Account::Suspense, Money::fen(3_000)),
        ];
        assert_eq!(entry.postings(), sides);
    }

    #[test]
    fn money_that_nobody_asked_to_go_is_claimed_on_suspense() {
        let entry = suspense(WECHAT, &[Money::fen(-3_000)]).unwrap();
        let sides = [
            Posting::credit(CLEARING, Money::fen(3_000)),
            Posting::debit(Account::Suspense, Money::fen(3_000)),
        ];
        assert_eq!(entry.postings(), sides);
    }

    #[test]
    fn two_currencies_balance_each_by_itself() {
        let gaps = [Money::fen(-3_000), Money::new(3_000, Currency::NZD)];
        assert_eq!(suspense(WECHAT, &gaps).unwrap().postings().len(), 4);
        assert!(suspense(WECHAT, &[]).is_err());
    }
}
