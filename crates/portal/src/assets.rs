//! Style and scripts, part of the program. Their addresses carry a digest of what is in them, so
//! that browsers keep them for a year and a new version is fetched at once.

use crate::Portal;
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::LazyLock;

/// A file of the folder `assets`.
struct Asset {
    stem: &'static str,
    ending: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

const STYLE: &str = "text/css; charset=utf-8";

const ASSETS: [Asset; 6] = [
    Asset {
        stem: "xinglin",
        ending: "css",
        kind: STYLE,
        bytes: include_bytes!("../assets/xinglin.css"),
    },
    Asset {
        stem: "payment",
        ending: "css",
        kind: STYLE,
        bytes: include_bytes!("../assets/payment.css"),
    },
    Asset {
        stem: "mark",
        ending: "svg",
        kind: "image/svg+xml",
        bytes: include_bytes!("../assets/mark.svg"),
    },
    Asset {
        stem: "watch",
        ending: "js",
        kind: SCRIPT,
        bytes: include_bytes!("../assets/watch.js"),
    },
    Asset {
        stem: "card",
        ending: "js",
        kind: SCRIPT,
        bytes: include_bytes!("../assets/card.js"),
    },
    Asset {
        stem: "inapp",
        ending: "js",
        kind: SCRIPT,
        bytes: include_bytes!("../assets/inapp.js"),
    },
];

/// A year, the most that caches count with (RFC 9111 names no higher).
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Of another version of the program, as while nodes are being replaced: good for this once.
const FOR_NOW: HeaderValue = HeaderValue::from_static("no-cache");

/// Each asset's address.
static ADDRESSES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let address = |asset: &Asset| {
        let digest = digest(&SHA256, asset.bytes);
        let short = digest.as_ref().iter().take(6);
        let short: String = short.map(|byte| format!("{byte:02x}")).collect();
        format!("/assets/{}.{short}.{}", asset.stem, asset.ending)
    };
    ASSETS.iter().map(address).collect()
});

/// The address of the asset with this file name, such as `xinglin.css`; empty where there is none,
/// which a test rules out.
pub fn address(file: &str) -> &'static str {
    let (stem, ending) = file.split_once('.').unwrap_or((file, ""));
    let found = ASSETS
        .iter()
        .position(|asset| asset.stem == stem && asset.ending == ending);
    found.map_or("", |place| ADDRESSES[place].as_str())
}

/// The addresses below `/assets`.
pub fn routes() -> Router<Portal> {
    Router::new()
        .route("/{file}", get(send))
        .fallback(StatusCode::NOT_FOUND)
}

async fn send(Path(file): Path<String>) -> Response {
    let parts: Vec<&str> = file.split('.').collect();
    let [stem, _, ending] = parts[..] else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut assets = ASSETS.iter().zip(ADDRESSES.iter());
    let found = assets.find(|(asset, _)| asset.stem == stem && asset.ending == ending);
    let Some((asset, address)) = found else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let is_this_version = address.strip_prefix("/assets/") == Some(file.as_str());
    let keep = if is_this_version { FOR_EVER } else { FOR_NOW };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.kind)),
        (header::CACHE_CONTROL, keep),
    ];
    (headers, asset.bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sent(file: &str) -> (StatusCode, String, String) {
        let response = send(Path(file.to_owned())).await;
        let header = |name| {
            let value = response.headers().get(name);
            value.map_or(String::new(), |value: &HeaderValue| {
                value.to_str().unwrap().to_owned()
            })
        };
        (
            response.status(),
            header(header::CONTENT_TYPE),
            header(header::CACHE_CONTROL),
        )
    }

    #[tokio::test]
    async fn what_is_at_its_own_address_is_kept_for_ever() {
        let file = address("xinglin.css").strip_prefix("/assets/").unwrap();
        let (status, kind, keep) = sent(file).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, STYLE));
        assert!(keep.contains("immutable"), "{keep}");
    }

    #[tokio::test]
    async fn another_version_s_address_is_answered_and_not_kept() {
        let (status, kind, keep) = sent("watch.000000000000.js").await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, SCRIPT));
        assert_eq!(keep, "no-cache");
    }

    #[tokio::test]
    async fn nothing_else_is_there() {
        for file in [
            "watch.js",
            "passwd",
            "",
            "a.b.c.d",
            "xinglin.000000000000.js",
        ] {
            assert_eq!(sent(file).await.0, StatusCode::NOT_FOUND, "{file}");
        }
        assert_eq!(address("nothing.css"), "");
    }

    #[test]
    fn every_asset_has_an_address_of_its_own() {
        for (asset, address) in ASSETS.iter().zip(ADDRESSES.iter()) {
            assert!(address.starts_with(&format!("/assets/{}.", asset.stem)));
            assert_eq!(
                ADDRESSES.iter().filter(|other| *other == address).count(),
                1
            );
        }
    }
}
