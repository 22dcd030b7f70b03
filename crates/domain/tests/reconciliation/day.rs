//! A day on which both sides agree, put together from small scenes.

use domain::payment::{PaymentStatus, RefundStatus};
use domain::reconciliation::{
    BillLine, BillTotals, Billed, BillingDay, ContractFee, Difference, DifferenceKind, LineKind,
    LineStatus, OurPayment, OurRefund, Question, Reconciled, reconcile,
};
use domain::{Money, OrderId, PaymentId, RefundId, Span, Ts};
use jiff::civil::date;
use proptest::prelude::*;
use uuid::Uuid;

/// Midnight in Shanghai, at which 2 March begins.
pub fn midnight() -> Ts {
    Ts::parse("2026-03-02T00:00:00+08:00").unwrap()
}

/// So many minutes after midnight.
pub fn at(minutes: i64) -> Ts {
    midnight() + Span::minutes(minutes)
}

/// What happened to one payment on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    Paid,
    PaidAfterAFailedTry,
    /// The gateway does not repeat our number.
    PaidUnderTheGatewaysNumberAlone,
    StillOpen,
    Closed,
    FailedUnheard,
    FailedThereToo,
    /// Booked and billed the day before.
    PaidYesterday,
    Refunded,
    /// Paid the day before, refunded on this one.
    RefundedLater,
    PartlyRefunded,
    RefundUnderWay,
    RefundUnsent,
    RefundFailed,
    RefundedByHand,
    RefundAsked,
    RefundRefused,
}

impl Scene {
    pub const ALL: [Self; 17] = [
        Self::Paid,
        Self::PaidAfterAFailedTry,
        Self::PaidUnderTheGatewaysNumberAlone,
        Self::StillOpen,
        Self::Closed,
        Self::FailedUnheard,
        Self::FailedThereToo,
        Self::PaidYesterday,
        Self::Refunded,
        Self::RefundedLater,
        Self::PartlyRefunded,
        Self::RefundUnderWay,
        Self::RefundUnsent,
        Self::RefundFailed,
        Self::RefundedByHand,
        Self::RefundAsked,
        Self::RefundRefused,
    ];
}

/// Both sides of a day.
#[derive(Clone, Debug)]
pub struct Day {
    pub lines: Vec<BillLine>,
    pub payments: Vec<OurPayment>,
    pub refunds: Vec<OurRefund>,
    /// What the bill states of itself: the sums of its lines, unless a test says otherwise.
    pub stated: Option<BillTotals>,
    pub is_previous_known: bool,
    pub is_next_known: bool,
    next: u128,
}

impl Day {
    pub fn empty() -> Self {
        Self {
            lines: Vec::new(),
            payments: Vec::new(),
            refunds: Vec::new(),
            stated: None,
            is_previous_known: true,
            is_next_known: false,
            next: 1,
        }
    }

    /// With one of each that a difference can be planted in.
    pub fn of(scenes: &[(Scene, i64, i64)]) -> Self {
        let mut day = Self::empty();
        for (scene, fen, minute) in scenes {
            day.play(*scene, Money::fen(*fen), at(*minute));
        }
        day
    }

    pub fn id(&mut self) -> Uuid {
        self.next += 1;
        Uuid::from_u128(self.next)
    }

    /// A payment that was asked for, and nothing else.
    pub fn asked(&mut self, amount: Money, at: Ts) -> usize {
        let (id, order) = (self.id(), OrderId(self.id()));
        self.payments.push(OurPayment {
            order,
            id: PaymentId(id),
            out_trade_no: id.simple().to_string(),
            transaction_id: None,
            status: PaymentStatus::Processing,
            asked: amount,
            paid: None,
            created_at: at - Span::minutes(2),
            booked_at: None,
            billed: None,
        });
        self.payments.len() - 1
    }

