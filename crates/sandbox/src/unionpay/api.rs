//! UnionPay as merchants and payers' browsers see it: its paths, and the check of each request.

use super::answers::{Code, answer, bad_signature, malformed, success};
use super::{Api, FILE_PATH, page};
use crate::cashier;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use connectors::unionpay::fields::Fields;
use connectors::unionpay::signature::verify;

/// What a request leads to: fields to tell besides the echoed ones, or a code that says no.
pub(super) type Told = Result<Fields, Code>;

/// `/gateway/api/...` and the settlement files.
pub(super) fn router(api: Api) -> Router {
    Router::new()
        .route("/gateway/api/frontTransReq.do", post(front))
        .route("/gateway/api/backTransReq.do", post(back))
        .route("/gateway/api/queryTrans.do", post(query))
        .route(FILE_PATH, post(file))
        .route("/unionpay/return/{out_trade_no}", get(return_page))
        .with_state(api)
}

/// The payer's browser: to the cashier, or a page that says why not.
async fn front(State(api): State<Api>, body: Bytes) -> Response {
    let opened = api
        .read(&body)
        .map_err(|(_, code)| code)
        .and_then(|request| api.purchase(&request));
    match opened {
        Ok(out_trade_no) => cashier::redirect(&out_trade_no),
        Err(code) => page::refused(&code),
    }
}

async fn back(State(api): State<Api>, body: Bytes) -> Response {
    api.answered(&body, |request| match request.get("txnType") {
        Some("04") => api.refund(request),
        other => Err(malformed(format!(
            "txnType {} is not played here",
            other.unwrap_or("is missing")
        ))),
    })
}

async fn query(State(api): State<Api>, body: Bytes) -> Response {
    api.answered(&body, |request| api.told_transaction(request))
}

async fn file(State(api): State<Api>, body: Bytes) -> Response {
    api.answered(&body, |request| api.settlement_file(request))
}

async fn return_page(State(api): State<Api>, Path(out_trade_no): Path<String>) -> Response {
    api.return_page(&out_trade_no)
        .unwrap_or_else(|| (StatusCode::NOT_FOUND, "no such payment\n").into_response())
}

impl Api {
    fn answered(&self, body: &[u8], work: impl FnOnce(&Fields) -> Told) -> Response {
        let (request, told) = match self.read(body) {
            Ok(request) => {
                let told = work(&request);
                (request, told)
            }
            Err((request, code)) => (request, Err(code)),
        };
        match told {
            Ok(told) => answer(&self.keys, &request, told, &success()),
            Err(code) => answer(&self.keys, &request, Fields::default(), &code),
        }
    }

    /// The request, if it is the merchant's; otherwise what of it could be read, and the code.
    fn read(&self, body: &[u8]) -> Result<Fields, (Fields, Code)> {
        let request =
            Fields::from_form(body).map_err(|reason| (Fields::default(), malformed(reason)))?;
        match self.check(&request) {
            Ok(()) => Ok(request),
            Err(code) => Err((request, code)),
        }
    }

    fn check(&self, request: &Fields) -> Result<(), Code> {
        if request.get("certId") != Some(&self.keys.merchant_cert_id) {
            return Err(bad_signature("certId is not of a known certificate"));
        }
        verify(request, &self.keys.merchant_public).map_err(bad_signature)?;
        if request.get("merId") != Some(&self.keys.file.mer_id) {
            return Err(malformed("merId is not of a known merchant"));
        }
        for (name, expected) in [("encoding", "UTF-8"), ("accessType", "0")] {
            if request.get(name) != Some(expected) {
                return Err(malformed(format!("{name} must be {expected}")));
            }
        }
        Ok(())
    }
}
