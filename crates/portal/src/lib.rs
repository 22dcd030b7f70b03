//! The pages people see, rendered by the server: templates, their own style and scripts, and every
//! text in both languages. What a page changes goes through the engine, as in the API.

mod assets;
mod frame;
mod headers;
mod language;
mod notice;
mod pay;
mod reading;
mod words;

use axum::Router;
use axum::middleware::from_fn_with_state;
use domain::Calendar;
use engine::Engine;
use jiff::tz::TimeZone;
use std::any::Any;
use std::sync::Arc;

/// What the portal is told at the start.
#[derive(Debug, Clone)]
pub struct PortalConfig {
    /// Where a payer's part is played, such as `http://127.0.0.1:8090`; `None` where the money is
    /// real.
    pub sandbox_url: Option<String>,
    /// The hospital's zone: times stand in it until the reader's own clock is known.
    pub zone: TimeZone,
}

impl Default for PortalConfig {
    /// Real money, by the hospital's clock.
    fn default() -> Self {
        Self {
            sandbox_url: None,
            zone: Calendar::default().zone,
        }
    }
}

/// What every page shares.
#[derive(Clone)]
pub(crate) struct Portal {
    engine: Engine,
    config: Arc<PortalConfig>,
    asking: Arc<pay::Asking>,
}

/// The pages under `/pay` and what they are made of under `/assets`. Nothing else is answered, so
/// that it can be merged with the API, which knows what to say to every other address.
pub fn router(engine: Engine, config: PortalConfig) -> Router {
    let portal = Portal {
        engine,
        config: Arc::new(config),
        asking: Arc::default(),
    };
    Router::new()
        .nest("/pay", pay::routes())
        .nest("/assets", assets::routes())
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(
            |_panic: Box<dyn Any + Send>| notice::broken(),
        ))
        .layer(from_fn_with_state(portal.clone(), headers::secured))
        .with_state(portal)
}
