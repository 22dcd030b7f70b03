//! What all counterparties' HTTP has in common: the client, limits, and why no answer came.

use crate::gateway::{GatewayError, Operation};
use domain::payment::GatewayName;
use reqwest::header::HeaderMap;
use reqwest::{Client, Response, Url};
use std::error::Error as _;
use std::time::Duration;

/// Answers of ordinary calls are a few kilobytes; more is not the gateway.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;
/// A day's bill may be large; more than this is refused.
pub const MAX_BILL_BYTES: usize = 256 << 20;

/// A client for one counterparty. `timeout` is for a whole request; connecting gets half of it.
pub fn client(base: &Url, timeout: Duration) -> Result<Client, reqwest::Error> {
    let mut client = Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout / 2)
        // A signed request belongs to the host that it was signed for.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("xinglin/", env!("CARGO_PKG_VERSION")));
    if base.scheme() == "http" {
        // A sandbox on this machine: no proxy lies between, and the system's root certificates,
        // which a bare container may lack, are not needed.
        client = client.no_proxy().tls_certs_only([]);
    }
    client.build()
}

/// Why no answer came. Only where no connection was made is it sure that nothing was done.
pub fn not_sent(
    gateway: GatewayName,
    operation: Operation,
    error: &reqwest::Error,
) -> GatewayError {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        reason = format!("{reason}: {inner}");
        source = inner.source();
    }
    if error.is_connect() || error.is_builder() {
        operation.unavailable(gateway, reason)
    } else {
        operation.unanswered(gateway, reason)
    }
}

/// The body of an answer, up to so many bytes.
pub async fn read_body(
    gateway: GatewayName,
    operation: Operation,
    response: Response,
    limit: usize,
) -> Result<Vec<u8>, GatewayError> {
    read_limited(response, limit)
        .await
        .map_err(|reason| operation.unanswered(gateway, reason))
}

/// The body of an answer that is to nothing a gateway was asked to do, up to so many bytes.
pub async fn read_limited(mut response: Response, limit: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
        if body.len() + chunk.len() > limit {
            return Err(format!("the answer is longer than {limit} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A header that is text.
pub fn text_header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
