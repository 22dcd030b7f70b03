//! `demo`: everything in one process, on a folder of its own, with a clock that can be moved.

mod clock;
mod people;

use crate::config::{self, CallArgs};
use crate::keys::Keys;
use crate::server::{listen, serve, stop_on_signal};
use anyhow::{Context, Result, bail};
use clap::Args;
use clock::DemoClock;
use connectors::gateway::Values;
use connectors::storage::LocalStorage;
use engine::{Engine, EngineConfig, Gateways};
use portal::PortalConfig;
use sandbox::views::Webhook;
use sandbox::{Sandbox, SandboxConfig};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::{Store, StoreOptions};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long the demo waits for its own sandbox.
const GATEWAY_TIMEOUT: Duration = Duration::from_secs(5);

/// What `demo` can be told.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where everything is kept.
    #[arg(long, env = "XINGLIN_DATA", default_value = "xinglin-data")]
    data: PathBuf,
    /// Another database than the embedded one: `postgres://...`.
    #[arg(long, env = "ORDER_DB_URL")]
    database_url: Option<String>,
    /// The address of the API.
    #[arg(long, env = "XINGLIN_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,
    /// The address of the sandbox.
    #[arg(long, env = "XINGLIN_SANDBOX_LISTEN", default_value = "127.0.0.1:8090")]
    sandbox_listen: String,
    #[command(flatten)]
    calls: CallArgs,
}

/// What `sandbox` can be told.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Where its keys and its book are kept.
    #[arg(long, env = "XINGLIN_DATA", default_value = "xinglin-data/sandbox")]
    data: PathBuf,
    /// The address of the sandbox.
    #[arg(long, env = "XINGLIN_SANDBOX_LISTEN", default_value = "127.0.0.1:8090")]
    sandbox_listen: String,
}

fn refuse_in_production() -> Result<()> {
    if std::env::var("XINGLIN_ENV").is_ok_and(|env| env == "production") {
        bail!("XINGLIN_ENV is production: the sandbox takes no real money; use `xinglin serve`");
    }
    Ok(())
}

/// `demo`.
pub async fn run(args: DemoArgs) -> Result<()> {
    refuse_in_production()?;
    config::start_logging("warn")?;
    let ice_servers = args.calls.ice_servers()?;
    std::fs::create_dir_all(&args.data)
        .with_context(|| format!("the folder {} can't be made", args.data.display()))?;
    let embedded = || format!("sqlite:{}", args.data.join("xinglin.db").display());
    let url = args.database_url.clone().unwrap_or_else(embedded);
    let store = Store::open(&url, StoreOptions::default()).await?;
    let keys = Keys::open(&args.data.join("keys"))?;
    let clock = Arc::new(DemoClock::open(&args.data.join("clock"))?);
    people::seed(&store, &*clock).await?;
    let files = args.data.join("files");
    let storage = LocalStorage::open(&files)
        .with_context(|| format!("the folder {} can't be made", files.display()))?;

    let listener = listen(&args.listen, "XINGLIN_LISTEN").await?;
    let sandbox_listener = listen(&args.sandbox_listen, "XINGLIN_SANDBOX_LISTEN").await?;
    let folder = args.data.join("sandbox");
    let sandbox = Sandbox::open(
        SandboxConfig {
            data_dir: Some(folder),
        },
        clock.clone(),
    )?;
    let public_url = format!("http://{}", listener.local_addr()?);
    let gateways = gateways(&sandbox, &sandbox_listener, &public_url)?;
    let config = EngineConfig {
        quote_key: keys.quote,
        storage: Some(Arc::new(storage)),
        file_key: keys.file,
        public_url: Some(public_url),
        ..EngineConfig::default()
    };
    let engine = Engine::start(store, gateways, clock.clone(), config).await?;
    let woken = engine.clone();
    clock.on_move(move || woken.wake());

    let pages = PortalConfig {
        sandbox_url: Some(format!("http://{}", sandbox_listener.local_addr()?)),
        ..PortalConfig::default()
    };
    let stop = stop_on_signal()?;
    let playing = play(sandbox, sandbox_listener, stop.clone());
    tell(&args, &url);
    let config = api::ApiConfig {
        token_key_pkcs8: keys.token,
        stop: stop.clone(),
        ice_servers,
        metrics: Some(api::metrics::recorder()?),
        metrics_token: None,
    };
    serve(engine, config, pages, listener, stop).await?;
    playing.await??;
    println!("Stopped. Start again with the same --data to go on.");
    Ok(())
}

/// `sandbox`.
pub async fn run_sandbox(args: SandboxArgs) -> Result<()> {
    refuse_in_production()?;
    config::start_logging("info")?;
    let clock = Arc::new(DemoClock::open(&args.data.join("clock"))?);
    let listener = listen(&args.sandbox_listen, "XINGLIN_SANDBOX_LISTEN").await?;
    let sandbox = Sandbox::open(
        SandboxConfig {
            data_dir: Some(args.data.clone()),
        },
        clock,
    )?;
    println!(
        "Sandbox: http://{} (controls: /control/openapi.json)",
        listener.local_addr()?
    );
    play(sandbox, listener, stop_on_signal()?).await??;
    Ok(())
}

fn play(
    sandbox: Sandbox,
    listener: TcpListener,
    stop: CancellationToken,
) -> tokio::task::JoinHandle<Result<()>> {
    let router = sandbox.router();
    tokio::spawn(async move {
        let told = stop.clone();
        let http = axum::serve(listener, router)
            .with_graceful_shutdown(async move { told.cancelled().await });
        let running = tokio::spawn(sandbox.run(stop.clone()));
        tokio::select! {
            served = http => served?,
            // Keep-alive connections are not waited for.
            () = async { stop.cancelled().await; tokio::time::sleep(Duration::from_secs(1)).await } => {}
        }
        running.await?;
        Ok(())
    })
}

/// Every gateway that there is, against the sandbox, with its notices on their way to the API.
fn gateways(sandbox: &Sandbox, at: &TcpListener, public_url: &str) -> Result<Gateways> {
    let sandbox_url = format!("http://{}", at.local_addr()?);
    let played = sandbox.gateways();
    let mut gateways = Gateways::new();
    for registration in connectors::gateways() {
        let name = registration.name;
        let mut values = Values {
            values: BTreeMap::new(),
            public_url: public_url.to_owned(),
            timeout: GATEWAY_TIMEOUT,
        };
        if played.contains(&name) {
            let given = sandbox.values(name, &sandbox_url)?.into_iter();
            values.values = given
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            let url = Some(values.notify_url(name));
            sandbox.set_webhook(Webhook { gateway: name, url })?;
        }
        gateways = gateways.with((registration.open)(&values)?);
    }
    Ok(gateways)
}

fn tell(args: &DemoArgs, url: &str) {
    println!(
        "Xinglin 杏林 is open: a demonstration with play money; nothing here is a real payment."
    );
    println!();
    println!("  API       http://{}/api/v1", args.listen);
    println!("  Read it   http://{}/docs", args.listen);
    println!(
        "  Sandbox   http://{}/control/openapi.json",
        args.sandbox_listen
    );
    println!("  Database  {url}");
    println!();
    println!(
        "  Sign in as patient1@demo.xinglin … patient50@, doctor1@ … doctor12@, operator1@, operator2@, admin1@"
    );
    println!("  Password   {}", people::PASSWORD);
    println!();
    println!("  Play 200 orders:  xinglin rehearse --orders 200 --seed 7");
    println!("  A day of payments: xinglin rehearse --payments 5000 --seed 7");
    println!("  Stop with Ctrl-C.");
}
