//! Balances and movements by day and month, entries by the page, money of unknown outcome.

use crate::*;

on_both!(
    days_and_months_end_at_the_hospitals_midnight,
    a_balance_is_what_was_posted_before_its_instant,
    an_accounts_entries_are_walked_through_without_gaps_or_repeats,
    money_of_unknown_outcome_is_counted,
);

async fn days_and_months_end_at_the_hospitals_midnight(fresh: &Fresh) {
    receive(fresh, 100, at("2026-03-01T00:00:00+08:00"))
        .await
        .unwrap();
    receive(fresh, 20, at(LAST_OF_MARCH)).await.unwrap();
    receive(fresh, 3, at(FIRST_OF_APRIL)).await.unwrap();
    earn(fresh, 20, at(LAST_OF_MARCH)).await;
    assert_eq!(on(fresh, WECHAT, date(2026, 2, 28)).await, (0, 0));
    assert_eq!(on(fresh, WECHAT, date(2026, 3, 1)).await, (100, 0));
    assert_eq!(on(fresh, WECHAT, date(2026, 3, 31)).await, (20, 0));
    assert_eq!(
        on(fresh, Account::Patient, date(2026, 3, 31)).await,
        (20, 20)
    );
    assert_eq!(on(fresh, WECHAT, date(2026, 4, 1)).await, (3, 0));
    let calendar = Calendar::default();
    let all = fresh
        .store
        .movements_by_day(date(2026, 2, 28), date(2026, 4, 1), &calendar);
    assert_eq!(all.await.unwrap().len(), 33);

    let march = fresh
        .store
        .trial_balance(month("2026-03"), &calendar)
        .await
        .unwrap();
    assert!(march.is_balanced());
    let lines: Vec<_> = march
        .lines
        .iter()
        .map(|line| (line.account, line.opening, line.debits, line.credits))
        .collect();
    let expected = [
        (WECHAT, 0, 120, 0),
        (Account::Patient, 0, 20, 120),
        (Account::PlatformRevenue, 0, 0, 20),
    ];
    assert_eq!(lines, expected);
    let april = fresh
        .store
        .trial_balance(month("2026-04"), &calendar)
        .await
        .unwrap();
    let first = april.lines.first().unwrap();
    assert_eq!(
        (first.opening, first.debits, first.closing()),
        (120, 3, 123)
    );
    assert!(april.is_balanced());
    let may = fresh
        .store
        .trial_balance(month("2026-05"), &calendar)
        .await
        .unwrap();
    assert_eq!(may.lines[0].opening, 123);
    let before = fresh
        .store
        .trial_balance(month("2026-02"), &calendar)
        .await
        .unwrap();
    assert_eq!(before.lines, []);
}

async fn a_balance_is_what_was_posted_before_its_instant(fresh: &Fresh) {
    let held = async |at: Ts| {
        let balances = fresh.store.balances_at(at).await.unwrap();
        let of = balances.iter().find(|one| one.account == WECHAT);
        of.map_or(0, |one| one.balance)
    };
    receive(fresh, 100, at("2026-02-10T12:00:00Z"))
        .await
        .unwrap();
    receive(fresh, 20, at("2026-03-10T12:00:00Z"))
        .await
        .unwrap();
    let instants = [
        ("2026-02-10T12:00:00Z", 0),
        ("2026-02-10T12:00:00.000001Z", 100),
        ("2026-02-28T16:00:00Z", 100),
        ("2026-03-10T12:00:00Z", 100),
        ("2026-03-10T12:00:00.000001Z", 120),
        ("2999-01-01T00:00:00Z", 120),
    ];
    // A closing is where the next sum begins, and changes no answer.
    for closed in [false, true] {
        if closed {
            close(fresh, "2026-02").await.unwrap();
        }
        for (instant, expected) in instants {
            assert_eq!(held(at(instant)).await, expected, "{instant} {closed}");
        }
    }
    let now = fresh.store.balances().await.unwrap();
    let later = fresh
        .store
        .balances_at(at("2999-01-01T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(now, later);
}

async fn an_accounts_entries_are_walked_through_without_gaps_or_repeats(fresh: &Fresh) {
    let begin = at("2026-03-02T01:00:00Z");
    for n in 1..=7 {
        let when = begin + Span::hours(24 * n);
        receive(fresh, n, when).await.unwrap();
    }
    let store = &fresh.store;
    let mut seen = Vec::new();
    let mut after: Option<EntryPlace> = None;
    loop {
        let filter = EntryFilter {
            after,
            ..EntryFilter::default()
        };
        let part = store.account_entries(WECHAT, &filter, 3).await.unwrap();
        let Some(last) = part.last() else { break };
        after = Some(last.place);
        seen.extend(part);
        // What comes meanwhile is newer, and not in what is still to come.
        receive(fresh, 99, begin + Span::hours(1000)).await.unwrap();
    }
    let amounts: Vec<i64> = seen.iter().map(|one| one.amount).collect();
    assert_eq!(amounts, [7, 6, 5, 4, 3, 2, 1]);
    let orders: BTreeSet<OrderId> = seen.iter().map(|one| one.order).collect();
    assert_eq!(orders.len(), 7);
    assert!(
        seen.iter()
            .all(|one| one.kind == EntryKind::PaymentReceived)
    );
    let days = EntryFilter {
        from: Some(begin + Span::hours(48)),
        until: Some(begin + Span::hours(96)),
        ..EntryFilter::default()
    };
    let some = store
        .account_entries(Account::Patient, &days, 100)
        .await
        .unwrap();
    let amounts: Vec<i64> = some.iter().map(|one| one.amount).collect();
    assert_eq!(amounts, [-3, -2]);
    let all = EntryFilter::default();
    let none = store.account_entries(Account::Suspense, &all, 100).await;
    assert_eq!(none.unwrap(), []);
}

async fn money_of_unknown_outcome_is_counted(fresh: &Fresh) {
    use domain::payment::RefundStatus as R;
    let mut order = new_order();
    let done = payment(PaymentStatus::Completed, Some(Money::fen(3050)));
    let refund = |status| common::refund(done.id, status, 1000);
    order.refunds = vec![
        refund(R::Processing),
        refund(R::Failed),
        refund(R::Succeeded),
    ];
    order.payments = vec![done, payment(PaymentStatus::Processing, None)];
    fresh.store.commit(change(&order)).await.unwrap();
    let later = common::now() + Span::micros(1);
    let payments = fresh.store.payments_unsettled(later).await.unwrap();
    assert_eq!(payments.count, 1);
    assert_eq!(payments.oldest[0].order, order.id);
    assert_eq!(payments.oldest[0].amount, Money::fen(3050));
    let refunds = fresh.store.refunds_unsettled(later).await.unwrap();
    assert_eq!((refunds.count, refunds.oldest.len()), (2, 2));
    assert_eq!(refunds.oldest[0].gateway, GatewayName::WECHAT);
    // Of what began later, nothing is known yet that belongs to the time before.
    let earlier = fresh.store.payments_unsettled(common::now()).await.unwrap();
    assert_eq!(earlier.count, 0);
    let earlier = fresh.store.refunds_unsettled(common::now()).await.unwrap();
    assert_eq!(earlier.count, 0);
}
