//! Serving: the API and the pages on a listener, the engine's loops, and a graceful end.

use crate::config::{self, CallArgs, DatabaseArgs, FileArgs};
use crate::gateways::GatewayArgs;
use crate::keys::Keys;
use anyhow::{Context, Result};
use clap::Args;
use domain::payment::GatewayName;
use engine::clock::SystemClock;
use engine::{Engine, EngineConfig};
use portal::PortalConfig;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long running requests and effects may take when the server stops (spec 70).
const GRACE: Duration = Duration::from_secs(20);

/// What `serve` can be told.
#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    gateways: GatewayArgs,
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    files: FileArgs,
    /// Whoever sends it as a bearer token reads /metrics; without one, only this machine does.
    #[arg(long, env = "XINGLIN_METRICS_TOKEN", hide_env_values = true)]
    metrics_token: Option<String>,
    /// The address to listen on.
    #[arg(long, env = "XINGLIN_LISTEN", default_value = "127.0.0.1:8080")]
    listen: String,
    /// Where the server keeps its own keys; the same on every node.
    #[arg(long, env = "XINGLIN_KEYS_DIR", default_value = "xinglin-data/keys")]
    keys_dir: PathBuf,
}

/// `serve`: a database and real gateways.
pub async fn run(args: ServeArgs) -> Result<()> {
    config::start_logging("info,sqlx=warn")?;
    let ice_servers = args.calls.ice_servers()?;
    let gateways = args.gateways.open()?;
    if gateways
        .names()
        .iter()
        .all(|name| *name == GatewayName::OFFLINE)
    {
        tracing::warn!("no payment gateway is on: nobody can pay online");
    }
    let store = args.database.open().await?;
    let beside = config::folder_of(&args.database.database_url);
    let storage = args.files.open(&beside)?;
    let keys = Keys::open(&args.keys_dir)?;
    let config = EngineConfig {
        quote_key: keys.quote,
        storage: Some(storage),
        file_key: keys.file,
        public_url: args.gateways.public_url()?,
        ..EngineConfig::default()
    };
    let engine = Engine::start(store, gateways, Arc::new(SystemClock), config).await?;
    let listener = listen(&args.listen, "XINGLIN_LISTEN").await?;
    let stop = stop_on_signal()?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    let config = api::ApiConfig {
        token_key_pkcs8: keys.token,
        stop: stop.clone(),
        ice_servers,
        metrics: Some(api::metrics::recorder()?),
        metrics_token: args.metrics_token.filter(|token| !token.trim().is_empty()),
    };
    serve(engine, config, PortalConfig::default(), listener, stop).await
}

/// Binds an address, or says which setting is wrong.
pub async fn listen(address: &str, setting: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("{setting} is `{address}`: it must be a free address, such as 127.0.0.1:8080")
    })
}

/// Stops at Ctrl-C and at a service manager's TERM.
pub fn stop_on_signal() -> Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let told = stop.clone();
    let (mut int, mut term) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    tokio::spawn(async move {
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}

/// Runs an engine, its API and its pages until told to stop; then takes no new work, and finishes
/// what runs.
pub async fn serve(
    engine: Engine,
    config: api::ApiConfig,
    pages: PortalConfig,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<()> {
    let router = api::router(engine.clone(), config)?;
    let router = router.merge(portal::router(engine.clone(), pages));
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let loops = engine.run(&stop);
    let told = stop.clone();
    let http =
        axum::serve(listener, router).with_graceful_shutdown(async move { told.cancelled().await });
    let http = tokio::spawn(async move { http.await });
    stop.cancelled().await;
    let finishing = async {
        for part in loops {
            part.await?;
        }
        http.await??;
        anyhow::Ok(())
    };
    match tokio::time::timeout(GRACE, finishing).await {
        Ok(finished) => finished?,
        Err(_) => tracing::warn!("some work was handed back: it goes on at the next start"),
    }
    engine.store().close().await;
    Ok(())
}
