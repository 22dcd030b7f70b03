//! The fields of UnionPay's messages, and the two ways in which they are written: a browser's form
//! (front requests, requests of ours, notices), and plain text (answers).

use form_urlencoded::{Serializer, parse};
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

/// More than any message of UnionPay has; what has more is not UnionPay's.
const MAX_FIELDS: usize = 200;

/// The fields of one message, sorted by the bytes of their names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<String, String>);

/// Why bytes from outside are no message.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum FieldsError {
    /// Not UTF-8, which we ask for in every request.
    #[error("the message is not UTF-8")]
    NotText,
    /// A piece without `=`, or without a name before it.
    #[error("the piece `{0}` is no name=value")]
    NoName(String),
    /// A name that occurs twice: which of the two was signed can't be told.
    #[error("field {0} stands there twice")]
    Twice(String),
    /// Too many.
    #[error("the message has more than {MAX_FIELDS} fields")]
    TooMany,
}

impl Fields {
    /// Reads a form as browsers and UnionPay's notices post it (`application/x-www-form-urlencoded`).
    pub fn from_form(body: &[u8]) -> Result<Self, FieldsError> {
        let mut fields = Self::default();
        for (name, value) in parse(body) {
            fields.add(name.into_owned(), value.into_owned())?;
        }
        Ok(fields)
    }

    /// Reads an answer: `name=value` joined by `&`, nothing escaped. An `&` between `{` and `}` or
    /// `[` and `]` belongs to the value; brackets of a kind are not counted, as in UnionPay's own
    /// library.
    pub fn from_answer(body: &[u8]) -> Result<Self, FieldsError> {
        let text = std::str::from_utf8(body).map_err(|_| FieldsError::NotText)?;
        let mut fields = Self::default();
        let mut rest = text.trim_end_matches(['\r', '\n']);
        while !rest.is_empty() {
            let (name, after) = rest
                .split_once('=')
                .filter(|(name, _)| !name.is_empty())
                .ok_or_else(|| FieldsError::NoName(rest.chars().take(40).collect()))?;
            let end = value_length(after);
            fields.add(name.to_owned(), after[..end].to_owned())?;
            rest = after[end..].strip_prefix('&').unwrap_or_default();
        }
        Ok(fields)
    }

    fn add(&mut self, name: String, value: String) -> Result<(), FieldsError> {
        if self.0.len() == MAX_FIELDS {
            return Err(FieldsError::TooMany);
        }
        if self.0.contains_key(&name) {
            return Err(FieldsError::Twice(name));
        }
        self.0.insert(name, value);
        Ok(())
    }

    /// Sets a field; one that is there already is replaced.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// These fields with another one.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// These fields without one.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// The value of a field; UnionPay takes an empty one for none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The value of a field that must be there.
    pub fn required(&self, name: &str) -> Result<&str, String> {
        self.get(name)
            .ok_or_else(|| format!("field {name} is missing"))
    }

    /// All that are not empty, sorted by the bytes of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(_, value)| !value.is_empty())
    }

    /// As a form's body.
    pub fn to_form(&self) -> String {
        Serializer::new(String::new())
            .extend_pairs(self.iter())
            .finish()
    }

    /// As an answer's body. Values with an `&` outside of brackets don't survive it.
    pub fn to_answer(&self) -> String {
        let pieces: Vec<String> = self
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pieces.join("&")
    }

    /// The fields themselves, for a form that a browser posts.
    pub fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }
}

