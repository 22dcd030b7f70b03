//! The outer shape of an answer: `{"alipay_trade_query_response":{...},"sign":"..."}`.
//!
//! The signature is over the inner object exactly as it stands in the body, so that it is cut out
//! of the bytes and never written again (Alipay OpenAPI, verifying synchronous answers).

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use thiserror::Error;

/// An answer has an object, a signature and perhaps a certificate's serial; more is not Alipay.
const MAX_MEMBERS: usize = 16;

/// What an answer holds when the gateway didn't get as far as the method.
pub const ERROR_RESPONSE: &str = "error_response";

/// An answer, cut up but not believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The inner object, byte for byte.
    pub content: &'a str,
    /// The Base64 text of its signature. It may be missing where the gateway refused the request
    /// before it knew whose it was.
    pub sign: Option<String>,
}

/// The part that every inner object has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// `10000` and so on.
    pub code: String,
    /// In words.
    #[serde(default)]
    pub msg: String,
    /// Such as `ACQ.TRADE_NOT_EXIST`, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_code: Option<String>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_msg: Option<String>,
}

/// Why an answer can't be cut up.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum AnswerError {
    /// Not JSON, or not an object of the expected shape.
    #[error("the answer is not the JSON that was expected: {0}")]
    NotJson(String),
    /// The answer to another question, or none at all.
    #[error("the answer has neither `{0}` nor `{ERROR_RESPONSE}`")]
    NoContent(String),
    /// Which one counts would be a guess.
    #[error("the answer has both `{0}` and `{ERROR_RESPONSE}`")]
    TwoContents(String),
}

/// The name of the inner object of a method's answer.
pub fn response_name(method: &str) -> String {
    format!("{}_response", method.replace('.', "_"))
}

/// Cuts an answer to this method up.
pub fn split<'a>(body: &'a [u8], method: &str) -> Result<Answer<'a>, AnswerError> {
    let not_json = |error: serde_json::Error| AnswerError::NotJson(error.to_string());
    let Members(members) = serde_json::from_slice(body).map_err(not_json)?;
    let member = |wanted: &str| {
        let found = members.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.get())
    };
    let name = response_name(method);
    let content = match (member(&name), member(ERROR_RESPONSE)) {
        (Some(content), None) | (None, Some(content)) => content,
        (None, None) => return Err(AnswerError::NoContent(name)),
        (Some(_), Some(_)) => return Err(AnswerError::TwoContents(name)),
    };
    if !content.starts_with('{') {
        return Err(AnswerError::NotJson(format!("`{name}` is no object")));
    }
    let sign = member("sign").map(serde_json::from_str).transpose();
    Ok(Answer {
        content,
        sign: sign.map_err(not_json)?,
    })
}

/// Puts an answer together, as Alipay does: the inner object as it was signed.
pub fn join(method: &str, content: &str, sign: &str) -> String {
    format!(
        "{{\"{}\":{content},\"sign\":\"{sign}\"}}",
        response_name(method)
    )
}