    /// Our side of a payment's money; a callback comes a second after it.
    pub fn book(&mut self, place: usize, at: Ts) {
        let payment = &mut self.payments[place];
        payment.paid = Some(payment.asked);
        payment.status = PaymentStatus::Completed;
        payment.transaction_id = Some(format!("42{}", payment.out_trade_no));
        payment.booked_at = Some(at + Span::seconds(1));
    }

    /// The gateway's line of a payment.
    pub fn bill(&mut self, place: usize, at: Ts, status: LineStatus) -> usize {
        let payment = &self.payments[place];
        let paid = status == LineStatus::Succeeded;
        self.lines.push(BillLine {
            line: 0,
            kind: LineKind::Payment,
            out_trade_no: Some(payment.out_trade_no.clone()),
            transaction_id: paid.then(|| format!("42{}", payment.out_trade_no)),
            out_refund_no: None,
            refund_id: None,
            amount: payment.asked,
            fee: paid.then(|| fee(payment.asked)),
            status,
            at,
        });
        self.lines.len() - 1
    }

    /// A payment whose money both sides have.
    pub fn paid(&mut self, amount: Money, at: Ts) -> usize {
        let place = self.asked(amount, at);
        self.book(place, at);
        self.bill(place, at, LineStatus::Succeeded);
        place
    }

    /// Our side of a refund.
    pub fn refund(&mut self, of: usize, amount: Money, status: RefundStatus, at: Ts) -> usize {
        let id = self.id();
        let payment = &self.payments[of];
        let gone = status == RefundStatus::Succeeded;
        self.refunds.push(OurRefund {
            order: payment.order,
            payment: payment.id,
            id: RefundId(id),
            out_trade_no: payment.out_trade_no.clone(),
            transaction_id: payment.transaction_id.clone(),
            out_refund_no: format!("RF{}", id.simple()),
            refund_id: gone.then(|| format!("50{}", id.simple())),
            status,
            amount,
            is_by_hand: false,
            requested_at: at - Span::minutes(1),
            booked_at: gone.then_some(at + Span::seconds(1)),
            billed: None,
        });
        self.refunds.len() - 1
    }

    /// The gateway's line of a refund.
    pub fn bill_refund(&mut self, place: usize, at: Ts, status: LineStatus) -> usize {
        let refund = &self.refunds[place];
        self.lines.push(BillLine {
            line: 0,
            kind: LineKind::Refund,
            out_trade_no: Some(refund.out_trade_no.clone()),
            transaction_id: refund.transaction_id.clone(),
            out_refund_no: Some(refund.out_refund_no.clone()),
            refund_id: Some(format!("50{}", &refund.out_refund_no[2..])),
            amount: refund.amount,
            fee: None,
            status,
            at,
        });
        self.lines.len() - 1
    }

