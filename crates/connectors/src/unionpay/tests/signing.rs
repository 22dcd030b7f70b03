//! What is signed, held against UnionPay's published sample.

use super::super::certificate::{Trust, cert_id};
use super::super::fields::Fields;
use super::super::signature::{SignatureError, digest_text, message, sign, verify, verify_cut};
use super::{CERTIFICATES, SIGNER, at, signed};
use crate::rsa::{SigningKey, VerifyingKey, pem_block};
use proptest::collection::btree_map;
use proptest::prelude::*;
use rustls_pki_types::CertificateDer;
use serde_json::Value;
use webpki::EndEntityCert;

fn sample() -> Value {
    let all: Value = serde_json::from_str(include_str!("../../../tests/vectors.json")).unwrap();
    let found = all["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["id"] == "unionpay-public-notify");
    found.unwrap().clone()
}

fn sample_fields() -> Fields {
    Fields::from_form(sample()["form_body"].as_str().unwrap().as_bytes()).unwrap()
}

fn key_in(pem: &str) -> VerifyingKey {
    let der = CertificateDer::from(pem_block(pem, "CERTIFICATE").unwrap());
    let certificate = EndEntityCert::try_from(&der).unwrap();
    VerifyingKey::from_spki_der(&certificate.subject_public_key_info()).unwrap()
}

fn signing_key() -> SigningKey {
    SigningKey::from_pkcs8_pem(&CERTIFICATES.signer.key_pem()).unwrap()
}

#[test]
fn the_published_notice_verifies_with_its_certificate() {
    let fields = sample_fields();
    let expected = sample();
    assert_eq!(
        digest_text(&message(&fields)),
        expected["sha256_hex_of_sorted_string"].as_str().unwrap()
    );
    let pem = fields.get("signPubKeyCert").unwrap();
    assert_eq!(verify(&fields, &key_in(pem)), Ok(()));
    assert_eq!(cert_id(pem).unwrap(), "69026276696");
    // The same notice with one digit of its amount changed.
    let tampered = fields.with("txnAmt", "137");
    assert_eq!(
        verify(&tampered, &key_in(tampered.get("signPubKeyCert").unwrap())),
        Err(SignatureError::Mismatch)
    );
}

#[test]
fn the_published_certificate_is_not_believed_by_itself() {
    // It is genuine, but expired in 2020, and does not lead to the root of these tests.
    let certificates = &*CERTIFICATES;
    let trust = Trust::new(&certificates.root.pem, &certificates.middle.pem, SIGNER).unwrap();
    let fields = sample_fields();
    let pem = fields.get("signPubKeyCert").unwrap();
    for now in ["2018-07-25T18:14:00+08:00", "2025-11-20T10:00:00+08:00"] {
        let refused = trust.key_of(pem, at(now)).err().unwrap();
        assert!(refused.to_string().contains("certificate"), "{refused}");
    }
}

#[test]
fn the_text_is_sorted_and_leaves_out_what_is_empty_and_the_signature() {
    let fields = Fields::default()
        .with("txnType", "01")
        .with("b", "2")
        .with("B", "1")
        .with("accNo", "")
        .with("signature", "old")
        .with("respMsg", "成功[0000000]");
    // By bytes: capitals first, and nothing is escaped.
    assert_eq!(message(&fields), "B=1&b=2&respMsg=成功[0000000]&txnType=01");
    assert_eq!(
        digest_text(""),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn another_rule_of_signing_is_not_spoken() {
    let key = key_in(&CERTIFICATES.signer.pem);
    let genuine = signed(Fields::default().with("respCode", "00"));
    assert_eq!(verify(&genuine, &key), Ok(()));
    for (changed, why) in [
        (
            genuine.clone().without("signature"),
            SignatureError::Missing,
        ),
        (
            genuine.clone().with("version", "5.0.0"),
            SignatureError::Version("5.0.0".to_owned()),
        ),
        (
            genuine.clone().with("signMethod", "11"),
            SignatureError::Method("11".to_owned()),
        ),
        (
            genuine.clone().with("respCode", "01"),
            SignatureError::Mismatch,
        ),
        (genuine.clone().with("more", "1"), SignatureError::Mismatch),
        (
            genuine.with("signature", "not base64"),
            SignatureError::Mismatch,
        ),
    ] {
        assert_eq!(verify(&changed, &key), Err(why));
    }
}

#[test]
fn a_genuine_text_cut_into_other_fields_is_not_believed() {
    let key = key_in(&CERTIFICATES.signer.pem);
    let genuine = signed(
        Fields::default()
            .with("orderId", "A")
            .with("queryId", "B")
            .with("respCode", "00"),
    );
    // The same text: `...&orderId=A&queryId=B&respCode=00&...`.
    let recut = genuine
        .clone()
        .without("queryId")
        .with("orderId", "A&queryId=B");
    assert_eq!(message(&recut), message(&genuine));
    assert_eq!(verify(&recut, &key), Ok(()));
    assert_eq!(verify_cut(&recut), Err(SignatureError::Ambiguous));
    assert_eq!(verify_cut(&genuine), Ok(()));
    assert_eq!(verify_cut(&sample_fields()), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_signed_verifies_and_nothing_else_does(
        map in btree_map("[a-zA-Z]{1,10}", "[^&{}\\[\\]\r\n]{1,20}", 1..12),
        extra in "[^&{}\\[\\]\r\n]{1,8}",
    ) {
        let mut fields = Fields::default();
        map.iter().for_each(|(name, value)| fields.set(name, value));
        let signed = sign(fields, &signing_key()).unwrap();
        let key = key_in(&CERTIFICATES.signer.pem);
        prop_assert_eq!(verify(&signed, &key), Ok(()));
        let travelled = Fields::from_form(signed.to_form().as_bytes()).unwrap();
        prop_assert_eq!(verify(&travelled, &key), Ok(()));
        let (name, value) = map.iter().find(|(name, _)| !["version", "signMethod", "signature"].contains(&name.as_str())).unwrap();
        let changed = signed.with(name, format!("{value}{extra}"));
        prop_assert_eq!(verify(&changed, &key), Err(SignatureError::Mismatch));
    }

    #[test]
    fn the_text_does_not_depend_on_the_order_of_writing(
        pairs in btree_map("[a-zA-Z]{1,10}", ".{0,10}", 0..12),
    ) {
        let mut forward = Fields::default();
        pairs.iter().for_each(|(name, value)| forward.set(name, value));
        let mut backward = Fields::default();
        pairs.iter().rev().for_each(|(name, value)| backward.set(name, value));
        prop_assert_eq!(message(&forward), message(&backward));
    }
}
