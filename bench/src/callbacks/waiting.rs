//! Orders whose payment was started and waits for its notice.

use super::outside::{Gateway, PRICE, Waiting};
use crate::program::{COMPLAINT, DEPARTMENT, patient};
use crate::raw::rows;
use anyhow::{Context, Result};
use domain::consultation::{
    Command, ConsultationType, Facts, Mode, NewConsultation, create, decide,
};
use domain::order::{Actor, Role};
use domain::payment::PayWith;
use domain::{Money, OrderId};
use engine::clock::{Clock, SystemClock};
use engine::ids::{IdsAt, new_id};
use store::{Changes, Store};
use tokio::task::JoinSet;

/// How many orders are written at a time.
const AT_A_TIME: usize = 512;

/// Writes so many orders that are being paid at this gateway. Each goes there by the same commands
/// as in the program, but for the question to the gateway: there is nobody to be asked.
pub async fn write(store: &Store, gateway: Gateway, count: usize) -> Result<Vec<Waiting>> {
    let (mut waiting, mut writing) = (Vec::with_capacity(count), JoinSet::new());
    for _ in 0..count {
        let (one, orders) = asked_to_pay(gateway)?;
        waiting.push(one);
        let store = store.clone();
        writing.spawn(async move {
            for changes in orders {
                store.commit(changes).await?;
            }
            anyhow::Ok(())
        });
        if writing.len() >= AT_A_TIME
            && let Some(done) = writing.join_next().await
        {
            done??;
        }
    }
    while let Some(done) = writing.join_next().await {
        done??;
    }
    Ok(waiting)
}

fn asked_to_pay(gateway: Gateway) -> Result<(Waiting, Vec<Changes>)> {
    let (now, facts) = (SystemClock.now(), Facts::default());
    let acts = Actor::person(Role::Patient, patient());
    let new = NewConsultation {
        id: OrderId(new_id(now)),
        patient: patient(),
        price: Money::new(PRICE, gateway.currency),
        mode: Mode::Dispatch,
        consultation_type: ConsultationType::Text,
        department: DEPARTMENT,
        complaint: COMPLAINT.to_owned(),
        booking: None,
    };
    let made = create(&new, &facts, now, &mut IdsAt(now))?;
    let (mut order, changes) = rows(None, made, acts, now)?;
    let mut all = vec![changes];
    let submit = Command::SubmitPayment {
        gateway: gateway.name,
        method: gateway.method,
        payer: None,
        client_ip: None,
    };
    let submitted = decide(&order, &submit, acts, &facts, now, &mut IdsAt(now))?;
    let (after, changes) = rows(Some(&order), submitted, acts, now)?;
    all.push(changes);
    order = after;
    let payment = order.payments.first().context("a payment")?;
    let waiting = Waiting {
        number: payment.out_trade_no.clone(),
        handle: format!("H{}", payment.out_trade_no),
        asked_at: now,
    };
    let started = Command::PaymentStarted {
        payment: payment.id,
        handle: Some(waiting.handle.clone()),
        pay_with: PayWith::Counter,
    };
    let acts = Actor::GATEWAY;
    let started = decide(&order, &started, acts, &facts, now, &mut IdsAt(now))?;
    let (_, changes) = rows(Some(&order), started, acts, now)?;
    all.push(changes);
    for changes in &mut all {
        changes.outbox.clear();
    }
    Ok((waiting, all))
}
