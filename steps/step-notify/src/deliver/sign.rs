//! Signatures after the Standard Webhooks convention: HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mixline_step::StepError;
use sha2::Sha256;

use crate::secret::Secret;

/// What marks a secret as base64.
const PREFIX: &str = "whsec_";

/// A signing key. `Debug` hides it.
#[derive(Clone)]
pub(crate) struct Key(Hmac<Sha256>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// The key of a secret: base64 after `whsec_`, the bytes of the text otherwise.
    pub(crate) fn new(secret: &Secret, section: &str) -> Result<Self, StepError> {
        let text = secret.expose();
        let bytes = match text.strip_prefix(PREFIX) {
            None => text.as_bytes().to_vec(),
            // The decoder's words would repeat parts of the secret.
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| {
                StepError::credentials(format!(
                    "the signing secret of `{section}` has no base64 after `{PREFIX}`"
                ))
                .hint("copy the secret anew, with its padding, or make a new one")
            })?,
        };
        if bytes.is_empty() {
            return Err(StepError::credentials(format!(
                "the signing secret of `{section}` is empty after `{PREFIX}`"
            )));
        }
        let mac = Hmac::new_from_slice(&bytes).expect("HMAC takes keys of any length");
        Ok(Self(mac))
    }

    /// The value of `webhook-signature`.
    pub(crate) fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> Result<Key, StepError> {
        Key::new(&Secret::plain(secret), "targets.ops")
    }

    #[test]
    fn a_key_is_base64_after_its_prefix_and_text_otherwise() {
        let text = key("a plain secret").unwrap().sign("msg_1", 7, b"{}");
        let encoded = format!("whsec_{}", STANDARD.encode("a plain secret"));
        assert_eq!(text, key(&encoded).unwrap().sign("msg_1", 7, b"{}"));
        assert_ne!(text, key("a plain secret").unwrap().sign("msg_1", 8, b"{}"));
    }

    #[test]
    fn a_broken_secret_is_not_repeated() {
        for wrong in ["whsec_%%topsecret", "whsec_"] {
            let said = key(wrong).unwrap_err().chain();
            assert!(
                said.contains("targets.ops") && !said.contains("topsecret"),
                "{said}"
            );
        }
    }
}
