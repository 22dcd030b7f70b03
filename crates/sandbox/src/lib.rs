//! The counterparties, played on loopback.
