//! The certificates that messages are signed with: fetched from PayPal, kept, and looked at for
//! their validity each time.

use super::address::AllowedHosts;
use crate::gateway::CallbackError;
use crate::http::read_limited;
use crate::rsa::CertifiedKey;
use domain::{Span, Ts};
use reqwest::Url;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A certificate with its chain has a few kilobytes.
const MAX_CERTIFICATE_BYTES: usize = 64 << 10;
/// PayPal uses one or two at a time.
const MAX_KEPT: usize = 8;
/// Whoever forges messages can make us fetch, at PayPal, certificates that do not exist; so no more
/// than this in a minute. A genuine message that is turned away for that comes again, and what it
/// says is asked for meanwhile (spec 20, lost callback).
const MAX_FETCHES: usize = 10;
const FETCHES_WITHIN: Span = Span::minutes(1);

/// The certificates by their addresses.
pub(in super::super) struct Certificates {
    http: reqwest::Client,
    hosts: AllowedHosts,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The latest last.
    kept: VecDeque<(Url, Arc<CertifiedKey>)>,
    /// When certificates were fetched, within the last minute.
    fetched: VecDeque<Ts>,
}

impl Certificates {
    pub(in super::super) fn new(http: reqwest::Client, hosts: AllowedHosts) -> Self {
        Self {
            http,
            hosts,
            state: Mutex::default(),
        }
    }

    /// The certificate at this address, if it may be fetched there and is good now.
    pub(super) async fn get(&self, url: &str, now: Ts) -> Result<Arc<CertifiedKey>, CallbackError> {
        let url = self.hosts.check(url).map_err(CallbackError::BadSignature)?;
        let kept = self.kept(&url, now);
        let certificate = match kept {
            Some(certificate) => certificate,
            None => self.fetch(url.clone(), now).await?,
        };
        if certificate.validity.includes(now) {
            return Ok(certificate);
        }
        let why = format!("the certificate at {url} is not good now");
        Err(CallbackError::BadSignature(why))
    }

    fn kept(&self, url: &Url, now: Ts) -> Option<Arc<CertifiedKey>> {
        let state = self.state();
        let found = state.kept.iter().find(|(kept, _)| kept == url);
        // One that has ended may have been replaced under its address.
        found
            .filter(|(_, certificate)| certificate.validity.includes(now))
            .map(|(_, certificate)| Arc::clone(certificate))
    }

    async fn fetch(&self, url: Url, now: Ts) -> Result<Arc<CertifiedKey>, CallbackError> {
        if !self.may_fetch(now) {
            let why = "too many unknown certificates are asked for".to_owned();
            return Err(CallbackError::NotNow(why));
        }
        let not_now = |why: String| CallbackError::NotNow(format!("the certificate: {why}"));
        let response = self
            .http
            .get(url.clone())
            .send()
            .await
            .map_err(|error| not_now(error.to_string()))?;
        match response.status().as_u16() {
            200 => {}
            404 => {
                let why = format!("there is no certificate at {url}");
                return Err(CallbackError::BadSignature(why));
            }
            other => return Err(not_now(format!("answer {other}"))),
        }
        let body = read_limited(response, MAX_CERTIFICATE_BYTES)
            .await
            .map_err(not_now)?;
        let text = String::from_utf8(body).map_err(|error| not_now(error.to_string()))?;
        let certificate =
            CertifiedKey::from_pem(&text).map_err(|error| not_now(error.to_string()))?;
        let certificate = Arc::new(certificate);
        let mut state = self.state();
        state.kept.retain(|(kept, _)| *kept != url);
        if state.kept.len() >= MAX_KEPT {
            state.kept.pop_front();
        }
        state.kept.push_back((url, Arc::clone(&certificate)));
        Ok(certificate)
    }

    fn may_fetch(&self, now: Ts) -> bool {
        let mut state = self.state();
        // The clock may be set back in a trial; what lies ahead counts for nothing.
        state
            .fetched
            .retain(|at| *at <= now && now.since(*at) < FETCHES_WITHIN);
        if state.fetched.len() >= MAX_FETCHES {
            return false;
        }
        state.fetched.push_back(now);
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
