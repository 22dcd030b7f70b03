//! The figures, as a table on the screen and as a page in `bench/results`.

use crate::load::Seen;
use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// What was measured.
pub struct Line {
    /// Such as `SQLite`.
    pub database: &'static str,
    /// Such as `engine`.
    pub through: String,
    /// How many ask at the same time.
    pub clients: usize,
    /// The figures; without answer times where they are not told.
    pub per_second: f64,
    /// Half of the answers came within the first, 99 of a hundred within the second.
    pub answers: Option<(Duration, Duration)>,
    /// What each took of the processor, where that was looked at.
    pub processor: Option<Duration>,
}

/// All figures of one run.
#[derive(Default)]
pub struct Report {
    lines: Vec<Line>,
    remarks: Vec<String>,
}

const HEAD: &str = "\
| database | through | clients | commands/s | p50 ms | p99 ms | processor µs |
|---|---|---:|---:|---:|---:|---:|
";

impl Report {
    /// Adds a line, and shows it.
    pub fn add(&mut self, database: &'static str, through: &str, clients: usize, seen: &Seen) {
        self.push(Line {
            database,
            through: through.to_owned(),
            clients,
            per_second: seen.per_second,
            answers: Some((seen.p50, seen.p99)),
            processor: seen.processor,
        });
    }

    /// Adds a line without answer times, and shows it.
    pub fn push(&mut self, line: Line) {
        if self.lines.is_empty() {
            print!("{HEAD}");
        }
        print!("{}", row(&line));
        self.lines.push(line);
    }

    /// Adds a sentence, and shows it.
    pub fn remark(&mut self, sentence: String) {
        println!("{sentence}");
        self.remarks.push(sentence);
    }

    /// Commands a second of a line that was added.
    pub fn of(&self, database: &str, through: &str) -> f64 {
        let of_it = |line: &&Line| line.database == database && line.through == through;
        let figures = self.lines.iter().filter(of_it).map(|line| line.per_second);
        figures.fold(0.0, f64::max)
    }

    /// What a command of a line took of the processor; of several lines with so many clients, the
    /// one that came first. Nothing where that was not looked at.
    pub fn processor(&self, database: &str, through: &str, clients: usize) -> Duration {
        let of_it = |line: &&Line| {
            line.database == database && line.through == through && line.clients == clients
        };
        let found = self.lines.iter().find(of_it);
        found.and_then(|line| line.processor).unwrap_or_default()
    }

    /// Writes the page.
    pub fn write(&self, folder: &Path, day: &str) -> Result<()> {
        let mut page = format!("# {day}\n\n{}\n\n{HEAD}", machine()?);
        for line in &self.lines {
            page.push_str(&row(line));
        }
        page.push('\n');
        for sentence in &self.remarks {
            writeln!(page, "- {sentence}")?;
        }
        fs::create_dir_all(folder)?;
        let file = folder.join(format!("{day}.md"));
        fs::write(&file, page).with_context(|| file.display().to_string())?;
        println!("\nWritten to {}", file.display());
        Ok(())
    }
}

fn row(line: &Line) -> String {
    let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1_000.0);
    let (p50, p99) = line
        .answers
        .map_or((String::new(), String::new()), |(p50, p99)| {
            (ms(p50), ms(p99))
        });
    let processor = line.processor.map_or(String::new(), micros);
    format!(
        "| {} | {} | {} | {:.0} | {p50} | {p99} | {processor} |\n",
        line.database, line.through, line.clients, line.per_second
    )
}

fn micros(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1_000_000.0)
}

/// How many processes wanted to run, on average over the last minute, five and fifteen.
pub fn load() -> Result<String> {
    let text = fs::read_to_string("/proc/loadavg")?;
    let averages: Vec<&str> = text.split_whitespace().take(3).collect();
    Ok(averages.join(", "))
}

/// What it was measured on.
fn machine() -> Result<String> {
    let of = |file: &str, name: &str| -> Result<String> {
        let text = fs::read_to_string(file)?;
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value);
        Ok(value.unwrap_or("unknown").trim().to_owned())
    };
    let cores = std::thread::available_parallelism()?;
    Ok(format!(
        "{cores} cores of {}, {} of memory. A command is a booking or its cancellation, by turns, or \
         a gateway's notice; it is durable when it is answered. Clients, server and database share \
         the machine.",
        of("/proc/cpuinfo", "model name")?,
        of("/proc/meminfo", "MemTotal")?
    ))
}
