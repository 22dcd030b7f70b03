//! Certificates of our own making, for the counterparties that the sandbox plays.

use super::certificate::{INTEGER, SEQUENCE, VERSION};
use super::{KeyError, SigningKey, Validity};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const SET: u8 = 0x31;
/// `sha256WithRSAEncryption` (1.2.840.113549.1.1.11) with its empty parameters, whole.
const SHA256_WITH_RSA: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00,
];
/// `commonName` (2.5.4.3), whole.
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
/// Version 3 is written as 2.
const VERSION_3: [u8; 1] = [2];
const PEM_WIDTH: usize = 64;

/// A certificate to be written: no extensions, so good for a test's or sandbox's key and nothing
/// else (RFC 5280, 4.1).
pub struct Issue<'a> {
    /// The certificate's number, at most eight bytes.
    pub serial: u64,
    /// The common name of whose key it is.
    pub subject: &'a str,
    /// The common name of who signs it; the same as `subject` for one that signs itself.
    pub issuer: &'a str,
    /// When it is good.
    pub validity: Validity,
    /// The SubjectPublicKeyInfo of the key.
    pub public_key: &'a [u8],
}

impl Issue<'_> {
    /// The certificate as PEM, signed with the issuer's key.
    pub fn signed_by(&self, issuer: &SigningKey) -> Result<String, KeyError> {
        let content = element(
            SEQUENCE,
            &[
                element(VERSION, &element(INTEGER, &VERSION_3)),
                integer(self.serial),
                SHA256_WITH_RSA.to_vec(),
                name(self.issuer),
                element(SEQUENCE, &self.validity.to_der()),
                name(self.subject),
                self.public_key.to_vec(),
            ]
            .concat(),
        );
        let signature = issuer.sign_bytes(&content)?;
        // The first byte counts the bits that are not used: none.
        let signature = element(BIT_STRING, &[&[0][..], &signature].concat());
        let whole = [content, SHA256_WITH_RSA.to_vec(), signature].concat();
        Ok(pem(&element(SEQUENCE, &whole)))
    }
}

/// A name that is a common name and nothing else.
fn name(common: &str) -> Vec<u8> {
    let value = element(UTF8_STRING, common.as_bytes());
    let pair = element(SEQUENCE, &[&COMMON_NAME[..], &value].concat());
    element(SEQUENCE, &element(SET, &pair))
}

/// A number in the fewest bytes; a leading zero stands only where it keeps the number positive.
fn integer(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let significant = bytes.iter().position(|&byte| byte != 0);
    let digits = significant.map_or(&[][..], |at| &bytes[at..]);
    match digits.first() {
        Some(0..0x80) => element(INTEGER, digits),
        Some(_) | None => element(INTEGER, &[&[0][..], digits].concat()),
    }
}

/// One element of DER.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = length.iter().position(|&byte| byte != 0);
    let digits = digits.map_or(&length[length.len() - 1..], |at| &length[at..]);
    let mut whole = vec![tag];
    match digits {
        [short] if *short < 0x80 => whole.push(*short),
        // Long form: how many bytes of length follow, then those.
        long => {
            whole.push(0x80 | u8::try_from(long.len()).unwrap_or(u8::MAX));
            whole.extend_from_slice(long);
        }
    }
    whole.extend_from_slice(content);
    whole
}

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % PEM_WIDTH == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END CERTIFICATE-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use super::super::{CertifiedKey, VerifyingKey};
    use super::*;
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use domain::Ts;

    fn key() -> SigningKey {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
            STANDARD.encode(der.as_ref())
        );
        SigningKey::from_pkcs8_pem(&pem).unwrap()
    }

    #[test]
    fn a_certificate_made_here_is_read_again_with_key_serial_and_validity() {
        let key = key();
        let validity = Validity {
            not_before: Ts::parse("2025-01-01T00:00:00Z").unwrap(),
            not_after: Ts::parse("2035-01-01T00:00:00Z").unwrap(),
        };
        let public_key = key.public_spki_der().unwrap();
        for (serial, text) in [
            (0, "00"),
            (1, "01"),
            (0x80, "80"),
            (u64::MAX, "FFFFFFFFFFFFFFFF"),
        ] {
            let issue = Issue {
                serial,
                subject: "messageverificationcerts.example",
                issuer: "somebody",
                validity,
                public_key: &public_key,
            };
            let pem = issue.signed_by(&key).unwrap();
            let read = CertifiedKey::from_pem(&pem).unwrap();
            assert_eq!(read.validity, validity);
            let signature = key.sign(b"message").unwrap();
            assert!(read.key.verifies(b"message", &signature));
            assert!(
                VerifyingKey::from_certificate_pem(&pem, text).is_ok(),
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_are_written_in_the_fewest_bytes() {
        for (number, content) in [
            (0, &[0][..]),
            (1, &[1]),
            (0x7f, &[0x7f]),
            (0x80, &[0, 0x80]),
            (300, &[1, 0x2c]),
            (u64::MAX, &[0, 255, 255, 255, 255, 255, 255, 255, 255]),
        ] {
            assert_eq!(integer(number), element(INTEGER, content), "{number}");
        }
    }

    #[test]
    fn lengths_are_written_in_the_fewest_bytes() {
        assert_eq!(element(4, &[]), [4, 0]);
        assert_eq!(element(4, &[7; 127])[..2], [4, 127]);
        assert_eq!(element(4, &[7; 128])[..3], [4, 0x81, 128]);
        assert_eq!(element(4, &[7; 256])[..4], [4, 0x82, 1, 0]);
    }
}
