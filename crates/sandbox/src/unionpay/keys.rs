//! The certificates and keys of UnionPay and of its one merchant.

use crate::SandboxError;
use crate::ids;
use crate::keys::{KeyRing, Shared, pem, unusable};
use connectors::rsa::{SigningKey, VerifyingKey};
use connectors::unionpay::certificate::{Trust, cert_id};
use domain::Ts;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256,
    RsaKeySize, date_time_ymd,
};
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// The name in the certificate that UnionPay signs with, as in its real test environment.
pub(super) const SIGNER: &str = "00040000:SIGN";
/// The name in the merchant's certificate.
const MERCHANT: &str = "sandbox merchant";

/// A certificate with its key.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Certified {
    pub(super) certificate_pem: String,
    pub(super) private_key_pem: String,
}

/// The file's content.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyFile {
    pub(super) mer_id: String,
    pub(super) root_certificate_pem: String,
    pub(super) middle_certificate_pem: String,
    pub(super) signer: Certified,
    pub(super) merchant: Certified,
    /// Of the right name, but from nobody that anybody trusts.
    pub(super) impostor: Certified,
}

/// The keys, ready for use.
pub(super) struct Keys {
    pub(super) file: KeyFile,
    /// The merchant's certificate, by its number.
    pub(super) merchant_cert_id: String,
    /// Verifies the merchant's requests.
    pub(super) merchant_public: VerifyingKey,
    /// Signs answers and notices.
    pub(super) signer: SigningKey,
    /// The number of the certificate that signs.
    pub(super) signer_cert_id: String,
    /// Signs notices that are badly signed on purpose.
    pub(super) impostor: SigningKey,
}

impl KeyRing for Keys {
    type File = KeyFile;
    const FILE: &'static str = "keys-unionpay.json";

    fn make() -> Result<KeyFile, SandboxError> {
        let root = Issued::make(authority("CFCA SANDBOX CS CA"), None)?;
        let middle = Issued::make(authority("CFCA SANDBOX OCA1"), Some(&root))?;
        let signer = named("Z2026-1-1", SIGNER);
        Ok(KeyFile {
            mer_id: format!("777{}", ids::digits(12)),
            signer: Issued::make(signer.clone(), Some(&middle))?.certified(),
            merchant: Issued::make(named("Z2026-1-1", MERCHANT), Some(&middle))?.certified(),
            impostor: Issued::make(signer, None)?.certified(),
            root_certificate_pem: root.pem,
            middle_certificate_pem: middle.pem,
        })
    }

    fn read(file: KeyFile) -> Result<Self, SandboxError> {
        let merchants = Trust::new(
            &file.root_certificate_pem,
            &file.middle_certificate_pem,
            MERCHANT,
        )
        .map_err(unusable)?;
        let key = |certified: &Certified| {
            SigningKey::from_pkcs8_pem(&certified.private_key_pem).map_err(unusable)
        };
        let number = |certified: &Certified| cert_id(&certified.certificate_pem).map_err(unusable);
        Ok(Self {
            merchant_public: merchants
                .key_of(&file.merchant.certificate_pem, made_at())
                .map_err(unusable)?,
            merchant_cert_id: number(&file.merchant)?,
            signer: key(&file.signer)?,
            signer_cert_id: number(&file.signer)?,
            impostor: key(&file.impostor)?,
            file,
        })
    }

    fn shared() -> &'static Shared<Self> {
        static SHARED: Shared<Keys> = Mutex::new(None);
        &SHARED
    }
}

/// A certificate that was made here, able to issue others if its parameters say so.
struct Issued {
    params: CertificateParams,
    key: KeyPair,
    pem: String,
}

impl Issued {
    fn make(params: CertificateParams, by: Option<&Self>) -> Result<Self, SandboxError> {
        let key =
            KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(unusable)?;
        let certificate = match by {
            Some(by) => params.signed_by(&key, &Issuer::from_params(&by.params, &by.key)),
            None => params.self_signed(&key),
        };
        let pem = pem("CERTIFICATE", certificate.map_err(unusable)?.der());
        Ok(Self { params, key, pem })
    }

    fn certified(self) -> Certified {
        Certified {
            private_key_pem: pem("PRIVATE KEY", self.key.serialized_der()),
            certificate_pem: self.pem,
        }
    }
}

/// Of UnionPay's form: `041@Z2026-1-1@NAME@00000001`.
fn named(batch: &str, name: &str) -> CertificateParams {
    with_common_name(&format!("041@{batch}@{name}@00000001"))
}

fn authority(name: &str) -> CertificateParams {
    let mut params = with_common_name(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// Valid on whatever day the sandbox's clock is set to.
fn with_common_name(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params
}

/// A moment within the time of all certificates: the first of 2026.
const fn made_at() -> Ts {
    Ts::from_micros(1_767_225_600_000_000)
}
