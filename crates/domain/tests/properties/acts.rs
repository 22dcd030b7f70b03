//! What may happen next: a few bytes, read against the order as it is, so that any bytes mean
//! something and fewer of them mean less.

use crate::world::{DOCTORS, PATIENT, World, ranking};
use domain::consultation::{
    Command, ConsultationStatus as S, ProvenOutcome, Rating, Summary, TimerName, Verdict,
};
use domain::order::{Actor, Role};
use domain::payment::{GatewayName, Method, PayWith};
use domain::{Currency, Money, PaymentId, RefundId, Share, Span, UserId};
use proptest::prelude::*;
use uuid::Uuid;

/// Something that happens: what, to whom or which, and how.
#[derive(Clone, Copy, Debug)]
pub struct Act(pub u8, pub u8, pub u8);

impl Arbitrary for Act {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        any::<(u8, u8, u8)>()
            .prop_map(|(what, which, how)| Self(what, which, how))
            .boxed()
    }
}

const OPERATOR: Actor = Actor::person(Role::Operator, UserId(Uuid::from_u128(0x0b)));
const JUMPS: [i64; 10] = [1, 29, 61, 120, 301, 900, 1801, 3600, 7200, 90_000];

impl Act {
    /// Makes it happen.
    pub fn play(self, world: &mut World) {
        match self.0 {
            // What this stage waits for.
            0..=119 => {
                let (actor, command) = self.expected(world);
                world.ask(actor, &command);
            }
            120..=139 => {
                let seconds = JUMPS[usize::from(self.1) % JUMPS.len()];
                world.now = world.now + Span::seconds(seconds);
            }
            140..=164 => world.fire(usize::from(self.1)),
            165..=184 => world.again(),
            185..=204 => self.change_facts(world),
            // Anything, from anybody.
            205..=255 => {
                let actor = self.anybody();
                let command = self.anything(world);
                world.ask(actor, &command);
            }
        }
    }

    fn change_facts(self, world: &mut World) {
        match self.1 % 8 {
            0..=2 => world.open_session(),
            3 => world.end_session(),
            4 => world.facts.patient_present ^= true,
            5 => world.facts.last_interaction = Some(world.now),
            _ => {
                let own = world.order.detail.queue_rank.unwrap_or_default();
                let behind = (1..=i64::from(self.2 % 6)).map(|n| own + n * 1000);
                world.facts.queue_behind = behind.collect();
            }
        }
    }

    /// What the order's status is there for, more or less.
    fn expected(self, world: &World) -> (Actor, Command) {
        let order = &world.order;
        let system = Actor::SYSTEM;
        let patient = Actor::person(Role::Patient, PATIENT);
        let doctor = Actor::person(Role::Doctor, order.detail.doctor.unwrap_or(DOCTORS[0]));
        let mut some = match order.status {
            S::PendingPayment | S::PaymentFailed => vec![
                (patient, pay()),
                (patient, pay()),
                (patient, Command::ChangeMethod),
                (Actor::GATEWAY, self.money(world)),
            ],
            S::Paying => vec![
                (Actor::GATEWAY, self.money(world)),
                (Actor::GATEWAY, self.money(world)),
                (Actor::GATEWAY, self.no_money(world)),
            ],
            S::Dispatching => vec![(system, self.found()), (system, self.found())],
            S::PendingAccept => vec![
                (doctor, Command::Accept),
                (doctor, Command::Decline { reason: None }),
            ],
            S::QueuingNumber => vec![(system, self.number())],
            S::PendingActivation => vec![
                (patient, Command::CheckIn),
                (system, Command::SessionOpened),
                (system, Command::PatientSeen),
            ],
            S::InQueue | S::Calling => vec![
                (doctor, Command::Call { reason: None }),
                (patient, Command::Answer),
                (system, session_cancelled()),
            ],
            S::PendingConsultation => vec![
                (doctor, Command::Start),
                (system, Command::PatientSeen),
                (patient, self.connection_failed()),
            ],
            S::InProgress => vec![
                (doctor, Command::Finish(Summary::default())),
                (system, Command::DoctorAway),
                (system, Command::DoctorBack),
                (OPERATOR, fault()),
            ],
            S::RefundReviewing => vec![
                (system, Command::AutomaticReview),
                (OPERATOR, self.verdict(world)),
                (OPERATOR, self.verdict(world)),
                (system, session_cancelled()),
            ],
            S::Refunding => vec![
                (Actor::GATEWAY, self.refunded(world)),
                (Actor::GATEWAY, self.refund_failed(world)),
            ],
            S::RefundFailed => vec![
                (OPERATOR, self.retry(world)),
                (OPERATOR, self.record(world)),
                (Actor::GATEWAY, self.refunded(world)),
            ],
            _ => vec![
                (patient, complain()),
                (OPERATOR, self.verdict(world)),
                (Actor::GATEWAY, self.refunded(world)),
                (Actor::GATEWAY, self.money(world)),
            ],
        };
        some.push((patient, self.cancel(world)));
        let which = usize::from(self.1) % some.len();
        some.swap_remove(which)
    }

