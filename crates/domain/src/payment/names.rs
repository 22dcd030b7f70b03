//! The names of gateways and of their ways to pay. Both are open: an adapter brings its own.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// How long a name may be: `clinic_account` has 14 characters.
const MAX_LENGTH: usize = 16;

/// A text that is no name.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("`{0}` is no name: 1 to 16 of a-z, 0-9 and _, beginning with a letter")]
pub struct NameError(String);

/// A few lower-case letters, kept in place so that it is as cheap to copy as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct ShortName {
    bytes: [u8; MAX_LENGTH],
    length: usize,
}

impl ShortName {
    const fn read(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() > MAX_LENGTH || !text[0].is_ascii_lowercase() {
            return None;
        }
        let mut bytes = [0; MAX_LENGTH];
        let mut at = 0;
        while at < text.len() {
            let byte = text[at];
            if !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
                return None;
            }
            bytes[at] = byte;
            at += 1;
        }
        Some(Self {
            bytes,
            length: text.len(),
        })
    }

    /// A name of the program's own; a wrong one does not compile where it stands in a constant.
    #[allow(clippy::panic, reason = "evaluated by the compiler")]
    const fn known(text: &'static str) -> Self {
        match Self::read(text.as_bytes()) {
            Some(name) => name,
            None => panic!("1 to 16 of a-z, 0-9 and _, beginning with a letter"),
        }
    }

    fn text(&self) -> &str {
        // Only ASCII was let in.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $constant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(ShortName);

        impl $name {
            $($(#[$of])* pub const $constant: Self = Self::known($text);)+

            /// A name of the program's own. In a constant, a wrong one does not compile.
            pub const fn known(text: &'static str) -> Self {
                Self(ShortName::known(text))
            }

            /// As in the API and the database.
            pub fn name(&self) -> &str {
                self.0.text()
            }

            /// The name with this text, if it can be one.
            pub fn from_name(text: &str) -> Option<Self> {
                ShortName::read(text.as_bytes()).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::from_name(text).ok_or_else(|| NameError(text.chars().take(40).collect()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

names! {
    /// A counterparty that the platform can be paid over (spec 20, gateways).
    GatewayName {
        /// WeChat Pay, API v3.
        WECHAT = "wechat",
        /// Alipay, OpenAPI.
        ALIPAY = "alipay",
        /// UnionPay online gateway, 5.1.0.
        UNIONPAY = "unionpay",
        /// PayPal, Orders v2.
        PAYPAL = "paypal",
        /// Stripe, PaymentIntents.
        STRIPE = "stripe",
        /// Cash or a transfer, recorded by an operator with proof.
        OFFLINE = "offline",
    }
    /// How the payer pays at the gateway; each gateway says which ones it has.
    Method {
        /// WeChat: a QR code.
        NATIVE = "native",
        /// WeChat: inside WeChat.
        JSAPI = "jsapi",
        /// WeChat: from a phone's browser.
        H5 = "h5",
        /// Alipay: a page for the desk.
        PAGE = "page",
        /// Alipay: a page for the phone.
        WAP = "wap",
        /// Alipay: inside Alipay.
        CREATE = "create",
        /// Alipay: a QR code.
        PRECREATE = "precreate",
        /// UnionPay: its page, reached by a form.
        FRONT = "front",
        /// PayPal: its page.
        CHECKOUT = "checkout",
        /// Stripe: a card, on our own page.
        CARD = "card",
        /// Offline: at the counter.
        CASH = "cash",
        /// Offline: to the hospital's bank account.
        TRANSFER = "transfer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["wechat", "a", "clinic_account", "abcdefghijklmnop", "g7"] {
            assert_eq!(GatewayName::from_name(name).unwrap().name(), name);
        }
        assert_eq!(
            serde_json::to_string(&GatewayName::WECHAT).unwrap(),
            "\"wechat\""
        );
        assert_eq!(
            serde_json::from_str::<Method>("\"native\"").unwrap(),
            Method::NATIVE
        );
    }

    #[test]
    fn what_is_no_name_is_refused_with_what_would_be_one() {
        for name in [
            "",
            "WeChat",
            "7up",
            "_x",
            "abcdefghijklmnopq",
            "微信",
            "a b",
        ] {
            assert_eq!(GatewayName::from_name(name), None, "{name}");
        }
        let error = serde_json::from_str::<GatewayName>("\"WeChat\"").unwrap_err();
        assert!(
            error.to_string().contains("1 to 16 of a-z, 0-9 and _"),
            "{error}"
        );
    }
}
