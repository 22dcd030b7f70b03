//! The raw limit: the rows of the same commands, written by a bare loop through the same driver, and
//! by pgbench.

use crate::load::{Seen, WARM_UP};
use crate::program::{DEPARTMENT, patient};
use anyhow::{Context, Result, bail, ensure};
use domain::consultation::{
    Command, Consultation, ConsultationType, Decision, Facts, Mode, NewConsultation, Outcome,
    create, decide,
};
use domain::order::{Actor, Role};
use domain::{Money, OrderId, Span, Ts};
use engine::clock::{Clock, SystemClock};
use engine::ids::{IdsAt, new_id};
use engine::{Origin, Writing, changes};
use std::path::Path;
use std::process::Command as Process;
use std::time::Duration;
use store::raw::pgbench_script;
use store::{Changes, Store};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

/// The rows of a booking and of its cancellation.
fn booked_and_cancelled(now: Ts) -> Result<(Changes, Changes)> {
    let actor = Actor::person(Role::Patient, patient());
    let facts = Facts::default();
    let new = NewConsultation {
        id: OrderId(new_id(now)),
        patient: patient(),
        price: Money::fen(3_000),
        mode: Mode::Dispatch,
        consultation_type: ConsultationType::Text,
        department: DEPARTMENT,
        complaint: crate::program::COMPLAINT.to_owned(),
        booking: None,
    };
    let (order, booked) = rows(
        None,
        create(&new, &facts, now, &mut IdsAt(now))?,
        actor,
        now,
    )?;
    let cancel = Command::Cancel {
        quote: None,
        reason: None,
    };
    let decided = decide(&order, &cancel, actor, &facts, now, &mut IdsAt(now))?;
    let (_, cancelled) = rows(Some(&order), decided, actor, now)?;
    Ok((booked, cancelled))
}

/// The rows of a decision, and the order after it.
pub fn rows(
    before: Option<&Consultation>,
    outcome: Outcome,
    actor: Actor,
    now: Ts,
) -> Result<(Consultation, Changes)> {
    let Outcome::Decided(decision) = outcome else {
        bail!("the command changed nothing");
    };
    let decision: Decision = *decision;
    let origin = Origin::default();
    let by = Writing {
        actor,
        origin: &origin,
        effect: None,
        lease: None,
        now,
    };
    let (after, changes) = changes(before, decision, &by);
    Ok(((*after).clone(), changes))
}

/// So many orders' rows, so many to a transaction: bookings and cancellations by turns.
fn many(orders: usize, a_transaction: usize) -> Result<Vec<Changes>> {
    // Ids begin with the time: rows come in an order like that of real ones.
    let mut now = SystemClock.now();
    let mut rows = Vec::with_capacity(orders * 2);
    for _ in 0..orders.div_ceil(a_transaction) {
        now = now + Span::micros(100 * i64::try_from(a_transaction)?);
        let pairs = (0..a_transaction).map(|_| booked_and_cancelled(now));
        let (booked, cancelled): (Vec<_>, Vec<_>) =
            pairs.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        rows.extend(booked);
        rows.extend(cancelled);
    }
    Ok(rows)
}

/// A bare loop on each of so many connections, so many commands to a transaction.
pub async fn bare_loop(
    store: &Store,
    connections: usize,
    a_transaction: usize,
    lasting: Duration,
    enough: usize,
) -> Result<Seen> {
    let mut loops = Vec::new();
    for _ in 0..connections {
        let rows = many(enough / 2 / connections, a_transaction)?;
        loops.push(store.raw_loop(&rows, a_transaction).await?);
    }
    let begin = Instant::now() + WARM_UP;
    let end = begin + lasting;
    let mut running = JoinSet::new();
    for mut raw in loops {
        running.spawn(async move {
            let mut answers = Vec::new();
            let mut started = Instant::now();
            // Rows may run out before the time does.
            while started < end && raw.write_next().await? {
                if started >= begin {
                    answers.push(started.elapsed());
                }
                started = Instant::now();
            }
            anyhow::Ok((answers, started.saturating_duration_since(begin)))
        });
    }
    let mut all = Vec::new();
    let mut longest = Duration::ZERO;
    while let Some(of_one) = running.join_next().await {
        let (answers, lasted) = of_one??;
        all.extend(answers);
        longest = longest.max(lasted);
    }
    ensure!(
        longest > lasting / 2,
        "the bare loop ran out of rows too early"
    );
    Ok(Seen::of_batches(all, a_transaction, longest))
}

/// The same by pgbench with so many clients. Commands a second.
pub fn pgbench(
    program: &Path,
    url: &str,
    clients: usize,
    a_transaction: usize,
    lasting: Duration,
) -> Result<f64> {
    let rows = many(a_transaction, a_transaction)?;
    let own: Vec<Uuid> = rows.iter().flat_map(own_ids).collect();
    let transactions: Vec<Vec<Changes>> = rows.chunks(a_transaction).map(<[_]>::to_vec).collect();
    let script = pgbench_script(&transactions, &own)?;
    let folder = std::env::temp_dir();
    let file = folder.join(format!("xinglin-bench-{}.sql", std::process::id()));
    std::fs::write(&file, script)?;
    let output = Process::new(program)
        .args(["--no-vacuum", "--protocol=prepared", "--define=next=0"])
        .arg(format!("--client={clients}"))
        .arg(format!("--jobs={}", clients.min(2)))
        .arg(format!("--time={}", (WARM_UP + lasting).as_secs()))
        .arg("--file")
        .arg(&file)
        .arg(url)
        .output()
        .with_context(|| format!("{} does not start", program.display()))?;
    std::fs::remove_file(&file)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "pgbench: {said}{errors}");
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let runs = line
        .and_then(|line| line.split(' ').next())
        .context("pgbench told no tps")?;
    let commands = u32::try_from(rows.len())?;
    Ok(runs.parse::<f64>()? * f64::from(commands))
}

/// The ids that are new in each command.
fn own_ids(changes: &Changes) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = changes.outbox.iter().map(|row| row.id).collect();
    if let Some(change) = &changes.order {
        ids.extend(change.journal.iter().map(|line| line.id));
        if change.decided_on == 0 {
            ids.push(change.after.id.uuid());
        }
    }
    ids
}
