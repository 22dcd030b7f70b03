//! What happens when: commands, deadlines, effects and their results. The loop of DESIGN:
//! command, decide, commit, relay, and the relay's result is a command again.

mod booking;
pub mod clock;
mod counting;
mod effects;
mod engine;
mod error;
mod execute;
mod facts;
pub mod files;
mod gateways;
pub mod ids;
mod ledger;
mod notice;
mod one_for_all;
mod orders;
mod pay_link;
mod presence;
mod preview;
mod quote;
pub mod reconciliation;
mod relay;
mod room;
mod rooms;
mod sessions;
pub mod settings;
mod weekly;
mod work;

pub use booking::Booking;
pub use connectors::gateway::{AbnormalRefund, Callback, CallbackError, PayKind, Reply};
pub use connectors::storage::Storage;
pub use engine::{Changed, Engine, EngineConfig};
pub use error::EngineError;
pub use execute::{Answer, Answered, Executed, Idempotency, Origin, Writing, changes};
pub use gateways::{BreakerState, Gateways, NotOffered, Offer, OfferedMethod};
pub use ledger::{Against, ClosingPreview};
pub use notice::{NoticeError, NoticeOutcome};
pub use pay_link::{PayLink, PayLinkError};
pub use preview::Preview;
pub use room::{NewMessage, is_open};
pub use rooms::{RoomEvent, Seat};
pub use sessions::{NewSession, QueuePlace, SessionAction};
pub use weekly::{Coming, NewWeekly};
