//! The parts of an X.509 certificate that verifying needs.

use super::validity::Validity;

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const VERSION: u8 = 0xa0;

/// What is needed of a certificate.
pub(super) struct Certificate<'a> {
    /// Upper-case hex.
    pub(super) serial: String,
    /// When it is good; `None` where its times can't be read.
    pub(super) validity: Option<Validity>,
    /// The SubjectPublicKeyInfo, tag and length included.
    pub(super) public_key: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Walks down to the serial, the validity and the public key (RFC 5280, 4.1): a certificate is a sequence
    /// that begins with a sequence of version `[0]`, serial, algorithm, issuer, validity, subject
    /// and public key.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let certificate = Element::read(der).filter(|element| element.tag == SEQUENCE)?;
        let content = Element::read(certificate.content)?;
        let mut fields = Some(content.content).filter(|_| content.tag == SEQUENCE)?;
        if fields.first() == Some(&VERSION) {
            fields = Element::read(fields)?.after;
        }
        let serial = Element::read(fields).filter(|element| element.tag == INTEGER)?;
        fields = serial.after;
        for _ in ["algorithm", "issuer"] {
            fields = Element::read(fields)?.after;
        }
        let validity = Element::read(fields).filter(|element| element.tag == SEQUENCE)?;
        let subject = Element::read(validity.after)?;
        fields = subject.after;
        let public_key = Element::read(fields).filter(|element| element.tag == SEQUENCE)?;
        // A leading zero only keeps the number positive.
        let digits = serial.content.strip_prefix(&[0]).unwrap_or(serial.content);
        Some(Self {
            serial: digits.iter().map(|byte| format!("{byte:02X}")).collect(),
            validity: Validity::read(validity.content),
            public_key: public_key.whole,
        })
    }
}

/// One element of DER.
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// With tag and length.
    whole: &'a [u8],
    pub(crate) content: &'a [u8],
    /// What follows it.
    pub(crate) after: &'a [u8],
}

impl<'a> Element<'a> {
    pub(crate) fn read(input: &'a [u8]) -> Option<Self> {
        let (&tag, rest) = input.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, content) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            // Long form: the low bits say how many bytes of length follow; four are plenty.
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            let (bytes, content) = rest.split_at_checked(count)?;
            (
                bytes
                    .iter()
                    .fold(0, |sum, &byte| sum << 8 | usize::from(byte)),
                content,
            )
        };
        let (content, after) = content.split_at_checked(length)?;
        let whole = input.get(..input.len() - after.len())?;
        Some(Self {
            tag,
            whole,
            content,
            after,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_or_lies_about_its_length_is_no_certificate() {
        for der in [
            &[][..],
            &[0x30],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x80],
            &[0x30, 0x02, 0x30, 0x00],
        ] {
            assert!(Certificate::read(der).is_none(), "{der:?}");
        }
    }
}
