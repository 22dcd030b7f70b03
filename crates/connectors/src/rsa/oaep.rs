//! RSA-OAEP with SHA-1 and MGF1, as WeChat demands it for bank cards and names (WeChat Pay API v3,
//! encrypting sensitive fields: `RSA/ECB/OAEPWithSHA-1AndMGF1Padding`). SHA-1 here is no digest of
//! anything that could be forged: the padding's safety doesn't rest on collisions.

use super::certificate::Certificate;
use super::{KeyError, pem_block};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A public key that encrypts.
pub struct EncryptingKey(OaepPublicEncryptingKey);

impl EncryptingKey {
    /// Reads a public key (SubjectPublicKeyInfo, `BEGIN PUBLIC KEY`).
    pub fn from_spki_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_spki_der(&pem_block(pem, "PUBLIC KEY")?)
    }

    /// Takes the public key out of an X.509 certificate.
    pub fn from_certificate_pem(pem: &str) -> Result<Self, KeyError> {
        let der = pem_block(pem, "CERTIFICATE")?;
        let certificate = Certificate::read(&der).ok_or(KeyError::NotAKey {
            expected: "an X.509 certificate",
            reason: "its outer structure can't be read".to_owned(),
        })?;
        Self::from_spki_der(certificate.public_key)
    }

    fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let wrong = |reason: String| KeyError::NotAKey {
            expected: "an RSA public key to encrypt with",
            reason,
        };
        let key = PublicEncryptingKey::from_der(der).map_err(|why| wrong(why.to_string()))?;
        OaepPublicEncryptingKey::new(key)
            .map(Self)
            .map_err(|why| wrong(why.to_string()))
    }

    /// The Base64 of the text, encrypted; at most 214 bytes for a key of 2048 bits.
    pub fn encrypt(&self, text: &str) -> Result<String, KeyError> {
        let mut room = vec![0; self.0.ciphertext_size()];
        let sealed = self
            .0
            .encrypt(&OAEP_SHA1_MGF1SHA1, text.as_bytes(), &mut room, None)
            .map_err(|_| KeyError::NotEncrypted)?;
        Ok(STANDARD.encode(sealed))
    }
}

/// A private key that decrypts.
pub struct DecryptingKey(OaepPrivateDecryptingKey);

impl DecryptingKey {
    /// Reads a PKCS#8 private key, `BEGIN PRIVATE KEY`.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, KeyError> {
        let der = pem_block(pem, "PRIVATE KEY")?;
        let wrong = |reason: String| KeyError::NotAKey {
            expected: "an RSA private key in PKCS#8",
            reason,
        };
        let key = PrivateDecryptingKey::from_pkcs8(&der).map_err(|why| wrong(why.to_string()))?;
        OaepPrivateDecryptingKey::new(key)
            .map(Self)
            .map_err(|why| wrong(why.to_string()))
    }

    /// The text that was encrypted for this key, if it was.
    pub fn decrypt(&self, sealed: &str) -> Option<String> {
        let sealed = STANDARD.decode(sealed).ok()?;
        let mut room = vec![0; self.0.min_output_size()];
        let text = self
            .0
            .decrypt(&OAEP_SHA1_MGF1SHA1, &sealed, &mut room, None)
            .ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};

    fn block(label: &str, der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
    }

    fn pair() -> (EncryptingKey, DecryptingKey) {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let private: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let public = aws_lc_rs::signature::KeyPair::public_key(&key);
        let public: PublicKeyX509Der<'_> = public.as_der().unwrap();
        (
            EncryptingKey::from_spki_pem(&block("PUBLIC KEY", public.as_ref())).unwrap(),
            DecryptingKey::from_pkcs8_pem(&block("PRIVATE KEY", private.as_ref())).unwrap(),
        )
    }

    #[test]
    fn only_the_other_end_reads_it_and_it_is_another_text_each_time() {
        let (public, private) = pair();
        let first = public.encrypt("张三 6222021234567890").unwrap();
        let second = public.encrypt("张三 6222021234567890").unwrap();
        assert_ne!(first, second);
        assert_eq!(
            private.decrypt(&first).as_deref(),
            Some("张三 6222021234567890")
        );
        let (_, stranger) = pair();
        assert_eq!(stranger.decrypt(&first), None);
    }

    #[test]
    fn what_is_too_long_or_broken_is_refused() {
        let (public, private) = pair();
        assert!(public.encrypt(&"x".repeat(214)).is_ok());
        assert_eq!(
            public.encrypt(&"x".repeat(215)),
            Err(KeyError::NotEncrypted)
        );
        for broken in ["", "not base64!", "AAAA"] {
            assert_eq!(private.decrypt(broken), None, "{broken}");
        }
    }
}
