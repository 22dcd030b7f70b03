//! The page's markup.

use super::address::Asked;
use super::view::{Action, View};
use crate::frame::{self, Frame};
use crate::headers::Needs;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

/// After how many seconds a page loads itself again where no script watches: rarely enough to be
/// read meanwhile, and it can be told not to (WCAG 2.2, 2.2.1).
const RELOAD_SECONDS: u32 = 15;

#[derive(Template)]
#[template(path = "pay/page.html")]
pub(super) struct PayPage<'a> {
    frame: &'a Frame,
    view: &'a View,
    /// The page's own address, clean.
    page: String,
    /// Where "I have paid" is said.
    confirm: String,
    /// Where the script asks.
    state: String,
    /// After how many seconds to load again without a script; `None` where not at all.
    reload_seconds: Option<u32>,
    /// The page that does not load itself again.
    still: String,
}

impl<'a> PayPage<'a> {
    pub fn new(frame: &'a Frame, asked: &Asked, view: &'a View) -> Self {
        let changes = view.watched.again_seconds.is_some();
        Self {
            frame,
            view,
            page: asked.page(),
            confirm: asked.confirm(),
            state: asked.state(),
            reload_seconds: (changes && !asked.still).then_some(RELOAD_SECONDS),
            still: asked.still_page(),
        }
    }

    /// What the page asks for beside this server's own.
    pub fn needs(&self) -> Needs<'_> {
        match &self.view.action {
            Action::Post { origin, .. } => Needs::FormTo(origin),
            Action::FillIn { .. } => Needs::StripeFields,
            Action::OpenInApp {
                bridge: "wechat", ..
            } => Needs::WechatBridge,
            Action::OpenInApp { .. }
            | Action::Nothing
            | Action::Wait
            | Action::Scan(_)
            | Action::Go { .. }
            | Action::Counter
            | Action::Unshowable => Needs::Nothing,
        }
    }
}

/// Sends the page.
pub fn send(frame: &Frame, asked: &Asked, view: &View) -> Response {
    let page = PayPage::new(frame, asked, view);
    frame::page(StatusCode::OK, &page, frame, page.needs())
}
