//! The published sample, messages and certificates that must be refused, and what each answer
//! means, against a counterparty that says what it is told to.

mod bills;
mod certificates;
mod notices;
mod payments;
mod refunds;
mod settings;
mod signing;

use super::fields::Fields;
use super::signature;
use super::{UnionPay, UnionPayConfig};
use crate::gateway::{PaymentRef, RefundRef, StartPayment, StartRefund};
use crate::rsa::SigningKey;
use axum::extract::State;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::payment::Method;
use domain::{Money, Span, Ts};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256,
    RsaKeySize, date_time_ymd,
};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

pub(super) const MER_ID: &str = "777290058110048";
pub(super) const SIGNER: &str = "00040000:SIGN";
pub(super) const COMMON_NAME: &str = "041@Z2017-11-1@00040000:SIGN@00000001";
pub(super) const ORDER: &str = "0198b0c6f3a27d0c8f3b1f6f3d1c2b4a";
pub(super) const REFUND: &str = "RF0198b0c7aaaa7d0c8f3b1f6f3d1c2b4a";
pub(super) const QUERY_ID: &str = "952511201000004791038";

/// A certificate with its key.
pub(super) struct Certified {
    pub(super) params: CertificateParams,
    pub(super) key: KeyPair,
    pub(super) pem: String,
}

