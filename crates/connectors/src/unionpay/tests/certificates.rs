//! Which certificate is believed, and what each of the others is told.

use super::super::certificate::{CertificateError, PRODUCTION_SIGNER, Trust, cert_id};
use super::super::signature::digest_text;
use super::{CERTIFICATES, COMMON_NAME, Certified, SIGNER, at, authority, issued, named, pem, ten};
use crate::rsa::SigningKey;
use domain::Ts;
use rcgen::{DnType, ExtendedKeyUsagePurpose, SerialNumber, date_time_ymd};

fn trust(signer: &str) -> Trust {
    let certificates = &*CERTIFICATES;
    Trust::new(&certificates.root.pem, &certificates.middle.pem, signer).unwrap()
}

fn refused(pem: &str, now: Ts) -> CertificateError {
    trust(SIGNER).key_of(pem, now).err().unwrap()
}

fn says(error: &CertificateError, words: &str) {
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn a_certificate_that_leads_to_the_root_gives_its_key() {
    let signer = &CERTIFICATES.signer;
    let key = trust(SIGNER).key_of(&signer.pem, ten()).unwrap();
    let text = digest_text("a=1");
    let signature = SigningKey::from_pkcs8_pem(&signer.key_pem())
        .unwrap()
        .sign(text.as_bytes())
        .unwrap();
    assert!(key.verifies(text.as_bytes(), &signature));
}

#[test]
fn what_a_certificate_says_it_may_be_used_for_does_not_matter() {
    let mut params = named(COMMON_NAME);
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ClientAuth,
        ExtendedKeyUsagePurpose::EmailProtection,
    ];
    let signer = issued(params, Some(&CERTIFICATES.middle));
    assert!(trust(SIGNER).key_of(&signer.pem, ten()).is_ok());
}

#[test]
fn out_of_its_time_it_is_not_believed() {
    let mut params = named(COMMON_NAME);
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2025, 1, 1);
    let signer = issued(params, Some(&CERTIFICATES.middle));
    let early = refused(&signer.pem, at("2023-12-31T23:59:59Z"));
    assert_eq!(
        early,
        CertificateError::NotYetValid(at("2024-01-01T00:00:00Z"))
    );
    says(&early, "still to come");
    assert!(
        trust(SIGNER)
            .key_of(&signer.pem, at("2024-06-01T00:00:00Z"))
            .is_ok()
    );
    let late = refused(&signer.pem, at("2025-01-01T00:00:01Z"));
    assert_eq!(late, CertificateError::Expired(at("2025-01-01T00:00:00Z")));
    says(&late, "expired at 2025-01-01");
    // Before 1970 nothing was valid.
    refused(&signer.pem, at("1960-01-01T00:00:00Z"));
}

#[test]
fn an_expired_middle_certificate_breaks_the_path() {
    let certificates = &*CERTIFICATES;
    let mut params = authority("CFCA TEST OCA9");
    params.not_after = date_time_ymd(2025, 1, 1);
    let middle = issued(params, Some(&certificates.root));
    let signer = issued(named(COMMON_NAME), Some(&middle));
    let trust = Trust::new(&certificates.root.pem, &middle.pem, SIGNER).unwrap();
    assert!(
        trust
            .key_of(&signer.pem, at("2024-12-31T00:00:00Z"))
            .is_ok()
    );
    let late = trust.key_of(&signer.pem, ten()).err().unwrap();
    assert!(matches!(late, CertificateError::Expired(_)), "{late}");
}

#[test]
fn only_unionpays_name_is_believed() {
    // The same authority issues certificates to everyone; only the name tells them apart.
    for name in [
        "041@Z1@merchant@1",
        "041@中国银联股份有限公司@merchant@00040000:SIGN",
        "041@00040000:SIGN@x@1",
        "041@Z1@00040000:SIGN @1",
        "041@Z1@中国银联股份有限公司@1",
    ] {
        let other = issued(named(name), Some(&CERTIFICATES.middle));
        let error = refused(&other.pem, ten());
        assert!(
            matches!(&error, CertificateError::WrongSigner { expected, .. } if expected == SIGNER),
            "{name}: {error}"
        );
    }
    let nameless = issued(named("gateway.95516.com"), Some(&CERTIFICATES.middle));
    says(&refused(&nameless.pem, ten()), "gateway.95516.com");
}

