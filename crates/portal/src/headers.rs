//! What goes with every answer: what a page may load, where its forms may lead, and who may frame it.

use crate::Portal;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;

/// Who may show a page inside one of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Nobody.
    Nobody,
    /// Our own pages.
    OurOwn,
}

/// What a page asks for beside this server's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs<'a> {
    /// Nothing.
    Nothing,
    /// A form that leads to a gateway, by its origin.
    FormTo(&'a Origin),
    /// Stripe's fields for a card.
    StripeFields,
    /// The bridge that WeChat puts into pages inside it.
    WechatBridge,
}

/// The part of a web address that says whose it is, such as `https://gateway.95516.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The origin of an address that a browser may be sent to: http or https, with a host, and
    /// nobody's name before it. Nothing of it can end a directive of a policy.
    pub fn of(address: &str) -> Option<Self> {
        let uri: Uri = address.parse().ok()?;
        let scheme = uri
            .scheme_str()
            .filter(|scheme| ["http", "https"].contains(scheme))?;
        let authority = uri.authority()?.as_str();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
        let plain = !authority.is_empty() && authority.bytes().all(fits);
        plain.then(|| Self(format!("{scheme}://{authority}")))
    }
}

/// The content policy of a page.
pub fn policy(needs: Needs<'_>, framing: Framing) -> String {
    let ancestors = match framing {
        Framing::Nobody => "'none'",
        Framing::OurOwn => "'self'",
    };
    let mut script = "'self'".to_owned();
    let (mut connect, mut form) = (script.clone(), script.clone());
    let mut more = String::new();
    match needs {
        Needs::Nothing => {}
        // Gateways lead on to other hosts of theirs, and Chrome and Safari hold a form's redirects
        // against the page it came from (w3c/webappsec-csp, issue 8).
        Needs::FormTo(Origin(origin)) => form.push_str(&format!(" {origin} https:")),
        // What Stripe asks for (docs.stripe.com/security/guide, content security policy): look
        // again before going live.
        Needs::StripeFields => {
            script.push_str(" https://js.stripe.com https://*.js.stripe.com");
            connect.push_str(" https://api.stripe.com");
            more.push_str(
                "; frame-src https://js.stripe.com https://*.js.stripe.com \
                 https://hooks.stripe.com",
            );
        }
        // Older ones speak through a frame: try it on a telephone before going live.
        Needs::WechatBridge => more.push_str("; frame-src weixin: wvjbscheme:"),
    }
    format!(
        "default-src 'none'; script-src {script}; style-src 'self'; img-src 'self'; \
         connect-src {connect}{more}; base-uri 'none'; form-action {form}; \
         frame-ancestors {ancestors}"
    )
}

/// Puts a page's policy on its answer.
pub fn guard(response: &mut Response, needs: Needs<'_>, framing: Framing) {
    let headers = response.headers_mut();
    let value = HeaderValue::from_str(&policy(needs, framing));
    let strict = || HeaderValue::from_static("default-src 'none'");
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        value.unwrap_or_else(|_| strict()),
    );
    // For browsers that know no `frame-ancestors`.
    let frame = match framing {
        Framing::Nobody => "DENY",
        Framing::OurOwn => "SAMEORIGIN",
    };
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static(frame));
}

/// Writes one line about each request, without its query: that is what makes a link good. Puts on
/// every answer what is the same for all.
pub async fn secured(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let request_id = engine::ids::new_id(portal.engine.now()).to_string();
    let mut request = request;
    request
        .extensions_mut()
        .insert(RequestId(request_id.clone()));
    let mut response = next.run(request).await;
    if !response
        .headers()
        .contains_key(header::CONTENT_SECURITY_POLICY)
    {
        guard(&mut response, Needs::Nothing, Framing::Nobody);
    }
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A link's query is its key and never leaves this server; whose page it was does, since
        // WeChat's H5 page turns payers away who come from nowhere.
        (header::REFERRER_POLICY, "strict-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    tracing::info!(%method, path, status, ms, request_id, "request");
    response
}

/// A request's id, for the log and the journal.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_loads_nothing_from_elsewhere_and_runs_nothing_that_stands_in_it() {
        assert_eq!(
            policy(Needs::Nothing, Framing::Nobody),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        );
        let embedded = policy(Needs::Nothing, Framing::OurOwn);
        assert!(embedded.ends_with("frame-ancestors 'self'"), "{embedded}");
    }

    #[test]
    fn only_the_page_that_needs_another_host_may_reach_it() {
        let gateway = Origin::of("https://gateway.95516.com/gateway/api/frontTransReq.do").unwrap();
        let form = policy(Needs::FormTo(&gateway), Framing::Nobody);
        assert!(
            form.contains("form-action 'self' https://gateway.95516.com https:;"),
            "{form}"
        );
        assert!(form.contains("script-src 'self';"), "{form}");
        let card = policy(Needs::StripeFields, Framing::Nobody);
        assert!(
            card.contains("script-src 'self' https://js.stripe.com "),
            "{card}"
        );
        assert!(card.contains("form-action 'self';"), "{card}");
        for policy in [form, card, policy(Needs::WechatBridge, Framing::Nobody)] {
            assert!(!policy.contains("unsafe"), "{policy}");
        }
    }

    #[test]
    fn only_web_addresses_have_an_origin() {
        let origin = |address| Origin::of(address).map(|Origin(origin)| origin);
        let sandbox = "http://127.0.0.1:8090/gateway/api/frontTransReq.do?a=b";
        assert_eq!(origin(sandbox).as_deref(), Some("http://127.0.0.1:8090"));
        assert_eq!(
            origin("https://[::1]:8443/x").as_deref(),
            Some("https://[::1]:8443")
        );
        for address in [
            "javascript:alert(1)",
            "data:text/html,x",
            "weixin://wxpay/bizpayurl?pr=x",
            "//evil.example/",
            "/pay",
            "",
            "https://",
            "https://us@evil.example/",
            "https://a;script-src *",
            "https://a b/",
            "HTTPS//x",
        ] {
            assert_eq!(origin(address), None, "{address}");
        }
    }
}