impl Certified {
    pub(super) fn key_pem(&self) -> String {
        pem("PRIVATE KEY", self.key.serialized_der())
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

/// The certificates of the tests. Making RSA keys takes time, so they are made once.
pub(super) struct Certificates {
    pub(super) root: Certified,
    pub(super) middle: Certified,
    pub(super) signer: Certified,
    pub(super) merchant: Certified,
    /// Of another house.
    pub(super) other_root: Certified,
    /// Of another house too, but with the name of the right one.
    pub(super) false_root: Certified,
}

pub(super) static CERTIFICATES: LazyLock<Certificates> = LazyLock::new(|| {
    let root = issued(authority("CFCA TEST CS CA"), None);
    let middle = issued(authority("CFCA TEST OCA1"), Some(&root));
    Certificates {
        signer: issued(named(COMMON_NAME), Some(&middle)),
        merchant: issued(named("041@Z1@merchant@1"), Some(&middle)),
        other_root: issued(authority("Another CA"), None),
        false_root: issued(authority("CFCA TEST CS CA"), None),
        root,
        middle,
    }
});

pub(super) fn named(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params
}

pub(super) fn authority(common_name: &str) -> CertificateParams {
    let mut params = named(common_name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

pub(super) fn issued(params: CertificateParams, by: Option<&Certified>) -> Certified {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = match by {
        Some(by) => params.signed_by(&key, &by.issuer()).unwrap(),
        None => params.self_signed(&key).unwrap(),
    };
    let pem = pem("CERTIFICATE", certificate.der());
    Certified { params, key, pem }
}

pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\r\n{text}\r\n-----END {label}-----\r\n")
}

pub(super) fn config(base_url: &str) -> UnionPayConfig {
    let certificates = &*CERTIFICATES;
    UnionPayConfig {
        base_url: base_url.to_owned(),
        file_url: format!("{base_url}/file"),
        mer_id: MER_ID.to_owned(),
        merchant_certificate_pem: certificates.merchant.pem.clone(),
        merchant_private_key_pem: certificates.merchant.key_pem(),
        root_certificates_pem: certificates.root.pem.clone(),
        middle_certificates_pem: certificates.middle.pem.clone(),
        signer: SIGNER.to_owned(),
        channel_type: "07".to_owned(),
        notify_url: "https://example.com/webhooks/unionpay".to_owned(),
        front_url: "https://example.com".to_owned(),
        timeout: Duration::from_secs(5),
    }
}

/// The fields as UnionPay would sign them.
pub(super) fn signed(fields: Fields) -> Fields {
    signed_with(fields, &CERTIFICATES.signer)
}

pub(super) fn signed_with(fields: Fields, signer: &Certified) -> Fields {
    let key = SigningKey::from_pkcs8_pem(&signer.key_pem()).unwrap();
    signature::sign(fields.with("signPubKeyCert", &signer.pem), &key).unwrap()
}

pub(super) fn at(text: &str) -> Ts {
    Ts::parse(text).unwrap()
}

/// Ten o'clock, when the tests' order was made.
pub(super) fn ten() -> Ts {
    at("2025-11-20T10:00:00+08:00")
}

/// A quarter past, when its time ends.
pub(super) fn deadline() -> Ts {
    ten() + Span::minutes(15)
}

pub(super) fn payment() -> PaymentRef {
    PaymentRef {
        out_trade_no: ORDER.to_owned(),
        method: Method::FRONT,
        amount: Money::fen(3000),
        created_at: ten(),
        expires_at: deadline(),
        handle: None,
        transaction_id: None,
    }
}

pub(super) fn start() -> StartPayment {
    StartPayment {
        payment: payment(),
        description: "复诊问诊费".to_owned(),
        payer: None,
        client_ip: None,
        return_url: Some("https://example.com/orders/1".to_owned()),
    }
}

pub(super) fn refund() -> RefundRef {
    RefundRef {
        payment: PaymentRef {
            transaction_id: Some(QUERY_ID.to_owned()),
            ..payment()
        },
        total: Money::fen(3000),
        out_refund_no: REFUND.to_owned(),
        amount: Money::fen(2700),
        sent_at: ten() + Span::hours(1),
        refund_id: None,
    }
}

pub(super) fn start_refund() -> StartRefund {
    StartRefund {
        refund: refund(),
        reason: "医生未接诊".to_owned(),
    }
}

/// What a counterparty answers: status and bytes, by a request's fields.
type Script = Arc<dyn Fn(&Fields) -> (u16, Vec<u8>) + Send + Sync>;

/// What a counterparty was asked.
type Heard = Arc<Mutex<Vec<Fields>>>;

/// A counterparty on loopback that answers by a script.
pub(super) struct Counterparty {
    pub(super) gateway: UnionPay,
    heard: Heard,
}

impl Counterparty {
    /// Answers every request with these fields, those that UnionPay echoes, and its signature.
    pub(super) async fn says(told: &[(&str, &str)]) -> Self {
        let told: Vec<(String, String)> = told
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self::scripted(move |request| (200, answer_to(request, &told).to_answer().into_bytes()))
            .await
    }

    pub(super) async fn scripted(
        script: impl Fn(&Fields) -> (u16, Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let state: (Heard, Script) = (heard.clone(), Arc::new(script));
        let answer = post(
            |State((heard, script)): State<(Heard, Script)>, body: axum::body::Bytes| async move {
                let request = Fields::from_form(&body).unwrap();
                let (status, body) = script(&request);
                heard.lock().unwrap().push(request);
                (axum::http::StatusCode::from_u16(status).unwrap(), body)
            },
        );
        let app = axum::Router::new().fallback_service(answer.with_state(state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            gateway: UnionPay::new(config(&base)).unwrap(),
            heard,
        }
    }

    /// The one request that came.
    pub(super) fn heard(&self) -> Fields {
        let heard = self.heard.lock().unwrap();
        assert_eq!(heard.len(), 1);
        heard[0].clone()
    }

    pub(super) fn heard_nothing(&self) -> bool {
        self.heard.lock().unwrap().is_empty()
    }
}

/// An answer that echoes what UnionPay echoes.
pub(super) fn answer_to(request: &Fields, told: &[(String, String)]) -> Fields {
    let mut fields = Fields::default();
    for name in [
        "merId", "orderId", "txnTime", "txnType", "bizType", "encoding",
    ] {
        if let Some(value) = request.get(name) {
            fields.set(name, value);
        }
    }
    for (name, value) in told {
        fields.set(name, value);
    }
    signed(fields)
}