    /// Any command at all.
    fn anything(self, world: &World) -> Command {
        let reason = || "so".to_owned();
        match self.1 % 40 {
            0 => pay(),
            1 => Command::ChangeMethod,
            2 => self.cancel(world),
            3 => Command::CheckIn,
            4 => Command::Answer,
            5 => Command::Rate(Rating {
                stars: self.2 % 7,
                tags: Vec::new(),
                words: None,
                at: world.now,
            }),
            6 => complain(),
            7 => Command::Accept,
            8 => Command::Decline { reason: None },
            9 => Command::Call { reason: None },
            10 => Command::Start,
            11 => Command::Finish(Summary::default()),
            12 => self.connection_failed(),
            13 => self.verdict(world),
            14 => self.retry(world),
            15 => self.record(world),
            16 => fault(),
            17 => Command::PaymentStarted {
                payment: self.payment(world),
                handle: None,
                pay_with: PayWith::Counter,
            },
            18..=20 => self.money(world),
            21 => self.no_money(world),
            22 => self.refunded(world),
            23 => self.refund_failed(world),
            24 => self.found(),
            25 => Command::NoDoctor,
            26 => Command::OfferLost {
                doctor: DOCTORS[usize::from(self.2) % DOCTORS.len()],
            },
            27 => self.number(),
            28 => Command::NoNumber { reason: reason() },
            29 => Command::SessionOpened,
            30 => session_cancelled(),
            31 => Command::PatientSeen,
            32 => Command::DoctorAway,
            33 => Command::DoctorBack,
            34 => Command::AutomaticReview,
            35 => Command::RecordPayment {
                method: Method::CASH,
                amount: world.order.price,
                proof: "receipt".to_owned(),
            },
            36 => Command::RefundAccepted {
                refund: self.refund(world),
                refund_id: "5000001".to_owned(),
            },
            38 => Command::SettlePayment {
                payment: self.payment(world),
                outcome: if self.2.is_multiple_of(2) {
                    ProvenOutcome::Unpaid
                } else {
                    ProvenOutcome::Paid {
                        amount: world.order.price,
                        transaction_id: "4200001".to_owned(),
                    }
                },
                proof: "statement".to_owned(),
            },
            37 => Command::RefundElsewhere {
                refund: self.refund(world),
                to: "another card".to_owned(),
            },
            _ => Command::Timer {
                name: TimerName::ALL[usize::from(self.2) % TimerName::ALL.len()],
                refund: self.2.is_multiple_of(3).then(|| self.refund(world)),
            },
        }
    }

    fn anybody(self) -> Actor {
        let doctor = DOCTORS[usize::from(self.2) % DOCTORS.len()];
        match self.0 % 10 {
            0..=3 => Actor::SYSTEM,
            4 => Actor::GATEWAY,
            5 | 6 => Actor::person(Role::Patient, PATIENT),
            7 => Actor::person(Role::Doctor, doctor),
            8 => OPERATOR,
            // Somebody else's patient.
            _ => Actor::person(Role::Patient, DOCTORS[0]),
        }
    }