impl fmt::Debug for Fields {
    /// Names only: values hold card numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// How many bytes of the text belong to the value that it begins with.
fn value_length(text: &str) -> usize {
    let mut closing = None;
    for (at, character) in text.char_indices() {
        match (closing, character) {
            (None, '&') => return at,
            (None, '{') => closing = Some('}'),
            (None, '[') => closing = Some(']'),
            (Some(expected), found) if expected == found => closing = None,
            (None | Some(_), _) => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    fn answer(text: &str) -> Result<Fields, FieldsError> {
        Fields::from_answer(text.as_bytes())
    }

    #[test]
    fn an_answer_is_taken_as_it_stands() {
        let fields = answer("respCode=00&respMsg=成功[0000000]&signature=a+b/c==&empty=").unwrap();
        assert_eq!(fields.get("respCode"), Some("00"));
        assert_eq!(fields.get("respMsg"), Some("成功[0000000]"));
        // Nothing is unescaped: `+` is no space here.
        assert_eq!(fields.get("signature"), Some("a+b/c=="));
        assert_eq!(fields.get("empty"), None);
        assert_eq!(
            fields.required("empty"),
            Err("field empty is missing".to_owned())
        );
    }

    #[test]
    fn what_stands_between_brackets_belongs_to_the_value() {
        let fields = answer("a={x=1&y=2}&b=[p&q]&c=3").unwrap();
        assert_eq!(fields.get("a"), Some("{x=1&y=2}"));
        assert_eq!(fields.get("b"), Some("[p&q]"));
        assert_eq!(fields.get("c"), Some("3"));
        // An open bracket takes the rest: nothing after it is believed to be a field.
        let fields = answer("a={x=1&respCode=00").unwrap();
        assert_eq!(fields.get("respCode"), None);
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        let twice = FieldsError::Twice("respCode".to_owned());
        assert_eq!(answer("respCode=00&respCode=34"), Err(twice.clone()));
        assert_eq!(Fields::from_form(b"respCode=00&respCode=34"), Err(twice));
        assert_eq!(
            answer("<html>Service Unavailable</html>"),
            Err(FieldsError::NoName(
                "<html>Service Unavailable</html>".to_owned()
            ))
        );
        assert_eq!(answer("=1"), Err(FieldsError::NoName("=1".to_owned())));
        assert_eq!(
            Fields::from_answer(&[b'a', b'=', 0xff]),
            Err(FieldsError::NotText)
        );
    }

    #[test]
    fn a_flood_of_fields_is_refused() {
        let many: Vec<String> = (0..=MAX_FIELDS).map(|at| format!("f{at}=1")).collect();
        let many = many.join("&");
        assert_eq!(answer(&many), Err(FieldsError::TooMany));
        assert_eq!(
            Fields::from_form(many.as_bytes()),
            Err(FieldsError::TooMany)
        );
    }

    #[test]
    fn nothing_printed_holds_a_value() {
        let fields = answer("accNo=6221558812340000").unwrap();
        assert_eq!(format!("{fields:?}"), "{\"accNo\"}");
    }

    proptest! {
        #[test]
        fn a_form_is_read_as_it_was_written(map in btree_map(".{1,8}", ".{1,20}", 0..20)) {
            let mut fields = Fields::default();
            map.iter().for_each(|(name, value)| fields.set(name, value));
            prop_assert_eq!(Fields::from_form(fields.to_form().as_bytes()), Ok(fields));
        }

        #[test]
        fn an_answer_is_read_as_it_was_written(
            map in btree_map("[a-zA-Z]{1,12}", "[^&{}\\[\\]\r\n]{1,20}", 0..20),
        ) {
            let mut fields = Fields::default();
            map.iter().for_each(|(name, value)| fields.set(name, value));
            prop_assert_eq!(Fields::from_answer(fields.to_answer().as_bytes()), Ok(fields));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "[a&={}\\[\\]%+]{0,60}") {
            for hostile in [bytes.as_slice(), text.as_bytes()] {
                if let Ok(fields) = Fields::from_form(hostile) {
                    prop_assert!(fields.iter().count() <= MAX_FIELDS);
                }
                if let Ok(fields) = Fields::from_answer(hostile) {
                    prop_assert!(fields.iter().count() <= MAX_FIELDS);
                }
            }
        }
    }
}
