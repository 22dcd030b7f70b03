//! What is posted where a difference is put on the suspense account.

use crate::Money;
use crate::ledger::{Account, Entry, EntryError, EntryKind};
use crate::payment::GatewayName;

/// The entries that bring a gateway's clearing account to what the gateway says, one for each gap.
/// What is more there is debited to clearing and owed on suspense; what is less there is the other
/// way round.
///
/// # Errors
///
/// Where a gap is nothing, or more than an amount can hold.
pub fn suspense(gateway: GatewayName, gaps: &[Money]) -> Result<Vec<Entry>, EntryError> {
    let clearing = Account::GatewayClearing(gateway);
    let entry = |gap: &Money| {
        if gap.amount < 0 {
            let gone = Money::new(gap.amount.saturating_neg(), gap.currency);
            Entry::transfer(EntryKind::SuspenseOut, Account::Suspense, clearing, gone)
        } else {
            Entry::transfer(EntryKind::SuspenseIn, clearing, Account::Suspense, *gap)
        }
    };
    gaps.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;
    use crate::ledger::Posting;

    const WECHAT: GatewayName = GatewayName::WECHAT;
    const CLEARING: Account = Account::GatewayClearing(WECHAT);

    #[test]
    fn money_that_is_nobodys_is_owed_on_suspense() {
        let entries = suspense(WECHAT, &[Money::fen(3_000)]).unwrap();
        let sides = [
            Posting::debit(CLEARING, Money::fen(3_000)),
            Posting::credit(Account::Suspense, Money::fen(3_000)),
        ];
        assert_eq!((entries.len(), entries[0].postings()), (1, &sides[..]));
    }

    #[test]
    fn money_that_nobody_asked_to_go_is_claimed_on_suspense() {
        let entries = suspense(WECHAT, &[Money::fen(-3_000)]).unwrap();
        let sides = [
            Posting::debit(Account::Suspense, Money::fen(3_000)),
            Posting::credit(CLEARING, Money::fen(3_000)),
        ];
        assert_eq!((entries.len(), entries[0].postings()), (1, &sides[..]));
    }

    #[test]
    fn each_currency_is_an_entry_of_its_own() {
        let gaps = [Money::fen(-3_000), Money::new(3_000, Currency::NZD)];
        assert_eq!(suspense(WECHAT, &gaps).unwrap().len(), 2);
        assert_eq!(suspense(WECHAT, &[]), Ok(Vec::new()));
        assert!(suspense(WECHAT, &[Money::fen(0)]).is_err());
    }
}
