//! Reconciliation of whatever a bill may say with whatever our books may say.
#![no_main]

use domain::lifecycle::Status as _;
use domain::payment::{PaymentStatus, RefundStatus};
use domain::reconciliation::{
    BillLine, BillTotals, Billed, BillingDay, ContractFee, Difference, LineKind, LineStatus,
    OurPayment, OurRefund, Question, Reconciled, reconcile,
};
use domain::{Currency, Money, OrderId, PaymentId, RefundId, Ts};
use jiff::civil::date;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use std::collections::{BTreeMap, BTreeSet};

/// 2025-11-19T16:00:00Z, midnight in Beijing.
const MIDNIGHT: i64 = 1_763_568_000_000_000;
const MINUTE: i64 = 60_000_000;

fuzz_target!(|data: &[u8]| {
    // Bytes that run out end the lists, so this never fails for want of them.
    let _ = look(&mut Unstructured::new(data));
});

fn look(u: &mut Unstructured<'_>) -> Result<()> {
    // Sums hold at their ends rather than wrap, and then nothing adds up any more.
    let is_any_amount = u.ratio(1, 8)?;
    let day = BillingDay {
        date: date(2025, 11, 20),
        begins: Ts::from_micros(MIDNIGHT),
        ends: Ts::from_micros(MIDNIGHT + 24 * 60 * MINUTE),
        is_previous_known: u.arbitrary()?,
        is_next_known: u.arbitrary()?,
    };
    let (payments, refunds) = (payments(u)?, refunds(u)?);
    let fee = u.arbitrary::<Option<u16>>()?.map(ContractFee::basis_points);
    let totals = if u.arbitrary()? {
        let (count, paid, refunded) = (u.arbitrary()?, money(u, true)?, money(u, true)?);
        Some(BillTotals {
            count,
            paid,
            refunded,
        })
    } else {
        None
    };
    let mut lines = Vec::new();
    while !u.is_empty() && lines.len() < 200 {
        let number = lines.len() as u32 + 1;
        lines.push(line(u, number, is_any_amount)?);
    }
    let found = reconcile(&Question {
        day,
        lines: &lines,
        totals,
        payments: &payments,
        refunds: &refunds,
        fee,
    });
    for one in &found.differences {
        drop((one.gap(), one.at_stake(), one.identity()));
    }
    let identities: BTreeSet<String> = found.differences.iter().map(Difference::identity).collect();
    assert_eq!(identities.len(), found.differences.len());
    if !is_any_amount {
        assert_eq!(apart(&found), explained(&found), "{found:#?}");
    }
    Ok(())
}

/// By how much the bill's net is above ours, by currency.
fn apart(found: &Reconciled) -> BTreeMap<Currency, i128> {
    let nets = found.sums.iter().map(|sums| {
        let apart = i128::from(sums.bill_net()) - i128::from(sums.our_net());
        (sums.currency, apart)
    });
    nets.filter(|(_, apart)| *apart != 0).collect()
}

/// The same, by what the differences say.
fn explained(found: &Reconciled) -> BTreeMap<Currency, i128> {
    let mut all: BTreeMap<Currency, i128> = BTreeMap::new();
    for money in found.differences.iter().flat_map(Difference::gap) {
        *all.entry(money.currency).or_default() += i128::from(money.amount);
    }
    all.retain(|_, amount| *amount != 0);
    all
}

fn line(u: &mut Unstructured<'_>, line: u32, is_any_amount: bool) -> Result<BillLine> {
    Ok(BillLine {
        line,
        kind: *u.choose(&[LineKind::Payment, LineKind::Refund])?,
        out_trade_no: number(u)?,
        transaction_id: number(u)?,
        out_refund_no: number(u)?,
        refund_id: number(u)?,
        amount: money(u, is_any_amount)?,
        fee: u.arbitrary()?,
        status: status(u)?,
        at: if is_any_amount {
            any_instant(u)?
        } else {
            instant(u)?
        },
    })
}

