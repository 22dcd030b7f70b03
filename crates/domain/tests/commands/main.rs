//! The specification's table of commands (spec 10), row by row, as examples.

mod clinic;
mod dispatching;
mod paying;
mod refunding;
mod reviewed;
mod serving;
mod support;
