//! What a person may do with an order now: what `decide` would not refuse them.

use super::command::{Command, Facts, Verdict};
use super::detail::{Rating, Summary};
use super::{Consultation, decide};
use crate::order::{Actor, Outcome};
use crate::payment::{GatewayName, Method, RefundStatus};
use crate::{NewIds, Share, Ts};
use uuid::Uuid;

/// An action's name in the API, such as `pay`.
pub type Action = &'static str;

/// Ids for a decision that is only looked at and never kept.
struct Pretend;

impl NewIds for Pretend {
    fn next_id(&mut self) -> Uuid {
        Uuid::nil()
    }
}

/// What this person may do with the order now, in the specification's order. There is no second
/// list to keep in step: each action is tried on a copy.
pub fn actions(order: &Consultation, actor: Actor, facts: &Facts, now: Ts) -> Vec<Action> {
    let try_on_copy = |command: &Command| {
        let decided = decide(order, command, actor, facts, now, &mut Pretend);
        matches!(decided, Ok(Outcome::Decided(_)))
    };
    samples(order, now)
        .iter()
        .filter(|c| try_on_copy(c))
        .map(Command::name)
        .collect()
}

fn samples(order: &Consultation, now: Ts) -> Vec<Command> {
    let mut commands = vec![
        Command::SubmitPayment {
            gateway: GatewayName::WECHAT,
            method: Method::NATIVE,
            payer: None,
            client_ip: None,
        },
        Command::RecordPayment {
            method: Method::CASH,
            amount: order.price,
            proof: "looked at".to_owned(),
        },
        Command::ChangeMethod,
        Command::Cancel {
            quote: None,
            reason: None,
        },
        Command::CheckIn,
        Command::Accept,
        Command::Decline { reason: None },
        Command::Call { reason: None },
        Command::Answer,
        Command::Start,
        Command::ConnectionFailed { attempt: None },
        Command::Finish(Summary::default()),
        Command::Rate(Rating {
            stars: 5,
            tags: Vec::new(),
            words: None,
            at: now,
        }),
        Command::Complain {
            reason: String::new(),
        },
        Command::SystemFault {
            reason: String::new(),
        },
    ];
    for refund in &order.refunds {
        if refund.status == RefundStatus::Reviewing {
            let verdict = Verdict::Share(Share::FULL, "looked at".to_owned());
            commands.push(Command::ReviewRefund {
                refund: refund.id,
                verdict,
            });
        } else if refund.status == RefundStatus::Failed {
            commands.push(Command::RetryRefund { refund: refund.id });
            let proof = "looked at".to_owned();
            commands.push(Command::RecordRefund {
                refund: refund.id,
                proof,
            });
        }
    }
    commands
}