/// Our books are of our own making: each number is there once, amounts are never negative.
fn payments(u: &mut Unstructured<'_>) -> Result<Vec<OurPayment>> {
    let mut all = Vec::new();
    for index in 0..u.int_in_range(0..=4_u8)? {
        let asked = our_money(u)?;
        let status = *u.choose(PaymentStatus::ALL)?;
        let has_money = status.has_money();
        all.push(OurPayment {
            order: OrderId(uuid(index)),
            id: PaymentId(uuid(index)),
            out_trade_no: index.to_string(),
            transaction_id: has_money.then(|| format!("t{index}")),
            status,
            asked,
            paid: if has_money { Some(our_money(u)?) } else { None },
            created_at: instant(u)?,
            booked_at: if has_money { Some(instant(u)?) } else { None },
            billed: billed(u)?,
        });
    }
    Ok(all)
}

fn refunds(u: &mut Unstructured<'_>) -> Result<Vec<OurRefund>> {
    let mut all = Vec::new();
    for index in 0..u.int_in_range(0..=4_u8)? {
        let status = *u.choose(RefundStatus::ALL)?;
        let is_gone = status == RefundStatus::Succeeded;
        let payment = u.int_in_range(0..=4_u8)?;
        all.push(OurRefund {
            order: OrderId(uuid(payment)),
            payment: PaymentId(uuid(payment)),
            id: RefundId(uuid(index)),
            out_trade_no: payment.to_string(),
            transaction_id: Some(format!("t{payment}")),
            out_refund_no: format!("RF{index}"),
            refund_id: is_gone.then(|| format!("r{index}")),
            status,
            amount: our_money(u)?,
            is_by_hand: u.arbitrary()?,
            requested_at: instant(u)?,
            booked_at: if is_gone { Some(instant(u)?) } else { None },
            billed: billed(u)?,
        });
    }
    Ok(all)
}

fn billed(u: &mut Unstructured<'_>) -> Result<Option<Billed>> {
    if u.ratio(3, 4)? {
        return Ok(None);
    }
    let day = *u.choose(&[date(2025, 11, 19), date(2025, 11, 21)])?;
    let (at, status) = (instant(u)?, status(u)?);
    Ok(Some(Billed { day, at, status }))
}

fn status(u: &mut Unstructured<'_>) -> Result<LineStatus> {
    let all = [
        LineStatus::Succeeded,
        LineStatus::Processing,
        LineStatus::Failed,
    ];
    u.choose(&all).copied()
}

/// None, empty, one of ours, or anything.
fn number(u: &mut Unstructured<'_>) -> Result<Option<String>> {
    let known = [
        "", "0", "1", "2", "3", "t0", "t1", "t2", "RF0", "RF1", "RF2", "r0", "r1", "x",
    ];
    match u.int_in_range(0..=9_u8)? {
        0 | 1 => Ok(None),
        2 => u.arbitrary().map(Some),
        3 => Ok(Some("9".repeat(u.int_in_range(120..=140)?))),
        _ => u.choose(&known).map(|known| Some((*known).to_owned())),
    }
}

fn money(u: &mut Unstructured<'_>, is_any: bool) -> Result<Money> {
    let amount = if is_any {
        u.arbitrary()?
    } else {
        u.int_in_range(-2..=100_000)?
    };
    Ok(Money::new(amount, currency(u)?))
}

fn our_money(u: &mut Unstructured<'_>) -> Result<Money> {
    let amount = u.int_in_range(0..=100_000)?;
    Ok(Money::new(amount, currency(u)?))
}

fn currency(u: &mut Unstructured<'_>) -> Result<Currency> {
    u.choose(&[Currency::CNY, Currency::CNY, Currency::NZD])
        .copied()
}

/// Around the day, in minutes, so that its ends are met.
fn instant(u: &mut Unstructured<'_>) -> Result<Ts> {
    let minute = u.int_in_range(-1_500..=3_000_i64)?;
    Ok(Ts::from_micros(MIDNIGHT + minute * MINUTE))
}

/// Whatever a reader of RFC 3339 can give.
fn any_instant(u: &mut Unstructured<'_>) -> Result<Ts> {
    let (first, last) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
    let micros = u.int_in_range(first.as_microsecond()..=last.as_microsecond())?;
    Ok(Ts::from_micros(micros))
}

fn uuid(index: u8) -> uuid::Uuid {
    uuid::Uuid::from_u128(u128::from(index) + 1)
}
