//! Links that are good for a while, for whoever has them: signed, so that nothing has to be kept.

use super::FileRefusal;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{FileId, Ts};

/// What a link lets its holder do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkUse {
    /// Put the bytes there.
    Upload,
    /// Read them.
    Read,
}

/// The signed part of a link that leads through this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedLink {
    /// Until when it is good, in whole seconds since 1970.
    pub expires: i64,
    /// Our signature of the file, the use and the time.
    pub signature: String,
}

/// Signs.
pub(super) fn sign(key: &[u8; 32], file: FileId, to: LinkUse, until: Ts) -> SignedLink {
    let expires = until.unix_seconds();
    let tag = hmac::sign(&hmac_key(key), &message(file, to, expires));
    SignedLink {
        expires,
        signature: URL_SAFE_NO_PAD.encode(tag),
    }
}

/// Refuses what we did not sign, and what was good once.
pub(super) fn verify(
    key: &[u8; 32],
    file: FileId,
    to: LinkUse,
    link: &SignedLink,
    now: Ts,
) -> Result<(), FileRefusal> {
    let forged = |_| FileRefusal::LinkForged;
    let tag = URL_SAFE_NO_PAD.decode(&link.signature).map_err(forged)?;
    hmac::verify(&hmac_key(key), &message(file, to, link.expires), &tag)
        .map_err(|_| FileRefusal::LinkForged)?;
    if link.expires <= now.unix_seconds() {
        return Err(FileRefusal::LinkExpired);
    }
    Ok(())
}

fn message(file: FileId, to: LinkUse, expires: i64) -> Vec<u8> {
    let verb = match to {
        LinkUse::Upload => "upload",
        LinkUse::Read => "read",
    };
    format!("{verb}\n{file}\n{expires}").into_bytes()
}

fn hmac_key(key: &[u8; 32]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Span;
    use uuid::Uuid;

    #[test]
    fn a_link_is_good_for_one_file_one_use_one_key_and_a_while() {
        let (key, file) = ([7; 32], FileId(Uuid::from_u128(1)));
        let now = Ts::from_micros(1_800_000_000_000_000);
        let link = sign(&key, file, LinkUse::Read, now + Span::minutes(5));
        let good = |key, file, to, now| verify(key, file, to, &link, now);
        assert_eq!(good(&key, file, LinkUse::Read, now), Ok(()));
        let expired = good(&key, file, LinkUse::Read, now + Span::minutes(5));
        assert_eq!(expired, Err(FileRefusal::LinkExpired));
        let forged = Err(FileRefusal::LinkForged);
        let other = FileId(Uuid::from_u128(2));
        assert_eq!(good(&key, other, LinkUse::Read, now), forged);
        assert_eq!(good(&key, file, LinkUse::Upload, now), forged);
        assert_eq!(good(&[8; 32], file, LinkUse::Read, now), forged);
        let later = SignedLink {
            expires: link.expires + 60,
            ..link.clone()
        };
        assert_eq!(verify(&key, file, LinkUse::Read, &later, now), forged);
        let nonsense = SignedLink {
            signature: "!".to_owned(),
            ..link
        };
        assert_eq!(verify(&key, file, LinkUse::Read, &nonsense, now), forged);
    }
}