/// The members of the outer object, each with its bytes. A name that comes twice is an error.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Outer;

        impl<'de> Visitor<'de> for Outer {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if members.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom(format_args!("`{name}` comes twice")));
                    }
                    if members.len() == MAX_MEMBERS {
                        return Err(A::Error::custom("too many members"));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Outer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const QUERY: &str = "alipay.trade.query";

    fn content(body: &str) -> Result<&str, AnswerError> {
        split(body.as_bytes(), QUERY).map(|answer| answer.content)
    }

    #[test]
    fn the_inner_object_is_cut_out_byte_for_byte() {
        let inner =
            r#"{"code":"10000", "msg" : "Suc\/cess","note":"\",\"sign\":\"x\"}","a":{"sign":"y"}}"#;
        let body = join(QUERY, inner, "c2lnbg==");
        let answer = split(body.as_bytes(), QUERY).unwrap();
        assert_eq!(answer.content, inner);
        assert_eq!(answer.sign.as_deref(), Some("c2lnbg=="));
        // In another order, with a certificate's serial, and with blanks around.
        let body = format!(
            " {{\"alipay_cert_sn\":\"1\",\"sign\":\"s\", \"alipay_trade_query_response\": {inner} }}\n"
        );
        assert_eq!(content(&body), Ok(inner));
    }

    #[test]
    fn a_refusal_at_the_door_may_lack_a_signature() {
        let body = r#"{"error_response":{"code":"40002","sub_code":"isv.invalid-app-id"}}"#;
        let answer = split(body.as_bytes(), QUERY).unwrap();
        assert_eq!(answer.sign, None);
        let head: Head = serde_json::from_str(answer.content).unwrap();
        assert_eq!((head.code.as_str(), head.msg.as_str()), ("40002", ""));
    }

    #[test]
    fn a_hostile_answer_is_refused() {
        let name = response_name(QUERY);
        for body in [
            "",
            "[]",
            "null",
            "{}",
            "<html>",
            r#"{"alipay_trade_close_response":{},"sign":"s"}"#,
            r#"{"alipay_trade_query_response":{},"alipay_trade_query_response":{},"sign":"s"}"#,
            r#"{"alipay_trade_query_response":{},"sign":"s","sign":"t"}"#,
            r#"{"alipay_trade_query_response":{},"error_response":{},"sign":"s"}"#,
            r#"{"alipay_trade_query_response":{},"sign":"s"}{}"#,
            r#"{"alipay_trade_query_response":{},"sign":7}"#,
            r#"{"alipay_trade_query_response":"{}","sign":"s"}"#,
            r#"{"alipay_trade_query_response":[{}],"sign":"s"}"#,
            r#"{"alipay_trade_query_response":{"a":1,"sign":"s"}"#,
            r#"{"alipay_trade_query_response":{"a":1}},"sign":"s"}"#,
        ] {
            assert!(content(body).is_err(), "{body}");
        }
        let many: String = (0..40).map(|n| format!("\"m{n}\":1,")).collect();
        assert!(content(&format!("{{{many}\"{name}\":{{}}}}")).is_err());
        // Deeper than any stack: read past without recursion.
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let body = format!("{{\"{name}\":{{\"code\":\"10000\",\"x\":{deep}}}}}");
        let content = content(&body).unwrap();
        assert!(serde_json::from_str::<Head>(content).is_ok());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            ".{0,20}".prop_map(serde_json::Value::from),
            "[\"\\\\{},:sign/]{0,20}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
                prop::collection::btree_map("sign|[a-z_\"\\\\]{0,8}", inner, 0..6)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_the_inner_object_holds_it_is_cut_out_whole(
            members in prop::collection::btree_map(".{0,8}", json(), 0..6),
            pretty: bool,
        ) {
            let object = serde_json::Value::Object(members.into_iter().collect());
            let inner = if pretty {
                serde_json::to_string_pretty(&object).unwrap()
            } else {
                object.to_string()
            };
            let body = join(QUERY, &inner, "c2lnbg==");
            let answer = split(body.as_bytes(), QUERY).unwrap();
            prop_assert_eq!(answer.content, inner.as_str());
            prop_assert_eq!(answer.sign.as_deref(), Some("c2lnbg=="));
        }

        #[test]
        fn nothing_from_outside_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(split(&body, QUERY).is_err());
        }

        #[test]
        fn a_changed_byte_is_noticed_or_stays_inside(at in 0_usize..90, byte: u8) {
            let inner = r#"{"code":"10000","msg":"Success","total_amount":"30.00"}"#;
            let mut body = join(QUERY, inner, "c2lnbg==").into_bytes();
            let at = at % body.len();
            body[at] = byte;
            if let Ok(answer) = split(&body, QUERY) {
                // What is cut out is always a piece of what came.
                let text = std::str::from_utf8(&body).unwrap();
                prop_assert!(text.contains(answer.content));
            }
        }
    }
}
