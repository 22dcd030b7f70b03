//! Who may do what about a difference.

use domain::lifecycle::Status;
use domain::reconciliation::{
    Ask, Case, DifferenceKind as K, DifferenceStatus as S, Outcome, Repair, Ruling, SettleRefusal,
    settle,
};
use domain::{Currency, Money, UserId};
use uuid::Uuid;

const LIMITS: [Money; 1] = [Money::fen(10_000)];

fn ann() -> UserId {
    UserId(Uuid::from_u128(1))
}

fn bob() -> UserId {
    UserId(Uuid::from_u128(2))
}

fn case(fen: i64) -> Case {
    Case {
        kind: K::PaymentMissingHere,
        status: S::Open,
        at_stake: vec![Money::fen(fen)],
        repair: None,
        proposed_by: None,
        approved_by: None,
    }
}

fn propose(case: &Case, repair: Repair, reason: Option<&str>) -> Result<Outcome, SettleRefusal> {
    let reason = reason.map(str::to_owned);
    settle(case, &Ask::Propose { repair, reason }, ann(), &LIMITS)
}

fn ruled(to: S, repair: Repair) -> Result<Outcome, SettleRefusal> {
    Ok(Outcome::Ruled(Ruling { to, repair }))
}

#[test]
fn up_to_the_limit_one_person_decides() {
    let small = case(10_000);
    let done = propose(&small, Repair::RecordSuspense, None);
    assert_eq!(done, ruled(S::Approved, Repair::RecordSuspense));
    assert_eq!(
        propose(&small, Repair::Accept, Some("a test")),
        ruled(S::Accepted, Repair::Accept)
    );
    assert_eq!(
        propose(&small, Repair::ReturnMoney, Some("receipt 7")),
        ruled(S::Applied, Repair::ReturnMoney)
    );
}

#[test]
fn above_it_another_one_approves() {
    for (repair, to) in [
        (Repair::RecordSuspense, S::Approved),
        (Repair::ReturnMoney, S::Applied),
        (Repair::Accept, S::Accepted),
    ] {
        let mut large = case(10_001);
        let reason = Some("seen with the bank");
        assert_eq!(propose(&large, repair, reason), ruled(S::Proposed, repair));
        (large.status, large.repair, large.proposed_by) = (S::Proposed, Some(repair), Some(ann()));
        assert_eq!(propose(&large, repair, reason), Ok(Outcome::AlreadyDone));
        let own = settle(&large, &Ask::Approve, ann(), &LIMITS);
        assert_eq!(own, Err(SettleRefusal::SamePerson));
        assert_eq!(
            settle(&large, &Ask::Approve, bob(), &LIMITS),
            ruled(to, repair)
        );
        (large.status, large.approved_by) = (to, Some(bob()));
        assert_eq!(
            settle(&large, &Ask::Approve, bob(), &LIMITS),
            Ok(Outcome::AlreadyDone)
        );
    }
}

#[test]
fn somebody_who_thinks_otherwise_proposes_otherwise_and_is_the_proposer_then() {
    let mut large = case(10_001);
    (large.status, large.repair) = (S::Proposed, Some(Repair::RecordSuspense));
    large.proposed_by = Some(bob());
    let other = propose(&large, Repair::ReturnMoney, Some("receipt 7"));
    assert_eq!(other, ruled(S::Proposed, Repair::ReturnMoney));
    // The same repair by somebody else is no approval.
    let same = propose(&large, Repair::RecordSuspense, None);
    assert_eq!(same, ruled(S::Proposed, Repair::RecordSuspense));
}

#[test]
fn a_currency_without_a_limit_always_needs_two() {
    let mut foreign = case(1);
    foreign.at_stake = vec![Money::new(1, Currency::NZD)];
    assert!(foreign.needs_two(&LIMITS) && !case(1).needs_two(&LIMITS));
    foreign.at_stake.insert(0, Money::fen(1));
    assert!(foreign.needs_two(&LIMITS));
    foreign.at_stake.clear();
    assert!(!foreign.needs_two(&LIMITS), "nothing is at stake");
}

#[test]
fn what_a_person_vouches_for_needs_a_reason() {
    for repair in [Repair::Accept, Repair::ReturnMoney] {
        for reason in [None, Some(""), Some("  ")] {
            let refused = propose(&case(1), repair, reason);
            assert_eq!(refused, Err(SettleRefusal::NoReason { repair }));
        }
    }
    assert!(propose(&case(1), Repair::RecordSuspense, None).is_ok());
}

#[test]
fn only_what_settles_its_kind_is_done() {
    for repair in [Repair::QueryPayment, Repair::QueryRefund, Repair::AwaitBill] {
        let refused = propose(&case(1), repair, Some("why not")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "{} does not settle PAYMENT_MISSING_HERE: use RECORD_SUSPENSE, RETURN_MONEY, ACCEPT",
                repair.constant()
            )
        );
    }
}

#[test]
fn what_is_settled_stays_so() {
    for status in S::ALL
        .iter()
        .filter(|status| !matches!(status, S::Open | S::Proposed))
    {
        let mut settled = case(1);
        settled.status = *status;
        let refused = Err(SettleRefusal::Status {
            status: status.constant(),
        });
        assert_eq!(propose(&settled, Repair::RecordSuspense, None), refused);
        assert_eq!(settle(&settled, &Ask::Approve, bob(), &LIMITS), refused);
    }
    let open = settle(&case(1), &Ask::Approve, bob(), &LIMITS);
    assert_eq!(open, Err(SettleRefusal::Status { status: "OPEN" }));
}

#[test]
fn every_ruling_is_a_step_of_the_table() {
    for kind in K::ALL {
        for repair in Repair::ALL {
            for status in S::ALL {
                for fen in [1, 20_000] {
                    let case = Case {
                        kind: *kind,
                        status: *status,
                        ..case(fen)
                    };
                    let asks = [
                        Ask::Propose {
                            repair: *repair,
                            reason: Some("why".to_owned()),
                        },
                        Ask::Approve,
                    ];
                    for ask in asks {
                        if let Ok(Outcome::Ruled(ruling)) = settle(&case, &ask, ann(), &LIMITS) {
                            let from = case.status;
                            assert!(
                                from.may_become(ruling.to, None),
                                "{from:?} to {:?}",
                                ruling.to
                            );
                            assert_eq!(
                                ruling.starts(),
                                ruling.repair.is_done_by_program() && fen == 1
                            );
                        }
                    }
                }
            }
        }
    }
}
