//! Pages that only say something: there is no such page, a link is too old, we have a problem.

use crate::frame::{Frame, page};
use crate::headers::Needs;
use crate::words::Words;
use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::lifecycle::Language;

/// What a page without anything to do on it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// No such page, or none for whoever asks: which of the two is nobody's business.
    NotFound,
    /// It was good once.
    Expired,
    /// We have a problem.
    Trouble,
}

impl Notice {
    const fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Expired => StatusCode::GONE,
            Self::Trouble => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The keys of what it says and of what that means.
    const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::NotFound => ("common.notFound", "common.notFound.means"),
            Self::Expired => ("common.expired", "common.expired.means"),
            Self::Trouble => ("common.trouble", "common.trouble.means"),
        }
    }

    /// The page.
    pub fn page(self, frame: &Frame) -> Response {
        let template = self.template(frame);
        let mut response = page(self.status(), &template, frame, Needs::Nothing);
        if self == Self::Trouble {
            let seconds = HeaderValue::from_static("5");
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }

    fn template(self, frame: &Frame) -> NoticePage<'_> {
        let (heading, means) = self.keys();
        NoticePage {
            frame,
            heading: frame.say(heading),
            means: frame.say(means),
            try_again: self == Self::Trouble,
        }
    }
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    frame: &'a Frame,
    heading: &'a str,
    means: &'a str,
    try_again: bool,
}

/// What is left to say when not even a page can be made.
pub fn broken() -> Response {
    let say = |language| Words::of(language).say("common.trouble.means");
    let text = format!("{}\n{}\n", say(Language::Zh), say(Language::En));
    (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_notice_is_the_same_page_twice_and_says_what_it_is() {
        for notice in [Notice::NotFound, Notice::Expired, Notice::Trouble] {
            for language in [Language::Zh, Language::En] {
                let frame = Frame {
                    language,
                    sandbox: false,
                    embedded: false,
                    in_other_language: None,
                };
                let html = notice.template(&frame).render().unwrap();
                assert_eq!(html, notice.template(&frame).render().unwrap());
                assert!(html.contains(frame.say(notice.keys().0)), "{html}");
                assert!(html.contains(&format!("<html lang=\"{}\"", frame.tag())));
            }
        }
    }

    #[tokio::test]
    async fn nobody_keeps_a_page_that_is_not_there() {
        let frame = Frame {
            language: Language::En,
            sandbox: true,
            embedded: false,
            in_other_language: None,
        };
        let response = Notice::Expired.page(&frame);
        assert_eq!(response.status(), StatusCode::GONE);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::CONTENT_LANGUAGE], "en");
        assert_eq!(
            Notice::Trouble.page(&frame).headers()[header::RETRY_AFTER],
            "5"
        );
        assert_eq!(broken().status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
