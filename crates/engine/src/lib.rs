//! What happens when: execute, timers, relay, dispatcher, numbers, refunds.
