//! The merchant's access to PayPal, and the key that proves PayPal's notices.

use crate::SandboxError;
use crate::ids;
use crate::keys::{KeyRing, Shared, key_pair, unusable};
use connectors::rsa::{Issue, SigningKey, Validity};
use domain::Ts;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// Whatever clock the play runs on, the certificate is good: 2000 to 2049.
const GOOD: Validity = Validity {
    not_before: Ts::from_micros(946_684_800_000_000),
    not_after: Ts::from_micros(2_524_607_999_000_000),
};

/// The file's content.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyFile {
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) webhook_id: String,
    notice_private_key_pem: String,
    wrong_private_key_pem: String,
    /// Such as `CERT-360CAA42FCA2A594`.
    pub(super) certificate_name: String,
}

/// The keys, ready for use.
pub(super) struct Keys {
    pub(super) file: KeyFile,
    /// Signs notices.
    pub(super) notices: SigningKey,
    /// Signs badly signed notices: a valid key that is not PayPal's.
    pub(super) wrong: SigningKey,
    /// The certificate of `notices`, PEM.
    pub(super) certificate_pem: String,
}

impl KeyRing for Keys {
    type File = KeyFile;
    const FILE: &'static str = "keys-paypal.json";

    fn make() -> Result<KeyFile, SandboxError> {
        let (notice_private_key_pem, _) = key_pair()?;
        let (wrong_private_key_pem, _) = key_pair()?;
        Ok(KeyFile {
            client_id: format!("A{}", ids::letters(79)),
            client_secret: format!("E{}", ids::letters(79)),
            webhook_id: super::ids::number(),
            notice_private_key_pem,
            wrong_private_key_pem,
            certificate_name: format!("CERT-{}", ids::hexadecimal(16)),
        })
    }

    fn read(file: KeyFile) -> Result<Self, SandboxError> {
        let notices = SigningKey::from_pkcs8_pem(&file.notice_private_key_pem);
        let notices = notices.map_err(unusable)?;
        let public_key = notices.public_spki_der().map_err(unusable)?;
        // PayPal's is signed by a public authority; whoever fetches it trusts the host instead.
        let certificate = Issue {
            serial: 1,
            subject: "messageverificationcerts.sandbox",
            issuer: "messageverificationcerts.sandbox",
            validity: GOOD,
            public_key: &public_key,
        };
        Ok(Self {
            certificate_pem: certificate.signed_by(&notices).map_err(unusable)?,
            wrong: SigningKey::from_pkcs8_pem(&file.wrong_private_key_pem).map_err(unusable)?,
            notices,
            file,
        })
    }

    fn shared() -> &'static Shared<Self> {
        static SHARED: Shared<Keys> = Mutex::new(None);
        &SHARED
    }
}
