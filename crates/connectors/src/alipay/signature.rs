//! Who said it: RSA2 (RSA PKCS#1 v1.5 with SHA-256) over sorted parameters, and over the inner
//! object of an answer (Alipay OpenAPI, signing and verifying).

use crate::rsa::VerifyingKey;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Parameters by name, sorted by their bytes; values as they are, never URL-encoded.
pub type Parameters = BTreeMap<String, String>;

/// The name of the one signature scheme that is spoken here.
pub const SIGN_TYPE: &str = "RSA2";

/// What a merchant signs for a request: all parameters but `sign`; those without a value count as
/// not there.
pub fn request_message(parameters: &Parameters) -> String {
    joined(parameters, &["sign"])
}

/// What Alipay signs for a notice and for the browser's return: `sign_type` is left out, too.
pub fn notice_message(parameters: &Parameters) -> String {
    joined(parameters, &["sign", "sign_type"])
}

/// Whether an answer's inner object, exactly as it stands in the body, is signed by this key.
///
/// Some of Alipay's systems write `\/` after they have signed `/`, so Alipay's own SDK checks a
/// second time with the plain slash (`AbstractAlipayClient.checkResponseSign`); both are the same
/// JSON.
pub fn answer_verifies(key: &VerifyingKey, content: &str, signature: &str) -> bool {
    key.verifies(content.as_bytes(), signature)
        || match unescaped_slashes(content) {
            Cow::Borrowed(_) => false,
            Cow::Owned(plain) => key.verifies(plain.as_bytes(), signature),
        }
}

fn unescaped_slashes(content: &str) -> Cow<'_, str> {
    if content.contains("\\/") {
        Cow::Owned(content.replace("\\/", "/"))
    } else {
        Cow::Borrowed(content)
    }
}

fn joined(parameters: &Parameters, left_out: &[&str]) -> String {
    let mut message = String::new();
    for (name, value) in parameters {
        if value.is_empty() || left_out.contains(&name.as_str()) {
            continue;
        }
        if !message.is_empty() {
            message.push('&');
        }
        message.push_str(name);
        message.push('=');
        message.push_str(value);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn names_are_sorted_and_what_is_empty_is_left_out() {
        let parameters = parameters(&[
            ("sign_type", "RSA2"),
            ("b", "2&c=3"),
            ("sign", "abc"),
            ("a", "复诊 1"),
            ("return_url", ""),
            ("B", "x"),
        ]);
        assert_eq!(
            request_message(&parameters),
            "B=x&a=复诊 1&b=2&c=3&sign_type=RSA2"
        );
        assert_eq!(notice_message(&parameters), "B=x&a=复诊 1&b=2&c=3");
    }

    proptest! {
        #[test]
        fn the_message_holds_each_pair_once_in_the_order_of_bytes(
            parameters in prop::collection::btree_map("[a-z_]{1,12}", "[^&=]{0,20}", 0..12)
        ) {
            let message = request_message(&parameters);
            let read: Vec<(String, String)> = message
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let expected: Vec<(String, String)> = parameters
                .into_iter()
                .filter(|(name, value)| name != "sign" && !value.is_empty())
                .collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn a_signature_never_signs_itself(signature in "[A-Za-z0-9+/=]{0,40}", value in ".{1,20}") {
            let mut all = parameters(&[("app_id", &value), ("sign_type", SIGN_TYPE)]);
            let before = (request_message(&all), notice_message(&all));
            all.insert("sign".to_owned(), signature);
            prop_assert_eq!((request_message(&all), notice_message(&all)), before);
        }
    }
}
