//! Certificates from outside: UnionPay's, which come with each message, and those of RSA keys.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connectors::rsa::{CertifiedKey, EncryptingKey, VerifyingKey, pem_block};
use connectors::unionpay::certificate::{Trust, cert_id};
use domain::Ts;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const ROOT: &str = include_str!("data/root.pem");
const LEAF: &str = include_str!("data/leaf.pem");
/// The name in the leaf.
const SIGNER: &str = "00040000:SIGN";
/// 2026-12-01, within both certificates' validity.
const NOW: Ts = Ts::from_micros(1_796_083_200_000_000);

static TRUST: LazyLock<Trust> =
    LazyLock::new(|| Trust::new(ROOT, ROOT, SIGNER).expect("a certificate of our own"));
static LEAF_DER: LazyLock<Vec<u8>> =
    LazyLock::new(|| pem_block(LEAF, "CERTIFICATE").expect("a certificate of our own"));

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    match which % 4 {
        0 => trusted(&String::from_utf8_lossy(bytes)),
        1 => trusted(&pem("CERTIFICATE", bytes)),
        2 => keys(&pem("CERTIFICATE", bytes)),
        _ => drop(VerifyingKey::from_spki_pem(&pem("PUBLIC KEY", bytes))),
    }
});

/// Nobody signs with the root's key here, so only the one leaf that it signed is ever believed.
fn trusted(pem: &str) {
    assert!(TRUST.key_of(LEAF, NOW).is_ok());
    if TRUST.key_of(pem, NOW).is_ok() {
        assert_eq!(pem_block(pem, "CERTIFICATE").as_ref(), Ok(&*LEAF_DER));
    }
    drop(cert_id(pem));
}

/// A validity that was read holds its own ends.
fn keys(pem: &str) {
    if let Ok(CertifiedKey { validity, .. }) = CertifiedKey::from_pem(pem)
        && validity.not_before <= validity.not_after
    {
        assert!(validity.includes(validity.not_before) && validity.includes(validity.not_after));
    }
    drop(VerifyingKey::from_certificate_pem(pem, "01"));
    drop(EncryptingKey::from_certificate_pem(pem));
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}
