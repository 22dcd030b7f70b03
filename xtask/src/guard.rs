//! Starts programs so that none of them outlives xtask, however xtask ends.
//!
//! Every program gets a process group of its own, and beside it a watcher: a shell of a few lines that
//! reads from a pipe which only xtask holds open. The pipe closes when the guard is dropped, and also when
//! xtask panics, is interrupted, or is killed with SIGKILL. Then the watcher ends the whole group, test
//! binaries and all, and removes the folder it was told of. So there is one way to clean up, and it needs
//! no signal handler.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result, ensure};

/// Arguments: process group, signal, folder (may be empty). Ten seconds to obey, then SIGKILL.
const WATCHER: &str = r#"
read -r _
kill -s "$2" -- "-$1" 2>/dev/null
tenths=0
while kill -s 0 -- "-$1" 2>/dev/null; do
    [ "$tenths" -lt 100 ] || kill -s KILL -- "-$1" 2>/dev/null
    [ "$tenths" -lt 120 ] || break
    tenths=$((tenths + 1))
    sleep 0.1
done
[ -z "$3" ] || rm -rf -- "$3"
"#;

/// The signal that asks a program to end.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// What most programs obey.
    Terminate,
    /// PostgreSQL's fast shutdown: it does not wait for its clients, as it would on SIGTERM.
    Interrupt,
}

/// A running program that ends, with all it started in its process group, when this is dropped.
pub struct Guarded {
    program: Child,
    watcher: Child,
}

impl Guarded {
    /// Starts `command` without standard input. `folder` is removed after the program has ended.
    pub fn start(command: &mut Command, stop: Stop, folder: Option<&Path>) -> Result<Self> {
        let mut program = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{}`", describe(command)))?;
        match watch(&program, stop, folder) {
            Ok(watcher) => Ok(Self { program, watcher }),
            Err(error) => {
                program.kill()?;
                program.wait()?;
                Err(error).context("cannot start the shell that watches over it")
            }
        }
    }

    /// Waits for the program to end.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.program.wait()
    }

    /// The program's exit status, if it has ended.
    pub fn has_ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.program.try_wait()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        // The program first: while it is not waited for, its group still exists for the watcher.
        for (what, child) in [
            ("program", &mut self.program),
            ("watcher", &mut self.watcher),
        ] {
            if let Err(error) = child.wait() {
                eprintln!("xtask: cannot wait for the {what}: {error}");
            }
        }
    }
}

/// Runs `command` to its end and fails if it fails. What it left running in its group is ended.
pub fn run(command: &mut Command) -> Result<()> {
    let status = Guarded::start(command, Stop::Terminate, None)?.wait()?;
    ensure!(
        status.success(),
        "`{}` ended with {status}",
        describe(command)
    );
    Ok(())
}

/// The standard output of `command`, which must succeed.
pub fn output_of(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", describe(command)))?;
    ensure!(
        output.status.success(),
        "`{}` ended with {}",
        describe(command),
        output.status
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// The command as a person would type it.
pub fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn watch(program: &Child, stop: Stop, folder: Option<&Path>) -> io::Result<Child> {
    let signal = match stop {
        Stop::Terminate => "TERM",
        Stop::Interrupt => "INT",
    };
    Command::new("sh")
        .args(["-c", WATCHER, "sh", &program.id().to_string(), signal])
        .arg(folder.unwrap_or(Path::new("")))
        .stdin(Stdio::piped())
        .process_group(0) // so that Ctrl-C in the terminal does not end it before its work is done
        .spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn success_and_failure_are_told_apart() {
        assert!(run(&mut shell("exit 0")).is_ok());
        let failure = run(&mut shell("exit 3")).unwrap_err().to_string();
        assert!(failure.contains("exit status: 3"), "{failure}");
    }

    #[test]
    fn dropping_ends_the_whole_group_and_removes_the_folder() {
        let folder = std::env::temp_dir().join(format!("xtask-guard-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let mut command =
            shell("sleep 600 & echo $! > \"$0/pid.new\"; mv \"$0/pid.new\" \"$0/pid\"; wait");
        command.arg(&folder);
        let guarded = Guarded::start(&mut command, Stop::Terminate, Some(&folder)).unwrap();
        let sleeper = loop {
            if let Ok(pid) = std::fs::read_to_string(folder.join("pid")) {
                break pid.trim().to_owned();
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        drop(guarded);
        assert!(!folder.exists());
        let state = std::fs::read_to_string(format!("/proc/{sleeper}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(" Z "), "{state}");
    }

    #[test]
    fn what_a_finished_program_left_behind_is_ended() {
        let mut command = shell("sleep 600 & exit 0");
        command.stdout(Stdio::null());
        assert!(run(&mut command).is_ok());
    }
}
