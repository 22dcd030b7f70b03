//! What is kept: rows, SQL, migrations for SQLite and PostgreSQL, the committer. The only crate that
//! knows SQL.
//!
//! One text serves both engines wherever they agree, which is nearly always; [`Store`] is the one
//! face. Everything that changes goes through a committer, which writes many commands in one
//! transaction; reading goes through pools of its own.

mod changes;
mod check;
mod checkpoint;
mod committer;
mod db;
mod doctors;
mod error;
mod files;
mod ledger;
mod messages;
mod migrate;
mod model;
mod orders;
mod outbox;
mod page;
mod people;
pub mod raw;
mod readers;
mod reconciliation;
mod row;
mod sessions;
mod settings;
mod store;
pub mod testing;
mod timers;
mod totals;
mod value;
mod weekly;

pub use changes::*;
pub use error::{CommitError, PeopleError, StoreError};
pub use ledger::*;
pub use model::*;
pub use reconciliation::*;
pub use store::{Store, StoreOptions};
