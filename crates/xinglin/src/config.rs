//! Settings from the command line and the environment. A wrong one stops the start with one line
//! that names it, what was given, and what is accepted.

use anyhow::{Context, Result, bail};
use clap::Args;
use connectors::storage::{LocalStorage, S3Config, S3Storage, S3UrlStyle, Storage};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
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

/// WeChat Pay's credentials. Without them the gateway is off.
#[derive(Debug, Clone, Args)]
pub struct WechatArgs {
    /// Where WeChat Pay is; the sandbox's address for trials.
    #[arg(
        long,
        env = "PAYMENT_GATEWAY_URL",
        default_value = "https://api.mch.weixin.qq.com"
    )]
    pub payment_gateway_url: String,
    /// How long to wait for the gateway, in seconds, 1 to 60.
    #[arg(long, env = "PAYMENT_TIMEOUT", default_value = "10")]
    pub payment_timeout: String,
    /// The app id bound to the merchant.
    #[arg(long, env = "WECHAT_APPID")]
    pub wechat_appid: Option<String>,
    /// The merchant's number.
    #[arg(long, env = "WECHAT_MCHID")]
    pub wechat_mchid: Option<String>,
    /// The merchant certificate's serial number.
    #[arg(long, env = "WECHAT_MERCHANT_SERIAL")]
    pub wechat_merchant_serial: Option<String>,
    /// The file with the merchant's private key (PKCS#8 PEM).
    #[arg(long, env = "WECHAT_MERCHANT_KEY_FILE")]
    pub wechat_merchant_key_file: Option<String>,
    /// The API v3 key, 32 characters.
    #[arg(long, env = "WECHAT_API_V3_KEY", hide_env_values = true)]
    pub wechat_api_v3_key: Option<String>,
    /// The platform key's id (`PUB_KEY_ID_...`) or certificate's serial number.
    #[arg(long, env = "WECHAT_PLATFORM_SERIAL")]
    pub wechat_platform_serial: Option<String>,
    /// The file with the platform's public key or certificate (PEM).
    #[arg(long, env = "WECHAT_PLATFORM_KEY_FILE")]
    pub wechat_platform_key_file: Option<String>,
    /// This server's address as WeChat reaches it, such as `https://hospital.example`.
    #[arg(long, env = "XINGLIN_PUBLIC_URL")]
    pub public_url: Option<String>,
}

impl WechatArgs {
    /// The gateway's time-out.
    pub fn timeout(&self) -> Result<Duration> {
        match self.payment_timeout.parse::<u64>() {
            Ok(seconds @ 1..=60) => Ok(Duration::from_secs(seconds)),
            _ => bail!(
                "PAYMENT_TIMEOUT is `{}`: it must be a whole number of seconds, 1 to 60",
                self.payment_timeout
            ),
        }
    }

    /// The connector's configuration, if every credential is given; an error if only some are.
    pub fn wechat(&self) -> Result<Option<connectors::wechat_pay::WechatPayConfig>> {
        let given = [
            ("WECHAT_APPID", &self.wechat_appid),
            ("WECHAT_MCHID", &self.wechat_mchid),
            ("WECHAT_MERCHANT_SERIAL", &self.wechat_merchant_serial),
            ("WECHAT_MERCHANT_KEY_FILE", &self.wechat_merchant_key_file),
            ("WECHAT_API_V3_KEY", &self.wechat_api_v3_key),
            ("WECHAT_PLATFORM_SERIAL", &self.wechat_platform_serial),
            ("WECHAT_PLATFORM_KEY_FILE", &self.wechat_platform_key_file),
            ("XINGLIN_PUBLIC_URL", &self.public_url),
        ];
        if given.iter().all(|(_, value)| value.is_none()) {
            return Ok(None);
        }
        let mut values = Vec::new();
        for (name, value) in given {
            match value.as_deref().filter(|value| !value.is_empty()) {
                Some(value) => values.push(value.to_owned()),
                None => bail!(
                    "{name} is not set: WeChat Pay needs it together with the other WECHAT_ settings"
                ),
            }
        }
        let [
            appid,
            mchid,
            serial,
            key_file,
            api_v3_key,
            platform_serial,
            platform_file,
            public,
        ] = <[String; 8]>::try_from(values).map_err(|_| anyhow::anyhow!("WECHAT_ settings"))?;
        Ok(Some(connectors::wechat_pay::WechatPayConfig {
            base_url: self.payment_gateway_url.clone(),
            appid,
            mchid,
            merchant_serial: serial,
            merchant_private_key_pem: read("WECHAT_MERCHANT_KEY_FILE", &key_file)?,
            api_v3_key,
            platform_keys: vec![connectors::wechat_pay::PlatformKey {
                serial: platform_serial,
                pem: read("WECHAT_PLATFORM_KEY_FILE", &platform_file)?,
            }],
            notify_url: format!(
                "{}/api/v1/payments/webhook/wechat",
                public.trim_end_matches('/')
            ),
            timeout: self.timeout()?,
        }))
    }
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

fn read(name: &str, path: &str) -> Result<String> {
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
