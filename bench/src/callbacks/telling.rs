//! Who carries notices in: to the engine as the API does, and to the server over HTTP.

use super::outside::Gateway;
use crate::load::Client;
use crate::program::{connect, post};
use anyhow::{Context, Result, ensure};
use domain::payment::GatewayName;
use engine::{Callback, Engine, NoticeOutcome};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use sandbox::PostedNotice;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Notices, each of which is told once.
#[derive(Clone)]
pub struct Pile {
    notices: Arc<Vec<PostedNotice>>,
    next: Arc<AtomicUsize>,
}

impl Pile {
    /// All of them, none told yet.
    pub fn new(notices: &Arc<Vec<PostedNotice>>) -> Self {
        Self {
            notices: Arc::clone(notices),
            next: Arc::default(),
        }
    }

    /// How many were told.
    pub fn told(&self) -> usize {
        self.next.load(Ordering::Relaxed).min(self.notices.len())
    }

    fn next(&self) -> Result<&PostedNotice> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let notice = self.notices.get(place);
        notice.context("more notices were to be told than were made")
    }
}

/// Tells the engine.
#[derive(Clone)]
pub struct ToEngine {
    /// Of what.
    pub pile: Pile,
    gateway: GatewayName,
    engine: Engine,
    /// What must come of each.
    expected: NoticeOutcome,
}

impl ToEngine {
    /// Of these notices, none of them told yet.
    pub fn new(
        told: &Arc<Vec<PostedNotice>>,
        gateway: Gateway,
        engine: &Engine,
        expected: NoticeOutcome,
    ) -> Self {
        Self {
            pile: Pile::new(told),
            gateway: gateway.name,
            engine: engine.clone(),
            expected,
        }
    }
}

impl Client for ToEngine {
    async fn command(&mut self) -> Result<()> {
        let notice = self.pile.next()?;
        let callback = Callback {
            headers: &notice.headers,
            body: &notice.body,
        };
        let outcome = self
            .engine
            .gateway_notice(self.gateway, callback, None)
            .await?;
        let expected = self.expected;
        ensure!(outcome == expected, "{outcome:?} instead of {expected:?}");
        Ok(())
    }
}

/// Tells the server, on a connection that is kept.
pub struct ToServer {
    pile: Pile,
    path: String,
    connection: SendRequest<Full<Bytes>>,
}

impl ToServer {
    /// Connected to the server at this address.
    pub async fn new(pile: &Pile, gateway: GatewayName, address: &str) -> Result<Self> {
        Ok(Self {
            pile: pile.clone(),
            path: format!("/api/v1/payments/webhook/{gateway}"),
            connection: connect(address).await?,
        })
    }
}

impl Client for ToServer {
    async fn command(&mut self) -> Result<()> {
        let notice = self.pile.next()?;
        let body = Bytes::from(notice.body.clone());
        let (status, answer) =
            post(&mut self.connection, &self.path, &notice.headers, body).await?;
        let words = String::from_utf8_lossy(&answer);
        ensure!(status.is_success(), "{status} {words}");
        Ok(())
    }
}
