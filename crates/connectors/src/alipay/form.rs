//! `application/x-www-form-urlencoded`, both ways: requests, notices and the browser's return.
//!
//! Read strictly, since a signature stands on what is read: a name that comes twice, a broken
//! escape or bytes that are not UTF-8 are refused, never guessed at.

use super::signature::Parameters;
use thiserror::Error;

/// A notice has some thirty fields of a few kilobytes in all; more is not Alipay.
pub const MAX_FORM_BYTES: usize = 64 << 10;
/// More fields than any message has.
pub const MAX_FIELDS: usize = 128;

/// Why a form can't be read.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum FormError {
    /// More bytes than any message has.
    #[error("the form has {0} bytes, more than {MAX_FORM_BYTES}")]
    TooLong(usize),
    /// More fields than any message has.
    #[error("the form has more than {MAX_FIELDS} fields")]
    TooManyFields,
    /// `%` without two hexadecimal digits.
    #[error("field {0} has a `%` that no two hexadecimal digits follow")]
    BrokenEscape(usize),
    /// Bytes that are not UTF-8.
    #[error("field {0} is not UTF-8")]
    NotUtf8(usize),
    /// The same name again: which one counts would be a guess.
    #[error("field `{0}` comes twice")]
    Twice(String),
}

/// Reads a form; values come out as they were before they were encoded.
pub fn decode(form: &[u8]) -> Result<Parameters, FormError> {
    if form.len() > MAX_FORM_BYTES {
        return Err(FormError::TooLong(form.len()));
    }
    let mut parameters = Parameters::new();
    let fields = form.split(|&byte| byte == b'&');
    for (index, field) in fields.filter(|field| !field.is_empty()).enumerate() {
        let number = index + 1;
        if number > MAX_FIELDS {
            return Err(FormError::TooManyFields);
        }
        let mut halves = field.splitn(2, |&byte| byte == b'=');
        let name = unescape(halves.next().unwrap_or_default(), number)?;
        let value = unescape(halves.next().unwrap_or_default(), number)?;
        if parameters.contains_key(&name) {
            return Err(FormError::Twice(name));
        }
        parameters.insert(name, value);
    }
    Ok(parameters)
}

/// Writes a form or a query.
pub fn encode(parameters: &Parameters) -> String {
    let mut form = String::new();
    for (name, value) in parameters {
        if !form.is_empty() {
            form.push('&');
        }
        escape_into(&mut form, name);
        form.push('=');
        escape_into(&mut form, value);
    }
    form
}

fn unescape(text: &[u8], number: usize) -> Result<String, FormError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let high = digit().ok_or(FormError::BrokenEscape(number))?;
                let low = digit().ok_or(FormError::BrokenEscape(number))?;
                u8::try_from(high << 4 | low).map_err(|_| FormError::BrokenEscape(number))?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| FormError::NotUtf8(number))
}

/// A blank becomes `%20`, which both a form's reader and a query's understand; `+` only the
/// first does.
fn escape_into(form: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            form.push(char::from(byte));
        } else {
            form.push('%');
            form.push(char::from(HEX[usize::from(byte >> 4)]));
            form.push(char::from(HEX[usize::from(byte & 0xf)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(form: &str) -> Result<Vec<(String, String)>, FormError> {
        decode(form.as_bytes()).map(|parameters| parameters.into_iter().collect())
    }

    #[test]
    fn values_come_out_as_they_were_before_they_were_encoded() {
        let expected = [("a", "1 2+3"), ("b", ""), ("c", "复诊"), ("d", "x=y")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let form = "d=x=y&a=1+2%2b3&b&c=%E5%A4%8D%e8%af%8a&";
        assert_eq!(read(form), Ok(expected.to_vec()));
        assert_eq!(read(""), Ok(Vec::new()));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        assert_eq!(read("a=1&a=2"), Err(FormError::Twice("a".to_owned())));
        assert_eq!(read("a=1&%61=1"), Err(FormError::Twice("a".to_owned())));
        for broken in ["a=%", "a=%4", "a=%zz", "%=1", "a=%+1"] {
            assert_eq!(read(broken), Err(FormError::BrokenEscape(1)), "{broken}");
        }
        assert_eq!(read("b=1&a=%FF"), Err(FormError::NotUtf8(2)));
        let many: Vec<String> = (0..=MAX_FIELDS).map(|n| format!("f{n}=1")).collect();
        assert_eq!(read(&many.join("&")), Err(FormError::TooManyFields));
        let long = "a".repeat(MAX_FORM_BYTES + 1);
        assert_eq!(read(&long), Err(FormError::TooLong(MAX_FORM_BYTES + 1)));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            parameters in prop::collection::btree_map(".{1,20}", ".{0,40}", 0..12)
        ) {
            let form = encode(&parameters);
            prop_assert!(form.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(decode(form.as_bytes()), Ok(parameters));
        }

        #[test]
        fn nothing_from_outside_makes_it_panic(form in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(parameters) = decode(&form) {
                prop_assert_eq!(decode(encode(&parameters).as_bytes()), Ok(parameters));
            }
        }

        #[test]
        fn nor_do_bytes_that_look_like_a_form(form in "[a-c%=&+0-9F]{0,60}") {
            if let Ok(parameters) = decode(form.as_bytes()) {
                prop_assert_eq!(decode(encode(&parameters).as_bytes()), Ok(parameters));
            }
        }
    }
}
