//! The certificates around a message: UnionPay sends the one that it signed with along with each
//! answer and notice (`signPubKeyCert`), and it is believed only if it leads over the middle
//! certificate to the root that were configured, is valid now, and names UnionPay.
//!
//! `webpki` builds and checks the path (it is what TLS rests on here anyway). It asks for no name of
//! a server: that is a separate call, which we don't make, since these certificates have none.
//! Signatures by SHA-1 are refused throughout.

use crate::rsa::certificate::Element;
use crate::rsa::{KeyError, VerifyingKey, pem_block};
use domain::Ts;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use std::fmt;
use std::time::Duration;
use thiserror::Error;
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert,
};

/// UnionPay's name in the certificate that its production signs with. Its test environment's is
/// `00040000:SIGN`.
pub const PRODUCTION_SIGNER: &str = "中国银联股份有限公司";

/// A certificate has one or two kilobytes.
const MAX_PEM_BYTES: usize = 16 << 10;

/// RFC 5280, 4.1.2.2: at most 20, and a zero before them.
const MAX_SERIAL_BYTES: usize = 21;

const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA384,
    webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA512,
];

/// DER's identifier of `commonName` (2.5.4.3).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Why a certificate was not believed.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum CertificateError {
    /// Longer than any certificate.
    #[error("the certificate is longer than {MAX_PEM_BYTES} bytes")]
    TooLong,
    /// Not PEM, or not a certificate's.
    #[error("the certificate is no PEM: {0}")]
    NotPem(KeyError),
    /// The bytes are no X.509 certificate of version 3.
    #[error("this is no X.509 certificate: {0}")]
    Unreadable(String),
    /// Not valid yet.
    #[error("the certificate is valid from {0} on, and that is still to come")]
    NotYetValid(Ts),
    /// Not valid any more.
    #[error("the certificate expired at {0}")]
    Expired(Ts),
    /// Not signed by a certificate that we trust.
    #[error("the certificate does not lead to a configured root certificate")]
    UnknownIssuer,
    /// It names an issuer that we trust, but is not signed by it.
    #[error("the certificate is not signed by the issuer that it names")]
    NotSignedByIssuer,
    /// Signed by a way that is not accepted: SHA-1 above all.
    #[error("the certificate is signed by an algorithm that is not accepted: RSA with SHA-256 is")]
    Algorithm,
    /// The path is broken in another way.
    #[error("the certificate's path to a root does not hold: {0}")]
    BadPath(String),
    /// It names nobody, or names them in a form that is not UnionPay's.
    #[error("the certificate's common name is not of the form 041@...@NAME@...: {0}")]
    NoSigner(String),
    /// It is somebody else's.
    #[error("the certificate is of `{found}`, not of `{expected}`")]
    WrongSigner {
        /// In the certificate.
        found: String,
        /// In the configuration.
        expected: String,
    },
    /// Its key can't be used.
    #[error("the certificate's key can't be used: {0}")]
    Key(KeyError),
}

/// The certificates that UnionPay's must lead to, and the name that it must have.
pub struct Trust {
    roots: Vec<TrustAnchor<'static>>,
    middles: Vec<CertificateDer<'static>>,
    signer: String,
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("roots", &self.roots.len())
            .field("middles", &self.middles.len())
            .field("signer", &self.signer)
            .finish()
    }
}

impl Trust {
    /// Reads the root and middle certificates (PEM, one or more each).
    pub fn new(roots: &str, middles: &str, signer: &str) -> Result<Self, CertificateError> {
        let roots = read_all(roots)?
            .iter()
            .map(|der| anchor_from_trusted_cert(der).map(|anchor| anchor.to_owned()))
            .collect::<Result<_, _>>()
            .map_err(|error| unreadable(&error))?;
        let middles = read_all(middles)?;
        for middle in &middles {
            EndEntityCert::try_from(middle).map_err(|error| unreadable(&error))?;
        }
        Ok(Self {
            roots,
            middles,
            signer: signer.to_owned(),
        })
    }

