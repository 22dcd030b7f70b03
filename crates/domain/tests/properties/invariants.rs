//! What always holds: of every decision, of every order at rest, and at the end.

use crate::world::World;
use domain::consultation::{Cause, Command, Consultation, ConsultationStatus as S, Decision, Mode};
use domain::lifecycle::{Modes, Status};
use domain::payment::{Purpose, RefundStatus};
use domain::{Currency, Money};
use std::collections::BTreeMap;

/// Of a decision: its steps, its version, its entries.
pub fn of_decision(before: &Consultation, command: &Command, decision: &Decision) {
    let after = &decision.order;
    let what = command.name();
    let mut at = before.status;
    for step in &decision.steps {
        assert_eq!(step.from, Some(at), "{what}: the journal has no gaps");
        let back = before.suspended.as_ref().map(|suspended| suspended.status);
        assert!(
            step.to == at || at.may_become(step.to, back),
            "{what}: {at:?} → {:?} is not in the table",
            step.to
        );
        at = step.to;
    }
    assert_eq!(
        at, after.status,
        "{what}: the journal ends where the order is"
    );
    let risen = i64::from(!decision.steps.is_empty());
    assert_eq!(after.version, before.version + risen, "{what}: version");
    if decision.steps.is_empty() {
        let mut same = after.clone();
        same.timers.clone_from(&before.timers);
        assert_eq!(&same, before, "{what}: changed without a journal line");
        assert!(decision.entries.is_empty() && decision.guards.is_empty());
    }
    if before.status.is_terminal() {
        assert_eq!(after.status, before.status, "{what}: terminal is for ever");
    }
    if before.status == S::PendingActivation && after.status == S::Cancelled {
        let here = before.detail.checked_in;
        assert!(!here, "{what}: a late patient who had checked in");
    }
    for entry in &decision.entries {
        let sum: i64 = entry.postings().iter().map(|posting| posting.amount).sum();
        assert_eq!(sum, 0, "{what}: unbalanced");
        let mut currencies = entry.postings().iter().map(|posting| posting.currency);
        let first = currencies.next();
        assert!(currencies.all(|currency| Some(currency) == first));
    }
    for refund in &after.refunds {
        let was = before.refund(refund.id);
        if was.is_some_and(|was| was.out_refund_no != refund.out_refund_no) {
            let dead = matches!(
                command,
                Command::RefundFailed {
                    dead_number: true,
                    ..
                }
            );
            assert!(dead, "{what}: only a dead number is replaced");
        }
    }
}

/// Of an order that waits for the next command.
pub fn at_rest(world: &World) {
    let order = &world.order;
    let status = order.status;
    let mode = match order.detail.mode {
        Mode::Dispatch => Modes::Dispatch,
        Mode::Clinic => Modes::Clinic,
    };
    let modes = status.row().modes;
    assert!(
        modes == Modes::Both || modes == mode,
        "{status:?} in {mode:?}"
    );
    has_a_deadline_or_an_owner(order);
    money_is_neither_made_nor_lost(world);

    let open = order.payments.iter().filter(|p| p.status.is_open()).count();
    assert_eq!(
        open,
        usize::from(status == S::Paying),
        "open payments in {status:?}"
    );
    assert_eq!(world.places, i32::from(order.detail.holds_place), "places");
    assert!(world.doctors.values().all(|count| (0..=1).contains(count)));
    let doctors: i32 = world.doctors.values().sum();
    assert_eq!(doctors, i32::from(order.detail.holds_doctor), "doctors");
    if order.detail.holds_doctor {
        let doctor = order.detail.doctor.expect("the doctor it holds");
        assert_eq!(world.doctors.get(&doctor), Some(&1));
    }
    assert_eq!(
        order.suspended.is_some(),
        is_under_refund(order),
        "{status:?}"
    );
}

/// Whether the order came by way of 500; then it knows from where.
fn is_under_refund(order: &Consultation) -> bool {
    match order.status {
        S::RefundReviewing => true,
        S::Refunding | S::RefundFailed | S::Refunded => order.suspended.is_some(),
        _ => false,
    }
}

