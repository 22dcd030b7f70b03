//! A bucket that speaks S3: AWS, MinIO, Aliyun OSS, Tencent COS. Everything goes by signed addresses,
//! ours too; what people send and read goes past this program.

use super::{Content, Found, Measured, Part, Place, ShownAs, Storage, StorageError, Waiting};
use domain::{Span, Ts};
use futures::{StreamExt, TryStreamExt};
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use reqwest::{Response, StatusCode};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use std::error::Error as _;
use std::fmt;
use std::io;
use std::time::Duration;
use thiserror::Error;

/// How long our own signed addresses are good.
const OURS: Duration = Duration::from_secs(5 * 60);

/// How long a bucket may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a bucket may say nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// How a bucket's name stands in its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum S3UrlStyle {
    /// `https://ENDPOINT/BUCKET/...`, as MinIO has it.
    Path,
    /// `https://BUCKET.ENDPOINT/...`, as Aliyun OSS wants it.
    Virtual,
}

/// Which bucket, and who we are there.
#[derive(Clone)]
pub struct S3Config {
    /// Where it is, as people's browsers reach it too: `https://s3.eu-west-1.amazonaws.com`.
    pub endpoint: String,
    /// Its region.
    pub region: String,
    /// Its name.
    pub bucket: String,
    /// How its name stands in addresses.
    pub style: S3UrlStyle,
    /// Who we are.
    pub access_key: String,
    /// Our secret.
    pub secret_key: String,
}

impl fmt::Debug for S3Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Config")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

/// Why a bucket can't be used.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum S3ConfigError {
    /// The endpoint is no address.
    #[error(
        "S3_ENDPOINT is `{0}`: it must be an address such as https://s3.eu-west-1.amazonaws.com"
    )]
    Endpoint(String),
    /// The bucket's name can't stand in an address.
    #[error(
        "S3_BUCKET is `{0}`: with this S3_ENDPOINT and S3_URL_STYLE it can't be part of an address"
    )]
    Bucket(String),
    /// No client could be made.
    #[error("no connections to S3 can be made: {0}")]
    Client(String),
}

/// Files in a bucket.
pub struct S3Storage {
    bucket: Bucket,
    credentials: Credentials,
    http: reqwest::Client,
}

impl S3Storage {
    /// In this bucket. It is not asked whether the bucket is there.
    pub fn new(config: S3Config) -> Result<Self, S3ConfigError> {
        let wrong = || S3ConfigError::Endpoint(config.endpoint.clone());
        let endpoint: reqwest::Url = config.endpoint.parse().map_err(|_| wrong())?;
        if !matches!(endpoint.scheme(), "http" | "https") || endpoint.host_str().is_none() {
            return Err(wrong());
        }
        let style = match config.style {
            S3UrlStyle::Path => UrlStyle::Path,
            S3UrlStyle::Virtual => UrlStyle::VirtualHost,
        };
        let name = config.bucket.clone();
        let bucket = Bucket::new(endpoint, style, name, config.region)
            .map_err(|_| S3ConfigError::Bucket(config.bucket))?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()
            .map_err(|error| S3ConfigError::Client(error.to_string()))?;
        Ok(Self {
            bucket,
            credentials: Credentials::new(config.access_key, config.secret_key),
            http,
        })
    }

    async fn write(&self, place: Place, content: Content, now: Ts) -> Result<(), StorageError> {
        let name = place.to_string();
        let action = self.bucket.put_object(Some(&self.credentials), &name);
        let url = action.sign_with_time(OURS, &now.into());
        let mut measured = Measured::new(content.size);
        let bytes = content.bytes.map(move |piece| {
            let piece = piece?;
            measured.take(&piece).map_err(io::Error::other)?;
            Ok::<_, io::Error>(piece)
        });
        let sent = self
            .http
            .put(url)
            .header(CONTENT_LENGTH, content.size)
            .body(reqwest::Body::wrap_stream(bytes))
            .send()
            .await;
        done("put", place, sent).map(drop)
    }

