//! `user create`: operators and administrators are made here, never by registration (spec 60).

use crate::config::DatabaseArgs;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use domain::UserId;
use domain::order::Role;
use engine::clock::{Clock, SystemClock};
use engine::ids::new_id;
use store::{User, UserStatus};

/// What can be done with people.
#[derive(Debug, Args)]
pub struct UserArgs {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Create somebody. The password is read from XINGLIN_PASSWORD, or from standard input.
    Create(CreateArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The e-mail address to sign in with.
    #[arg(long)]
    email: String,
    /// The name that others see.
    #[arg(long)]
    name: String,
    /// As what.
    #[arg(long, value_enum)]
    role: RoleName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    Patient,
    Operator,
    Admin,
}

/// `user ...`.
pub async fn run(args: UserArgs) -> Result<()> {
    let UserCommand::Create(args) = args.command;
    let password = password()?;
    if password.chars().count() < 10 {
        bail!(
            "the password has {} characters: it needs at least 10",
            password.chars().count()
        );
    }
    if !args.email.contains('@') {
        bail!("--email is `{}`: it must be an e-mail address", args.email);
    }
    let now = SystemClock.now();
    let user = User {
        id: UserId(new_id(now)),
        login: args.email.to_lowercase(),
        password_hash: api::password::hash(&password)?,
        role: match args.role {
            RoleName::Patient => Role::Patient,
            RoleName::Operator => Role::Operator,
            RoleName::Admin => Role::Admin,
        },
        name: args.name,
        openid: None,
        status: UserStatus::Active,
        failed_sign_ins: 0,
        locked_until: None,
        created_at: now,
    };
    let store = args.database.open().await?;
    store.insert_user(&user).await?;
    store.close().await;
    println!("{} may sign in as {}.", user.login, user.role.name());
    Ok(())
}

fn password() -> Result<String> {
    if let Ok(given) = std::env::var("XINGLIN_PASSWORD") {
        return Ok(given);
    }
    eprint!("Password: ");
    let mut line = String::new();
    std::io::stdin()
        .read_line(&mut line)
        .context("the password can't be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
