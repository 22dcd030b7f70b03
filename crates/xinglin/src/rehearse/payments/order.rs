//! An order of the day, and the calendars of the gateways.

use super::course::{Draft, currency};
use anyhow::{Context, Result};
use domain::payment::GatewayName;
use domain::{Currency, Ts};
use jiff::civil::Date;
use jiff::tz::{Offset, offset};

/// An order being played.
#[derive(Debug, Clone)]
pub struct Order {
    /// Its id.
    pub id: String,
    /// Whose.
    pub patient: String,
    /// What its payer does.
    pub draft: Draft,
    /// Minor units.
    pub price: i64,
    /// Who sees the patient.
    pub doctor: String,
    /// Our numbers of its payments at the gateways.
    pub numbers: Vec<String>,
    /// In which wave it was played.
    pub in_wave: usize,
}

impl Order {
    /// In which currency it is paid.
    pub fn currency(&self) -> Currency {
        currency(self.draft.first.gateway)
    }

    /// Over which gateway its n-th payment is made.
    pub fn gateway(&self, payment: usize) -> GatewayName {
        if payment == 0 {
            self.draft.first.gateway
        } else {
            self.draft.second.gateway
        }
    }
}

/// Beijing's day.
pub fn beijing(at: Ts) -> Date {
    offset(8).to_datetime(at.into()).date()
}

/// When a day begins in Beijing.
pub fn begins(day: Date) -> Result<Ts> {
    begins_at(day, offset(8))
}

fn begins_at(day: Date, offset: Offset) -> Result<Ts> {
    let at = offset.to_timestamp(day.at(0, 0, 0, 0));
    Ok(at.context("a day of all time's last")?.into())
}

/// Where a gateway's days begin.
fn calendar(gateway: GatewayName) -> Offset {
    match gateway {
        // From 23:00 to 23:00 in China.
        GatewayName::UNIONPAY => offset(9),
        GatewayName::PAYPAL | GatewayName::STRIPE => Offset::UTC,
        _ => offset(8),
    }
}

/// The day on which a gateway bills this moment.
pub fn billing_day(gateway: GatewayName, at: Ts) -> Date {
    calendar(gateway).to_datetime(at.into()).date()
}

/// So many minutes a moment is away from the next end of a billing day, whichever is nearer.
pub fn minutes_from_midnight(gateway: GatewayName, at: Ts) -> Result<i64> {
    let day = billing_day(gateway, at);
    let zone = calendar(gateway);
    let after = at.since(begins_at(day, zone)?).as_seconds();
    let before = begins_at(day.tomorrow()?, zone)?.since(at).as_seconds();
    Ok(after.min(before) / 60)
}