    async fn read(&self, place: Place, part: Option<Part>, now: Ts) -> Result<Found, StorageError> {
        let name = place.to_string();
        let action = self.bucket.get_object(Some(&self.credentials), &name);
        let mut request = self.http.get(action.sign_with_time(OURS, &now.into()));
        if let Some(part) = part {
            let last = part.from + part.length.max(1) - 1;
            request = request.header(RANGE, format!("bytes={}-{last}", part.from));
        }
        let response = done("get", place, request.send().await)?;
        let size = whole_size(&response)
            .ok_or_else(|| StorageError::failed("get", "the answer does not say how long it is"))?;
        let bytes = response.bytes_stream().map_err(io::Error::other).boxed();
        Ok(Found { size, bytes })
    }

    async fn remove(&self, place: Place, now: Ts) -> Result<(), StorageError> {
        let name = place.to_string();
        let action = self.bucket.delete_object(Some(&self.credentials), &name);
        let url = action.sign_with_time(OURS, &now.into());
        match done("delete", place, self.http.delete(url).send().await) {
            Ok(_) | Err(StorageError::Missing(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Storage for S3Storage {
    fn name(&self) -> &'static str {
        "s3"
    }

    fn put(&self, place: Place, content: Content, now: Ts) -> Waiting<'_, ()> {
        Box::pin(self.write(place, content, now))
    }

    fn get(&self, place: Place, part: Option<Part>, now: Ts) -> Waiting<'_, Found> {
        Box::pin(self.read(place, part, now))
    }

    fn delete(&self, place: Place, now: Ts) -> Waiting<'_, ()> {
        Box::pin(self.remove(place, now))
    }

    /// The length is signed too: the bucket takes exactly as many bytes as were announced.
    fn upload_url(&self, place: Place, size: u64, good_for: Span, now: Ts) -> Option<String> {
        let name = place.to_string();
        let mut action = self.bucket.put_object(Some(&self.credentials), &name);
        action
            .headers_mut()
            .insert("content-length", size.to_string());
        let url = action.sign_with_time(seconds(good_for), &now.into());
        Some(url.into())
    }

    fn download_url(
        &self,
        place: Place,
        shown_as: &ShownAs,
        good_for: Span,
        now: Ts,
    ) -> Option<String> {
        let name = place.to_string();
        let mut action = self.bucket.get_object(Some(&self.credentials), &name);
        let query = action.query_mut();
        query.insert("response-cache-control", "private, max-age=300");
        query.insert("response-content-disposition", shown_as.disposition.clone());
        query.insert("response-content-type", shown_as.content_type);
        let url = action.sign_with_time(seconds(good_for), &now.into());
        Some(url.into())
    }
}

fn seconds(span: Span) -> Duration {
    Duration::from_secs(u64::try_from(span.as_seconds()).unwrap_or(0))
}

/// A success, or why not. The address is left out: it is signed.
fn done(
    operation: &'static str,
    place: Place,
    sent: reqwest::Result<Response>,
) -> Result<Response, StorageError> {
    let response = sent.map_err(|error| {
        let error = error.without_url();
        let mut reason = error.to_string();
        let mut source = error.source();
        while let Some(inner) = source {
            reason = format!("{reason}: {inner}");
            source = inner.source();
        }
        StorageError::failed(operation, reason)
    })?;
    match response.status() {
        status if status.is_success() => Ok(response),
        StatusCode::NOT_FOUND => Err(StorageError::Missing(place)),
        status => Err(StorageError::failed(
            operation,
            format!("S3 answered {status}"),
        )),
    }
}

/// How long the whole object is, of which perhaps a part is answered.
fn whole_size(response: &Response) -> Option<u64> {
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return response.content_length();
    }
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.rsplit_once('/')?.1.parse().ok()
}