    /// The key of a certificate that came with a message, once it is proven to be UnionPay's.
    pub fn key_of(&self, pem: &str, now: Ts) -> Result<VerifyingKey, CertificateError> {
        let der = read_one(pem)?;
        let certificate = EndEntityCert::try_from(&der).map_err(|error| unreadable(&error))?;
        certificate
            .verify_for_usage(
                ALGORITHMS,
                &self.roots,
                &self.middles,
                unix_time(now),
                AnyUse,
                None,
                None,
            )
            .map_err(|error| path_error(&error))?;
        let found = signer_of(certificate.subject())?;
        if found != self.signer {
            return Err(CertificateError::WrongSigner {
                found,
                expected: self.signer.clone(),
            });
        }
        key_of_certificate(&certificate)
    }
}

/// The merchant's own certificate, of which UnionPay is told the serial number.
pub(super) struct MerchantCertificate {
    /// Its serial number in decimal digits (`certId`).
    pub(super) cert_id: String,
    /// What verifies the merchant's signatures.
    pub(super) key: VerifyingKey,
}

impl MerchantCertificate {
    pub(super) fn read(pem: &str) -> Result<Self, CertificateError> {
        let der = read_one(pem)?;
        let certificate = EndEntityCert::try_from(&der).map_err(|error| unreadable(&error))?;
        if certificate.serial().len() > MAX_SERIAL_BYTES {
            let reason = format!("its serial number has more than {MAX_SERIAL_BYTES} bytes");
            return Err(CertificateError::Unreadable(reason));
        }
        Ok(Self {
            cert_id: decimal(certificate.serial()),
            key: key_of_certificate(&certificate)?,
        })
    }
}

/// A certificate's serial number as UnionPay writes it: in decimal digits (`certId`).
pub fn cert_id(pem: &str) -> Result<String, CertificateError> {
    MerchantCertificate::read(pem).map(|certificate| certificate.cert_id)
}

/// What a certificate that signs messages may be used for by its own words does not matter, as in
/// UnionPay's own library: the real ones say "client of TLS" and "mail".
struct AnyUse;

impl ExtendedKeyUsageValidator for AnyUse {
    fn validate(&self, _uses: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

fn read_one(pem: &str) -> Result<CertificateDer<'static>, CertificateError> {
    if pem.len() > MAX_PEM_BYTES {
        return Err(CertificateError::TooLong);
    }
    pem_block(pem, "CERTIFICATE")
        .map(CertificateDer::from)
        .map_err(CertificateError::NotPem)
}

/// Every certificate in a text; at least one.
fn read_all(pem: &str) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    const END: &str = "-----END CERTIFICATE-----";
    if !pem.contains(END) {
        return read_one(pem).map(|one| vec![one]);
    }
    pem.split_inclusive(END)
        .filter(|piece| piece.ends_with(END))
        .map(read_one)
        .collect()
}

fn key_of_certificate(certificate: &EndEntityCert<'_>) -> Result<VerifyingKey, CertificateError> {
    VerifyingKey::from_spki_der(&certificate.subject_public_key_info())
        .map_err(CertificateError::Key)
}

fn unreadable(error: &webpki::Error) -> CertificateError {
    CertificateError::Unreadable(error.to_string())
}

fn path_error(error: &webpki::Error) -> CertificateError {
    let ts = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 1_000_000);
        Ts::from_micros(seconds.saturating_mul(1_000_000))
    };
    match error {
        webpki::Error::CertExpired { not_after, .. } => CertificateError::Expired(ts(not_after)),
        webpki::Error::CertNotValidYet { not_before, .. } => {
            CertificateError::NotYetValid(ts(not_before))
        }
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer,
        webpki::Error::InvalidSignatureForPublicKey => CertificateError::NotSignedByIssuer,
        webpki::Error::UnsupportedSignatureAlgorithmContext(_)
        | webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            CertificateError::Algorithm
        }
        other => CertificateError::BadPath(other.to_string()),
    }
}