    /// One of the order's payments, the newest most often, or one that nobody knows.
    fn payment(self, world: &World) -> PaymentId {
        let payments = &world.order.payments;
        let back = usize::from(self.2 / 16 % 4);
        let found = payments.iter().rev().nth(if back == 3 { 0 } else { back });
        found.map_or(PaymentId(Uuid::from_u128(404)), |payment| payment.id)
    }

    fn refund(self, world: &World) -> RefundId {
        let refunds = &world.order.refunds;
        let back = usize::from(self.2 / 16 % 4);
        let found = refunds.iter().rev().nth(if back == 3 { 0 } else { back });
        found.map_or(RefundId(Uuid::from_u128(404)), |refund| refund.id)
    }

    fn money(self, world: &World) -> Command {
        let price = world.order.price;
        let paid = match self.2 % 16 {
            0 => Money::fen(price.amount + 1),
            1 => Money::fen(1),
            2 => Money::new(price.amount, Currency::NZD),
            3 => Money::fen(0),
            _ => price,
        };
        Command::PaymentSucceeded {
            payment: self.payment(world),
            paid,
            transaction_id: "4200001".to_owned(),
            paid_at: world.now,
            by_query: !self.2.is_multiple_of(3),
        }
    }

    fn no_money(self, world: &World) -> Command {
        let payment = self.payment(world);
        if self.2.is_multiple_of(2) {
            return Command::PaymentClosed { payment };
        }
        Command::PaymentFailed {
            payment,
            reason: "PAYERROR".to_owned(),
        }
    }

    fn found(self) -> Command {
        Command::DoctorFound {
            ranking: ranking(DOCTORS[usize::from(self.2) % DOCTORS.len()]),
        }
    }

    fn number(self) -> Command {
        let number = 1 + u32::from(self.2);
        Command::NumberTaken { number }
    }

    fn connection_failed(self) -> Command {
        let attempt = (!self.2.is_multiple_of(4)).then_some(self.2 % 4);
        Command::ConnectionFailed { attempt }
    }

    fn cancel(self, world: &World) -> Command {
        Command::Cancel {
            quote: world.quotes.get(usize::from(self.2 % 4)).cloned(),
            reason: None,
        }
    }

    fn verdict(self, world: &World) -> Command {
        let reason = || "so".to_owned();
        let verdict = match self.2 % 5 {
            0 => Verdict::ByTable,
            1 | 2 => Verdict::Refuse(reason()),
            3 => Verdict::Amount(Money::fen(i64::from(self.2) * 16), reason()),
            _ => Verdict::Share(Share::percent(self.2 % 101), reason()),
        };
        let refund = self.refund(world);
        Command::ReviewRefund { refund, verdict }
    }

    fn refunded(self, world: &World) -> Command {
        let refund = self.refund(world);
        world.refund_gone(refund)
    }

    fn refund_failed(self, world: &World) -> Command {
        Command::RefundFailed {
            refund: self.refund(world),
            reason: "SYSTEM_ERROR".to_owned(),
            dead_number: self.2.is_multiple_of(5),
            needs_operations: self.2.is_multiple_of(7),
        }
    }

    fn retry(self, world: &World) -> Command {
        let refund = self.refund(world);
        Command::RetryRefund { refund }
    }

    fn record(self, world: &World) -> Command {
        Command::RecordRefund {
            refund: self.refund(world),
            proof: "slip".to_owned(),
        }
    }
}

fn pay() -> Command {
    Command::SubmitPayment {
        gateway: GatewayName::WECHAT,
        method: Method::NATIVE,
        payer: None,
        client_ip: None,
    }
}

fn complain() -> Command {
    let reason = "so".to_owned();
    Command::Complain { reason }
}

fn fault() -> Command {
    let reason = "so".to_owned();
    Command::SystemFault { reason }
}

fn session_cancelled() -> Command {
    Command::SessionCancelled { reason: None }
}
