//! The keys of the one account at Stripe.

use crate::SandboxError;
use crate::ids::letters;
use crate::keys::{KeyRing, Shared};
use connectors::stripe::signature::WebhookSecret;
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

/// The file's content.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct KeyFile {
    pub(super) secret_key: String,
    pub(super) publishable_key: String,
    pub(super) webhook_secret: String,
}

/// The keys, ready for use.
pub(super) struct Keys {
    pub(super) file: KeyFile,
    /// Signs notices.
    pub(super) webhook: WebhookSecret,
    /// The secret that a badly signed notice is signed with: another endpoint's, so a valid
    /// signature by somebody who knows nothing.
    pub(super) wrong: WebhookSecret,
}

impl KeyRing for Keys {
    type File = KeyFile;
    const FILE: &'static str = "keys-stripe.json";

    fn make() -> Result<KeyFile, SandboxError> {
        let account = letters(20);
        Ok(KeyFile {
            secret_key: format!("sk_test_51{account}{}", letters(76)),
            publishable_key: format!("pk_test_51{account}{}", letters(76)),
            webhook_secret: format!("whsec_{}", letters(32)),
        })
    }

    fn read(file: KeyFile) -> Result<Self, SandboxError> {
        Ok(Self {
            webhook: WebhookSecret::new(&file.webhook_secret),
            wrong: WebhookSecret::new(&format!("whsec_{}", letters(32))),
            file,
        })
    }

    fn shared() -> &'static Shared<Self> {
        static SHARED: Shared<Keys> = Mutex::new(None);
        &SHARED
    }
}