    pub fn play(&mut self, scene: Scene, amount: Money, at: Ts) {
        let half = Money::new((amount.amount + 1) / 2, amount.currency);
        match scene {
            Scene::Paid => {
                self.paid(amount, at);
            }
            Scene::PaidAfterAFailedTry => {
                let place = self.paid(amount, at);
                self.bill(place, at - Span::minutes(1), LineStatus::Failed);
            }
            Scene::PaidUnderTheGatewaysNumberAlone => {
                self.paid(amount, at);
                self.lines.last_mut().unwrap().out_trade_no = None;
            }
            Scene::StillOpen => {
                self.asked(amount, at);
            }
            Scene::Closed => {
                let place = self.asked(amount, at);
                self.payments[place].status = PaymentStatus::Closed;
            }
            Scene::FailedUnheard => {
                let place = self.asked(amount, at);
                self.payments[place].status = PaymentStatus::Failed;
            }
            Scene::FailedThereToo => {
                let place = self.asked(amount, at);
                self.payments[place].status = PaymentStatus::Failed;
                self.bill(place, at, LineStatus::Failed);
            }
            Scene::PaidYesterday => {
                self.paid_yesterday(amount);
            }
            Scene::Refunded => {
                let of = self.paid(amount, at);
                self.refunded(of, amount, at);
            }
            Scene::RefundedLater => {
                let of = self.paid_yesterday(amount);
                self.refunded(of, amount, at);
            }
            Scene::PartlyRefunded => {
                let of = self.paid(amount, at);
                self.refunded(of, half, at);
            }
            Scene::RefundUnderWay => {
                let of = self.paid(amount, at);
                let refund = self.refund(of, half, RefundStatus::Processing, at);
                self.bill_refund(refund, at, LineStatus::Processing);
            }
            Scene::RefundUnsent => {
                let of = self.paid(amount, at);
                self.refund(of, half, RefundStatus::Processing, at);
            }
            Scene::RefundFailed => {
                let of = self.paid(amount, at);
                let refund = self.refund(of, half, RefundStatus::Failed, at);
                self.bill_refund(refund, at, LineStatus::Failed);
            }
            Scene::RefundedByHand => {
                let of = self.paid(amount, at);
                let refund = self.refund(of, half, RefundStatus::Succeeded, at);
                self.refunds[refund].is_by_hand = true;
                self.refunds[refund].refund_id = None;
            }
            Scene::RefundAsked => {
                let of = self.paid(amount, at);
                self.refund(of, half, RefundStatus::Reviewing, at);
            }
            Scene::RefundRefused => {
                let of = self.paid(amount, at);
                self.refund(of, half, RefundStatus::Refused, at);
            }
        }
    }

    fn paid_yesterday(&mut self, amount: Money) -> usize {
        let then = at(-600);
        let place = self.asked(amount, then);
        self.book(place, then);
        let day = date(2026, 3, 1);
        self.payments[place].billed = Some(Billed {
            day,
            at: then,
            status: LineStatus::Succeeded,
        });
        place
    }

    fn refunded(&mut self, of: usize, amount: Money, at: Ts) -> usize {
        let refund = self.refund(of, amount, RefundStatus::Succeeded, at);
        self.bill_refund(refund, at, LineStatus::Succeeded);
        refund
    }

    /// The bill as it is sent: numbered, with its sums.
    pub fn sealed(&mut self) -> BillTotals {
        for (number, line) in (1..).zip(&mut self.lines) {
            line.line = number;
        }
        let sum = |kind| {
            let of_kind = self.lines.iter().filter(|line| line.kind == kind);
            let cny = of_kind.filter(|line| line.amount.currency == domain::Currency::CNY);
            Money::fen(cny.fold(0, |sum, line| line.amount.amount.saturating_add(sum)))
        };
        BillTotals {
            count: self.lines.len() as u64,
            paid: sum(LineKind::Payment),
            refunded: sum(LineKind::Refund),
        }
    }

    pub fn reconciled(&self) -> Reconciled {
        let mut day = self.clone();
        let sums = day.sealed();
        reconcile(&Question {
            day: BillingDay {
                date: date(2026, 3, 2),
                begins: midnight(),
                ends: at(24 * 60),
                is_previous_known: self.is_previous_known,
                is_next_known: self.is_next_known,
            },
            lines: &day.lines,
            totals: Some(self.stated.unwrap_or(sums)),
            payments: &day.payments,
            refunds: &day.refunds,
            fee: Some(ContractFee::basis_points(60)),
        })
    }

    pub fn differences(&self) -> Vec<Difference> {
        self.reconciled().differences
    }

    pub fn kinds(&self) -> Vec<DifferenceKind> {
        self.differences().iter().map(|one| one.kind).collect()
    }
}

/// Six thousandths, rounded to the fen, in hundred-thousandths of a yuan.
pub fn fee(amount: Money) -> i64 {
    (amount.amount * 6 + 500) / 1000 * 1000
}

/// Scenes of a day, none of them within ten minutes of midnight.
pub fn scenes() -> impl Strategy<Value = Vec<(Scene, i64, i64)>> {
    let scene = proptest::sample::select(Scene::ALL.to_vec());
    proptest::collection::vec((scene, 1_i64..1_000_000, 15_i64..1_425), 0..40)
}
