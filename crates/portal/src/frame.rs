//! What is around every page, and how a page is sent.

use crate::headers::{Framing, Needs, guard};
use crate::language::{other, tag};
use crate::words::Words;
use crate::{assets, notice};
use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::lifecycle::Language;
use std::fmt::Display;

/// What is around every page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// In which language.
    pub language: Language,
    /// Whether the money is play money, which every page says.
    pub sandbox: bool,
    /// Whether it stands inside another page of ours, which has a head and a foot already.
    pub embedded: bool,
    /// The same page in the other language, where there is a page to come back to.
    pub in_other_language: Option<String>,
}

impl Frame {
    /// The text of a key.
    pub fn say<'a>(&'a self, key: &'a str) -> &'a str {
        Words::of(self.language).say(key)
    }

    /// The text of a key, with its one place filled in.
    pub fn fill(&self, key: &str, place: &str, value: impl Display) -> String {
        Words::of(self.language).fill(key, &[(place, &value.to_string())])
    }

    /// The language, as the page's `lang` has it.
    pub fn tag(&self) -> &'static str {
        tag(self.language)
    }

    /// The other language, as the page's `lang` has it.
    pub fn other_tag(&self) -> &'static str {
        tag(other(self.language))
    }

    /// The other language's name for itself.
    pub fn other_name(&self) -> &'static str {
        Words::of(other(self.language)).say("common.language")
    }

    /// Where an asset is.
    pub fn asset(&self, file: &str) -> &'static str {
        assets::address(file)
    }

    /// Who may frame it.
    pub const fn framing(&self) -> Framing {
        if self.embedded {
            Framing::OurOwn
        } else {
            Framing::Nobody
        }
    }
}

/// Sends a page. What is on it concerns one payer and changes: nobody keeps it.
pub fn page(
    status: StatusCode,
    template: &impl Template,
    frame: &Frame,
    needs: Needs<'_>,
) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page can't be rendered");
            return notice::broken();
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_LANGUAGE, frame.tag()),
        (header::VARY, "Accept-Language"),
    ];
    let mut response = (status, headers, html).into_response();
    guard(&mut response, needs, frame.framing());
    response
}