fn has_a_deadline_or_an_owner(order: &Consultation) {
    let status = order.status;
    let own: Vec<_> = order.timers.iter().filter(|t| t.refund.is_none()).collect();
    for timer in &own {
        assert_eq!(
            timer.name.status(),
            status,
            "{:?} runs in {status:?}",
            timer.name
        );
    }
    let running = !own.is_empty();
    let refund = order
        .refunds
        .iter()
        .rev()
        .find(|refund| refund.purpose == Purpose::Order);
    match status {
        S::PendingPayment | S::Paying | S::PaymentFailed => assert!(running, "{status:?}"),
        S::Dispatching | S::PendingAccept | S::QueuingNumber => assert!(running, "{status:?}"),
        S::PendingActivation | S::Calling => assert!(running, "{status:?}"),
        S::PendingConsultation | S::InProgress => assert!(running, "{status:?}"),
        S::RefundReviewing => {
            assert!(running, "{status:?}");
            let refund = refund.expect("a refund under review");
            assert_eq!(refund.status, RefundStatus::Reviewing);
        }
        // The doctor calls, and the session ends one way or the other.
        S::InQueue => assert!(!running),
        S::Refunding => {
            let refund = refund.expect("a refund under way");
            assert_eq!(refund.status, RefundStatus::Processing);
        }
        S::RefundFailed => {
            let refund = refund.expect("a failed refund");
            assert_eq!(refund.status, RefundStatus::Failed);
            assert!(running || refund.retries >= 3, "503 without a next try");
        }
        S::DispatchFailed | S::CallFailed | S::ReQueuing => panic!("{status:?} at rest"),
        S::ServiceTimeout | S::RefundRequested => panic!("{status:?} at rest"),
        S::Completed | S::Refunded | S::Cancelled => assert!(!running, "{status:?}"),
    }
    for id in order.timers.iter().filter_map(|timer| timer.refund) {
        let status = order.refund(id).map(|refund| refund.status);
        assert_eq!(status, Some(RefundStatus::Failed), "a try that is not due");
    }
    for refund in &order.refunds {
        let beside = refund.purpose != Purpose::Order;
        if beside && refund.status == RefundStatus::Failed && refund.retries < 3 {
            let mut timers = order.timers.iter();
            assert!(timers.any(|timer| timer.refund == Some(refund.id)));
        }
    }
}

fn money_is_neither_made_nor_lost(world: &World) {
    let order = &world.order;
    let mut paid: BTreeMap<Currency, i64> = BTreeMap::new();
    let mut granted = paid.clone();
    let mut refunded = paid.clone();
    let add = |to: &mut BTreeMap<Currency, i64>, money: Money| {
        *to.entry(money.currency).or_default() += money.amount;
    };
    for payment in &order.payments {
        let all = payment.paid.unwrap_or(Money::zero(payment.amount.currency));
        assert_eq!(payment.paid.is_some(), payment.status.has_money());
        add(&mut paid, all);
        let of_it = order.refunds.iter().filter(|r| r.payment == payment.id);
        let (mut promised, mut gone) = (0, 0);
        for refund in of_it.filter(|refund| refund.status.is_granted()) {
            assert!(refund.amount.amount > 0, "a refund of nothing");
            assert_eq!(refund.amount.currency, all.currency);
            if is_in_full(refund.cause) {
                assert_eq!(refund.amount, all, "{:?} is refunded in full", refund.cause);
            }
            add(&mut granted, refund.amount);
            promised += refund.amount.amount;
            if refund.status == RefundStatus::Succeeded {
                add(&mut refunded, refund.amount);
                gone += refund.amount.amount;
            }
        }
        assert!(
            gone <= promised && promised <= all.amount,
            "{gone} ≤ {promised} ≤ {all}"
        );
    }
    let own = order.price.currency;
    for currency in [Currency::CNY, Currency::NZD] {
        let of = |from: &BTreeMap<Currency, i64>| from.get(&currency).copied().unwrap_or(0);
        let earned = if currency == own {
            order.earned.amount
        } else {
            0
        };
        let books = &world.books;
        assert!(earned >= 0);
        assert_eq!(of(&books.outside), of(&paid) - of(&refunded), "outside");
        assert_eq!(-of(&books.reserve), of(&granted) - of(&refunded), "reserve");
        assert_eq!(-of(&books.revenue), earned, "revenue");
        let unearned = of(&paid) - of(&granted) - earned;
        assert_eq!(-of(&books.patient), unearned, "patient, {currency}");
        if order.status.is_terminal() || currency != own {
            assert_eq!(unearned, 0, "earned + granted = paid at the end");
        }
    }
}

/// Faults of the doctor and of the system, and money that was never the order's.
fn is_in_full(cause: Cause) -> bool {
    match cause {
        Cause::NoDoctor | Cause::DoctorFault | Cause::SystemFault => true,
        Cause::AmountDiffers | Cause::LateMoney => true,
        Cause::PatientCancelled | Cause::PatientLate | Cause::NoAnswer => false,
        Cause::PatientAbsent | Cause::DoctorLost => false,
        Cause::ServiceTimeout | Cause::Complaint => false,
    }
}

/// Of an order that has ended, with nothing under way.
pub fn at_the_end(world: &World) {
    let order = &world.order;
    let kept = order.status == S::Completed && order.detail.mode == Mode::Clinic;
    assert_eq!(world.places, i32::from(kept), "the slot's place");
    assert!(world.doctors.values().all(|count| *count == 0), "doctors");
    assert_eq!(order.granted(), order.refunded());
    assert!(order.timers.is_empty(), "{:?}", order.timers);
}
