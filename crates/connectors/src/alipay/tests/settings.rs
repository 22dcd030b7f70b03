//! What a merchant configures.

use super::super::{Alipay, AlipayConfig, AlipayConfigError, REGISTRATION};
use super::{ALIPAY, APP, config, gateway};
use crate::gateway::Values;
use domain::payment::GatewayName;
use std::collections::BTreeMap;
use std::time::Duration;

#[test]
fn a_wrong_configuration_is_named() {
    let error = |config| Alipay::new(config).unwrap_err();
    let id = error(AlipayConfig {
        app_id: "wx1".to_owned(),
        ..config()
    });
    assert!(id.to_string().contains("app_id `wx1`"), "{id}");
    let seller = error(AlipayConfig {
        seller_id: String::new(),
        ..config()
    });
    assert!(matches!(
        seller,
        AlipayConfigError::Number {
            name: "seller_id",
            ..
        }
    ));
    for url in [
        "",
        "openapi.alipay.com",
        "ftp://a/b",
        "https://a/gateway.do?charset=gbk",
    ] {
        let error = error(AlipayConfig {
            gateway_url: url.to_owned(),
            ..config()
        });
        assert!(
            matches!(
                error,
                AlipayConfigError::Url {
                    name: "gateway_url",
                    ..
                }
            ),
            "{url}"
        );
    }
    let swapped = error(AlipayConfig {
        app_private_key: APP.public.clone(),
        ..config()
    });
    assert!(matches!(swapped, AlipayConfigError::AppKey(_)), "{swapped}");
    let swapped = error(AlipayConfig {
        alipay_public_key: ALIPAY.private.clone(),
        ..config()
    });
    assert!(
        matches!(swapped, AlipayConfigError::AlipayKey(_)),
        "{swapped}"
    );
}

#[test]
fn it_is_opened_from_its_settings() {
    let config = config();
    let mut values: BTreeMap<String, String> = REGISTRATION
        .settings
        .iter()
        .filter_map(|setting| Some((setting.name.to_owned(), setting.default?.to_owned())))
        .collect();
    assert_eq!(
        values["ALIPAY_URL"],
        "https://openapi.alipay.com/gateway.do"
    );
    for (name, value) in [
        ("ALIPAY_APP_ID", &config.app_id),
        ("ALIPAY_SELLER_ID", &config.seller_id),
        ("ALIPAY_APP_KEY_FILE", &config.app_private_key),
        ("ALIPAY_PUBLIC_KEY_FILE", &config.alipay_public_key),
    ] {
        values.insert(name.to_owned(), format!("{value}\n"));
    }
    let mut values = Values {
        values,
        public_url: "https://example.com/".to_owned(),
        timeout: Duration::from_secs(5),
    };
    let gateway = (REGISTRATION.open)(&values).unwrap();
    assert_eq!(gateway.name(), GatewayName::ALIPAY);
    assert_eq!(gateway.terms().methods.len(), 4);
    values.values.remove("ALIPAY_SELLER_ID");
    let error = (REGISTRATION.open)(&values).err().unwrap();
    assert_eq!(error.to_string(), "ALIPAY_SELLER_ID is not set");
}

#[test]
fn nothing_printed_holds_a_secret() {
    let config = config();
    let printed = format!("{config:?} {:?}", gateway());
    assert!(!printed.contains(&config.app_private_key[40..80]));
}