fn unix_time(now: Ts) -> UnixTime {
    let seconds = u64::try_from(now.unix_seconds()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// Whom the certificate is of: the third part of its common name, such as
/// `041@Z2017-11-1@00040000:SIGN@00000001`.
fn signer_of(subject: &[u8]) -> Result<String, CertificateError> {
    let name = common_name(subject)
        .ok_or_else(|| CertificateError::NoSigner("there is not one name in it".to_owned()))?;
    match name.split('@').nth(2) {
        Some(signer) => Ok(signer.to_owned()),
        None => Err(CertificateError::NoSigner(name)),
    }
}

/// The common name of a subject (RFC 5280, 4.1.2.4, without the outer sequence): a list of sets of
/// pairs of identifier and text. None where there is none or more than one.
fn common_name(subject: &[u8]) -> Option<String> {
    let mut found = None;
    let mut rest = subject;
    while !rest.is_empty() {
        let set = Element::read(rest)?;
        rest = set.after;
        let mut pairs = set.content;
        while !pairs.is_empty() {
            let pair = Element::read(pairs)?;
            pairs = pair.after;
            let identifier = Element::read(pair.content)?;
            if identifier.content == COMMON_NAME {
                let name = text(&Element::read(identifier.after)?)?;
                if found.replace(name).is_some() {
                    return None;
                }
            }
        }
    }
    found
}

/// A text in one of the forms that X.509 allows.
fn text(element: &Element<'_>) -> Option<String> {
    const UTF8: u8 = 0x0c;
    const PRINTABLE: u8 = 0x13;
    const TELETEX: u8 = 0x14;
    const IA5: u8 = 0x16;
    const BMP: u8 = 0x1e;
    match element.tag {
        UTF8 | PRINTABLE | TELETEX | IA5 => {
            std::str::from_utf8(element.content).ok().map(str::to_owned)
        }
        BMP if element.content.len().is_multiple_of(2) => {
            let units: Vec<u16> = element
                .content
                .chunks_exact(2)
                .map(|pair| u16::from(pair[0]) << 8 | u16::from(pair[1]))
                .collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

/// A number of any length, its bytes with the most significant first, in decimal digits.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u16::from(*byte);
        for digit in &mut digits {
            let value = u16::from(*digit) * 256 + carry;
            // Below ten and below 256 each, so both fit.
            *digit = u8::try_from(value % 10).unwrap_or_default();
            carry = value / 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or_default());
            carry /= 10;
        }
    }
    digits
        .iter()
        .rev()
        .map(|digit| char::from(b'0' + digit))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn serial_numbers_are_written_in_decimal() {
        for (bytes, expected) in [
            (&[][..], "0"),
            (&[0], "0"),
            (&[0, 255], "255"),
            (&[1, 0], "256"),
            (&[0x10, 0x12, 0x49, 0x65, 0x58], "69026276696"),
            (&[0xff; 16], "340282366920938463463374607431768211455"),
        ] {
            assert_eq!(decimal(bytes), expected);
        }
    }

    #[test]
    fn names_are_read_in_every_form_and_only_if_there_is_one() {
        let name = |tag: u8, content: &[u8]| {
            let mut pair = vec![0x06, 3, 0x55, 0x04, 0x03, tag];
            pair.push(u8::try_from(content.len()).unwrap());
            pair.extend_from_slice(content);
            let mut sequence = vec![0x30, u8::try_from(pair.len()).unwrap()];
            sequence.append(&mut pair);
            let mut set = vec![0x31, u8::try_from(sequence.len()).unwrap()];
            set.append(&mut sequence);
            set
        };
        let bmp: Vec<u8> = "041@Z1@银联@1"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(
            signer_of(&name(0x0c, "041@Z1@银联@1".as_bytes())),
            Ok("银联".to_owned())
        );
        assert_eq!(
            signer_of(&name(0x14, b"041@Z1@00040000:SIGN@1")),
            Ok("00040000:SIGN".to_owned())
        );
        assert_eq!(signer_of(&name(0x1e, &bmp)), Ok("银联".to_owned()));
        let refused = signer_of(&name(0x0c, b"pay.example.com")).unwrap_err();
        assert!(refused.to_string().contains("pay.example.com"), "{refused}");
        let two = [name(0x0c, b"a@b@c"), name(0x0c, b"a@b@d")].concat();
        assert!(signer_of(&two).is_err());
        assert!(signer_of(&name(0x0c, &[0xff])).is_err());
        assert!(signer_of(&[]).is_err());
    }

    proptest! {
        #[test]
        fn no_subject_makes_it_panic(bytes: Vec<u8>) {
            if let Ok(name) = signer_of(&bytes) {
                prop_assert!(!name.contains('@'));
            }
        }

        #[test]
        fn numbers_are_written_right(number: u128) {
            prop_assert_eq!(decimal(&number.to_be_bytes()), number.to_string());
        }
    }
}
