//! Settings from the command line and the environment. A wrong one stops the start with one line
//! that names it, what was given, and what is accepted.

use anyhow::{Context, Result, bail};
use clap::Args;
use connectors::storage::{LocalStorage, S3Config, S3Storage, S3UrlStyle, Storage};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Store, StoreOptions};

/// Which database.
#[derive(Debug, Clone, Args)]
pub struct DatabaseArgs {
    /// `sqlite:PATH` or `postgres://USER@HOST:PORT/NAME`.
    #[arg(
        long,
        env = "ORDER_DB_URL",
        default_value = "sqlite:xinglin-data/xinglin.db"
    )]
    pub database_url: String,
}

impl DatabaseArgs {
    /// Opens it, and brings it up to this program's version.
    pub async fn open(&self) -> Result<Store> {
        check_database_url(&self.database_url)?;
        Ok(Store::open(&self.database_url, StoreOptions::default()).await?)
    }
}

/// Says what is wrong with a database's URL before anything tries to connect.
fn check_database_url(url: &str) -> Result<()> {
    let known = ["sqlite:", "postgres://", "postgresql://"];
    if known.iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(());
    }
    bail!("ORDER_DB_URL is `{url}`: it must begin with sqlite: or postgres://");
}

/// The STUN and TURN servers that browsers are given for calls.
#[derive(Debug, Clone, Args)]
pub struct CallArgs {
    /// WebRTC's `iceServers`, as JSON: `[{"urls":"stun:stun.hospital.example:3478"}]`.
    #[arg(long, env = "XINGLIN_ICE_SERVERS", default_value = "[]")]
    ice_servers: String,
}

impl CallArgs {
    /// Checks that each server has addresses that a browser takes.
    pub fn ice_servers(&self) -> Result<serde_json::Value> {
        let wrong = || {
            format!(
                "XINGLIN_ICE_SERVERS is `{}`: it must be a JSON list such as \
                 [{{\"urls\":\"stun:stun.hospital.example:3478\"}}]",
                self.ice_servers
            )
        };
        let servers: serde_json::Value =
            serde_json::from_str(&self.ice_servers).with_context(wrong)?;
        let fits = |url: &serde_json::Value| {
            let schemes = ["stun:", "stuns:", "turn:", "turns:"];
            url.as_str()
                .is_some_and(|url| schemes.iter().any(|scheme| url.starts_with(scheme)))
        };
        let has_addresses = |server: &serde_json::Value| match &server["urls"] {
            serde_json::Value::Array(urls) => !urls.is_empty() && urls.iter().all(fits),
            url => fits(url),
        };
        match servers.as_array() {
            Some(list) if list.iter().all(has_addresses) => Ok(servers),
            _ => bail!(wrong()),
        }
    }
}

/// Where the bytes of files are kept.
#[derive(Debug, Clone, Args)]
pub struct FileArgs {
    /// Where files are kept: `local` (a folder) or `s3` (a bucket).
    #[arg(long, env = "FILE_STORAGE", default_value = "local")]
    pub file_storage: String,
    /// The folder; beside the database if left out. Nodes share it.
    #[arg(long, env = "FILE_STORAGE_DIR")]
    pub file_storage_dir: Option<PathBuf>,
    /// Where the bucket is, as people's browsers reach it too.
    #[arg(long, env = "S3_ENDPOINT")]
    pub s3_endpoint: Option<String>,
    /// The bucket's region.
    #[arg(long, env = "S3_REGION")]
    pub s3_region: Option<String>,
    /// The bucket's name.
    #[arg(long, env = "S3_BUCKET")]
    pub s3_bucket: Option<String>,
    /// Who we are at the bucket.
    #[arg(long, env = "S3_ACCESS_KEY")]
    pub s3_access_key: Option<String>,
    /// Our secret at the bucket.
    #[arg(long, env = "S3_SECRET_KEY", hide_env_values = true)]
    pub s3_secret_key: Option<String>,
    /// Where the bucket's name stands in addresses: `path` or `virtual` (Aliyun OSS).
    #[arg(long, env = "S3_URL_STYLE", default_value = "path")]
    pub s3_url_style: String,
}

impl FileArgs {
    /// Opens the storage; `beside` is the folder of everything else that is kept.
    pub fn open(&self, beside: &Path) -> Result<Arc<dyn Storage>> {
        match self.file_storage.as_str() {
            "local" => {
                let folder = self.file_storage_dir.clone();
                let folder = folder.unwrap_or_else(|| beside.join("files"));
                let storage = LocalStorage::open(&folder).with_context(|| {
                    let folder = folder.display();
                    format!(
                        "FILE_STORAGE_DIR is `{folder}`: it must be a folder that can be written to"
                    )
                })?;
                Ok(Arc::new(storage))
            }
            "s3" => Ok(Arc::new(S3Storage::new(self.s3()?)?)),
            other => bail!("FILE_STORAGE is `{other}`: it must be local or s3"),
        }
    }

    fn s3(&self) -> Result<S3Config> {
        let given = |name: &str, value: &Option<String>| match value {
            Some(value) if !value.is_empty() => Ok(value.clone()),
            _ => bail!("{name} is not set: FILE_STORAGE=s3 needs all the S3_ settings"),
        };
        Ok(S3Config {
            endpoint: given("S3_ENDPOINT", &self.s3_endpoint)?,
            region: given("S3_REGION", &self.s3_region)?,
            bucket: given("S3_BUCKET", &self.s3_bucket)?,
            access_key: given("S3_ACCESS_KEY", &self.s3_access_key)?,
            secret_key: given("S3_SECRET_KEY", &self.s3_secret_key)?,
            style: match self.s3_url_style.as_str() {
                "path" => S3UrlStyle::Path,
                "virtual" => S3UrlStyle::Virtual,
                other => bail!("S3_URL_STYLE is `{other}`: it must be path or virtual"),
            },
        })
    }
}

/// The folder that an embedded database is in; the usual one where the database is elsewhere.
pub fn folder_of(database_url: &str) -> PathBuf {
    let path = database_url.strip_prefix("sqlite:");
    let path = path.map(|path| Path::new(path.trim_start_matches("//")));
    match path.and_then(Path::parent) {
        Some(folder) => folder.to_owned(),
        None => PathBuf::from("xinglin-data"),
    }
}

/// A file of a setting, read.
pub fn read(name: &str, path: &str) -> Result<String> {
    std::fs::read_to_string(Path::new(path))
        .with_context(|| format!("{name} is `{path}`: it must be a PEM file that can be read"))
}

/// Sets up logging: readable on a terminal, one JSON line each otherwise.
pub fn start_logging(default: &str) -> Result<()> {
    use std::io::IsTerminal;
    use tracing_subscriber::EnvFilter;
    let given = std::env::var("XINGLIN_LOG").unwrap_or_else(|_| default.to_owned());
    let filter = EnvFilter::try_new(&given).with_context(|| {
        format!("XINGLIN_LOG is `{given}`: it must be a level or a filter, such as info or info,sqlx=warn")
    })?;
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        logging.compact().init();
    } else {
        logging.json().init();
    }
    Ok(())
}
