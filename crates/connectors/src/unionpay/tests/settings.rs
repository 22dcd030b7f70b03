//! What is wrong with a configuration is named, and nothing printed holds a secret.

use super::super::{REGISTRATION, UnionPay, UnionPayConfig, UnionPayConfigError};
use super::{CERTIFICATES, config};
use crate::gateway::Values;
use domain::payment::{GatewayName, Method};
use std::collections::BTreeMap;
use std::time::Duration;

fn values() -> Values {
    let certificates = &*CERTIFICATES;
    let mut values: BTreeMap<String, String> = REGISTRATION
        .settings
        .iter()
        .filter_map(|setting| Some((setting.name.to_owned(), setting.default?.to_owned())))
        .collect();
    for (name, value) in [
        ("UNIONPAY_URL", "http://127.0.0.1:9"),
        ("UNIONPAY_FILE_URL", "http://127.0.0.1:9/file"),
        ("UNIONPAY_MERID", super::MER_ID),
        ("UNIONPAY_MERCHANT_CERT_FILE", &certificates.merchant.pem),
        (
            "UNIONPAY_MERCHANT_KEY_FILE",
            &certificates.merchant.key_pem(),
        ),
        ("UNIONPAY_ROOT_CERT_FILE", &certificates.root.pem),
        ("UNIONPAY_MIDDLE_CERT_FILE", &certificates.middle.pem),
    ] {
        values.insert(name.to_owned(), value.to_owned());
    }
    Values {
        values,
        public_url: "https://example.com/".to_owned(),
        timeout: Duration::from_secs(5),
    }
}

#[test]
fn it_opens_by_its_registration() {
    let gateway = (REGISTRATION.open)(&values()).unwrap();
    assert_eq!(gateway.name(), GatewayName::UNIONPAY);
    assert!(gateway.terms().method(Method::FRONT).is_some());
    assert_eq!(gateway.terms().refunds.count, None);
    for missing in [
        "UNIONPAY_MERID",
        "UNIONPAY_ROOT_CERT_FILE",
        "UNIONPAY_MERCHANT_KEY_FILE",
    ] {
        let mut values = values();
        values.values.remove(missing);
        let error = (REGISTRATION.open)(&values).err().unwrap();
        assert_eq!(error.name, missing);
    }
}

#[test]
fn production_is_the_default() {
    let default = |name: &str| {
        let found = REGISTRATION.settings.iter().find(|one| one.name == name);
        found.unwrap().default
    };
    assert_eq!(default("UNIONPAY_URL"), Some("https://gateway.95516.com"));
    assert_eq!(
        default("UNIONPAY_FILE_URL"),
        Some("https://filedownload.95516.com/")
    );
    assert_eq!(default("UNIONPAY_SIGNER"), Some("中国银联股份有限公司"));
    assert_eq!(default("UNIONPAY_MERID"), None);
}

#[test]
fn a_wrong_configuration_is_named() {
    let error = |change: fn(&mut UnionPayConfig)| {
        let mut config = config("http://127.0.0.1:9");
        change(&mut config);
        UnionPay::new(config).unwrap_err()
    };
    let url = error(|config| config.notify_url = "https://a/b?c=d".to_owned());
    assert!(
        matches!(
            url,
            UnionPayConfigError::Url {
                name: "notify_url",
                ..
            }
        ),
        "{url}"
    );
    let url = error(|config| config.base_url = "gateway.95516.com".to_owned());
    assert!(
        matches!(
            url,
            UnionPayConfigError::Url {
                name: "base_url",
                ..
            }
        ),
        "{url}"
    );
    let mer_id = error(|config| config.mer_id = "123".to_owned());
    assert!(matches!(mer_id, UnionPayConfigError::MerId(_)), "{mer_id}");
    let channel = error(|config| config.channel_type = "09".to_owned());
    assert!(
        matches!(channel, UnionPayConfigError::Channel(_)),
        "{channel}"
    );
    let signer = error(|config| config.signer = String::new());
    assert!(
        matches!(signer, UnionPayConfigError::Empty("signer")),
        "{signer}"
    );
    let key = error(|config| config.merchant_private_key_pem = "no key".to_owned());
    assert!(matches!(key, UnionPayConfigError::MerchantKey(_)), "{key}");
    let certificate = error(|config| config.merchant_certificate_pem = "none".to_owned());
    assert!(
        matches!(certificate, UnionPayConfigError::MerchantCertificate(_)),
        "{certificate}"
    );
    let other = error(|config| config.merchant_certificate_pem = CERTIFICATES.signer.pem.clone());
    assert!(matches!(other, UnionPayConfigError::OtherKey), "{other}");
    let roots = error(|config| config.root_certificates_pem = String::new());
    assert!(matches!(roots, UnionPayConfigError::Trust(_)), "{roots}");
}

#[test]
fn nothing_printed_holds_a_secret() {
    let config = config("http://127.0.0.1:9");
    let printed = format!(
        "{config:?} {:?} {:?}",
        UnionPay::new(config.clone()).unwrap(),
        values()
    );
    assert!(!printed.contains("PRIVATE"));
    assert!(!printed.contains(&config.merchant_private_key_pem[40..80]));
}
