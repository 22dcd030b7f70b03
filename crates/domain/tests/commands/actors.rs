//! Who may ask what: everybody else is refused, whatever the status.

use crate::support::*;
use domain::consultation::{
    Command, ConsultationStatus as S, ProvenOutcome, Rating, Summary, TimerName, Verdict,
};
use domain::order::{Actor, Refusal, Role};
use domain::payment::Method;
use domain::{PaymentId, RefundId, UserId};
use uuid::Uuid;

const PAYMENT: PaymentId = PaymentId(Uuid::from_u128(1));
const REFUND: RefundId = RefundId(Uuid::from_u128(2));

/// P: the patient. D: the order's doctor. O: operations. S: the program.
fn everything(case: &Case) -> Vec<(&'static str, Command)> {
    let reason = || "so".to_owned();
    let stars = Rating {
        stars: 5,
        tags: Vec::new(),
        words: None,
        at: case.now,
    };
    vec![
        ("P", pay()),
        ("P", Command::ChangeMethod),
        ("PO", cancel()),
        ("P", Command::CheckIn),
        ("P", Command::Answer),
        ("P", Command::Rate(stars)),
        ("PO", Command::Complain { reason: reason() }),
        ("D", Command::Accept),
        ("D", decline()),
        ("D", Command::Call { reason: None }),
        ("D", Command::Start),
        ("D", Command::Finish(Summary::default())),
        ("PD", Command::ConnectionFailed { attempt: None }),
        ("O", verdict(REFUND, Verdict::ByTable)),
        (
            "O",
            Command::RecordPayment {
                method: Method::CASH,
                amount: PRICE,
                proof: reason(),
            },
        ),
        (
            "O",
            Command::SettlePayment {
                payment: PAYMENT,
                outcome: ProvenOutcome::Unpaid,
                proof: reason(),
            },
        ),
        ("O", Command::RetryRefund { refund: REFUND }),
        (
            "O",
            Command::RefundElsewhere {
                refund: REFUND,
                to: reason(),
            },
        ),
        (
            "O",
            Command::RecordRefund {
                refund: REFUND,
                proof: reason(),
            },
        ),
        ("O", Command::SystemFault { reason: reason() }),
        ("S", started(PAYMENT)),
        ("S", succeeded(PAYMENT, PRICE)),
        ("S", failed(PAYMENT)),
        ("S", Command::PaymentClosed { payment: PAYMENT }),
        ("S", refund_gone(REFUND)),
        (
            "S",
            Command::RefundAccepted {
                refund: REFUND,
                refund_id: reason(),
            },
        ),
        (
            "S",
            Command::RefundCameBack {
                refund: REFUND,
                reason: reason(),
            },
        ),
        ("S", refund_failed(REFUND)),
        ("S", found(1)),
        ("S", Command::NoDoctor),
        ("S", Command::OfferLost { doctor: DOCTORS[0] }),
        ("S", Command::NumberTaken { number: 1 }),
        ("S", Command::NoNumber { reason: reason() }),
        ("S", Command::SessionOpened),
        ("S", session_cancelled()),
        ("S", Command::PatientSeen),
        ("S", Command::DoctorAway),
        ("S", Command::DoctorBack),
        ("S", Command::AutomaticReview),
        ("S", timer(TimerName::Idle)),
    ]
}

#[test]
fn each_command_is_for_its_askers_and_for_nobody_else() {
    let stranger = UserId(Uuid::from_u128(0xff));
    let askers = [
        ('P', patient()),
        ('D', doctor(0)),
        ('O', operator()),
        ('O', Actor::person(Role::Admin, stranger)),
        ('S', Actor::SYSTEM),
        ('S', Actor::GATEWAY),
        ('-', Actor::person(Role::Patient, stranger)),
        ('-', Actor::person(Role::Doctor, stranger)),
        // The right person in the wrong role.
        ('-', Actor::person(Role::Doctor, PATIENT)),
        ('-', Actor::person(Role::Patient, DOCTORS[0])),
        (
            '-',
            Actor {
                role: Role::Patient,
                user: None,
            },
        ),
    ];
    for status in [S::PendingConsultation, S::InProgress, S::Completed] {
        let commands = everything(&Case::dispatch(status));
        for (who, command) in &commands {
            for (sort, actor) in askers {
                let refused = Case::dispatch(status).ask(actor, command);
                let not_theirs = matches!(refused, Err(Refusal::NotYours { .. }));
                let name = command.name();
                assert_eq!(
                    not_theirs,
                    !who.contains(sort),
                    "{name} by {actor:?} in {status:?}"
                );
            }
        }
    }
}

#[test]
fn what_the_program_tells_an_order_that_has_moved_on_is_no_error() {
    for status in [S::InProgress, S::Completed, S::Cancelled] {
        let mut case = Case::dispatch(status);
        for command in [
            found(1),
            Command::NoDoctor,
            Command::OfferLost { doctor: DOCTORS[0] },
            Command::NumberTaken { number: 1 },
            Command::NoNumber {
                reason: "full".to_owned(),
            },
            Command::SessionOpened,
            session_cancelled(),
            Command::PatientSeen,
            Command::AutomaticReview,
            timer(TimerName::Dispatch),
        ] {
            case.already(Actor::SYSTEM, &command);
        }
    }
}

#[test]
fn an_ended_order_takes_no_more_steps_from_people() {
    for status in [S::Completed, S::Refunded, S::Cancelled] {
        for command in [
            Command::CheckIn,
            Command::Answer,
            Command::ChangeMethod,
            Command::ConnectionFailed { attempt: None },
        ] {
            let mut case = Case::dispatch(status);
            let refused = case.refused(patient(), &command);
            assert!(matches!(refused, Refusal::Status { .. }), "{status:?}");
        }
    }
}