#[test]
fn production_has_unionpays_own_name() {
    let name = "041@8310000000083040@中国银联股份有限公司@00000016";
    let signer = issued(named(name), Some(&CERTIFICATES.middle));
    assert!(trust(PRODUCTION_SIGNER).key_of(&signer.pem, ten()).is_ok());
    // The test environment's certificate is worth nothing there.
    let test = trust(PRODUCTION_SIGNER)
        .key_of(&CERTIFICATES.signer.pem, ten())
        .err()
        .unwrap();
    says(&test, "`00040000:SIGN`, not of `中国银联股份有限公司`");
}

#[test]
fn a_certificate_of_another_house_is_not_believed() {
    let unknown = |certificate: &Certified| {
        assert_eq!(
            refused(&certificate.pem, ten()),
            CertificateError::UnknownIssuer
        );
    };
    unknown(&issued(named(COMMON_NAME), Some(&CERTIFICATES.other_root)));
    // Signed by itself.
    unknown(&issued(named(COMMON_NAME), None));
    // Signed by one who was given a certificate, but no right to give others.
    unknown(&issued(named(COMMON_NAME), Some(&CERTIFICATES.merchant)));
}

#[test]
fn the_right_name_with_another_key_is_no_issuer() {
    let certificates = &*CERTIFICATES;
    let impostor = issued(authority("CFCA TEST OCA1"), Some(&certificates.root));
    for issuer in [&impostor, &certificates.false_root] {
        let signer = issued(named(COMMON_NAME), Some(issuer));
        let error = refused(&signer.pem, ten());
        assert_eq!(error, CertificateError::NotSignedByIssuer);
    }
}

#[test]
fn an_authority_and_a_merchant_do_not_stand_in_for_each_other() {
    let certificates = &*CERTIFICATES;
    let mut params = authority("CFCA TEST OCA1");
    params
        .distinguished_name
        .push(DnType::CommonName, COMMON_NAME);
    let authority = issued(params, Some(&certificates.middle));
    says(&refused(&authority.pem, ten()), "does not hold");

    // A merchant's certificate, configured as a middle one by mistake, still issues nothing.
    let signer = issued(named(COMMON_NAME), Some(&certificates.merchant));
    let middles = format!("{}{}", certificates.middle.pem, certificates.merchant.pem);
    let trust = Trust::new(&certificates.root.pem, &middles, SIGNER).unwrap();
    says(
        &trust.key_of(&signer.pem, ten()).err().unwrap(),
        "does not hold",
    );
}

#[test]
fn what_is_no_certificate_is_named() {
    let genuine = &CERTIFICATES.signer.pem;
    let der = crate::rsa::pem_block(genuine, "CERTIFICATE").unwrap();
    let cut = pem("CERTIFICATE", &der[..der.len() - 1]);
    let longer = pem("CERTIFICATE", &[der.as_slice(), &[0]].concat());
    let mut changed = der;
    *changed.last_mut().unwrap() ^= 1;
    for (text, words) in [
        ("", "no PEM block `CERTIFICATE`"),
        ("garbage", "no PEM block `CERTIFICATE`"),
        ("-----BEGIN CERTIFICATE-----", "no PEM block `CERTIFICATE`"),
        (
            "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----",
            "not Base64",
        ),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "no X.509 certificate",
        ),
        (cut.as_str(), "no X.509 certificate"),
        (longer.as_str(), "no X.509 certificate"),
        (
            pem("CERTIFICATE", &changed).as_str(),
            "not signed by the issuer",
        ),
        ("x".repeat(20_000).as_str(), "longer than 16384 bytes"),
    ] {
        says(&refused(text, ten()), words);
    }
}

#[test]
fn roots_and_middles_may_be_several_and_must_be_readable() {
    let certificates = &*CERTIFICATES;
    let roots = format!("{}\n{}", certificates.other_root.pem, certificates.root.pem);
    let middles = format!(
        "# comment\n{}{}",
        certificates.middle.pem, certificates.middle.pem
    );
    let trust = Trust::new(&roots, &middles, SIGNER).unwrap();
    assert!(trust.key_of(&certificates.signer.pem, ten()).is_ok());
    for (roots, middles) in [
        ("", certificates.middle.pem.as_str()),
        (certificates.root.pem.as_str(), ""),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            certificates.middle.pem.as_str(),
        ),
    ] {
        assert!(Trust::new(roots, middles, SIGNER).is_err());
    }
}

#[test]
fn the_merchants_serial_number_is_told_in_decimal() {
    let mut params = named("041@Z1@merchant@1");
    params.serial_number = Some(SerialNumber::from(vec![0x10, 0x12, 0x49, 0x65, 0x58]));
    let merchant = issued(params, Some(&CERTIFICATES.middle));
    assert_eq!(cert_id(&merchant.pem).unwrap(), "69026276696");
}
