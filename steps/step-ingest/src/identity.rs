//! Who a person is, without knowing who it is: a keyed hash of the e-mail address.
//!
//! The same address gives the same key in every file, so that journeys find their orders; without
//! the secret nobody can tell from a key whose it is, not even by trying addresses.

use std::path::Path;

use mixline_step::StepError;

/// Bytes of the hash that are kept: enough that two people never meet.
const KEPT: usize = 16;

/// The secret of a project.
#[derive(Clone)]
pub(crate) struct Identity([u8; 32]);

impl Identity {
    /// Reads the secret: 64 hexadecimal digits.
    pub(crate) fn read(path: &Path) -> Result<Self, StepError> {
        let hint = "`mixline init` makes one; or write 64 random hexadecimal digits into it \
                    (`openssl rand -hex 32`). Keep it: with another key, customers of old and new \
                    orders are no longer recognized as the same";
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!(
                "the key that hashes e-mails cannot be read from {}",
                path.display()
            );
            StepError::config(message).because(error).hint(hint)
        })?;
        match parse(text.trim()) {
            Some(key) => Ok(Self(key)),
            None => {
                let message = format!("{} does not hold 64 hexadecimal digits", path.display());
                Err(StepError::config(message).hint(hint))
            }
        }
    }

    /// The key of a person; `None` when the text names nobody.
    pub(crate) fn key(&self, address: &str) -> Option<String> {
        let address = bare(address).to_lowercase();
        if address.is_empty() {
            return None;
        }
        let hash = blake3::keyed_hash(&self.0, address.as_bytes());
        let hex = hash.to_hex();
        Some(hex[..2 * KEPT].to_owned())
    }
}

/// The address in `"Bob" <bob@example.com>`, or the text itself.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let inside = text
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or(text, |(address, _)| address.trim())
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_one_key_however_the_address_is_written() {
        let identity = Identity([7; 32]);
        let key = identity.key("bob@example.com").unwrap();
        assert_eq!(key.len(), 32);
        assert_eq!(identity.key("  Bob@Example.com ").as_ref(), Some(&key));
        assert_eq!(
            identity.key("\"Bob\" <bob@example.com>").as_ref(),
            Some(&key)
        );
        assert_ne!(identity.key("bob+shop@example.com").as_ref(), Some(&key));
        assert_ne!(
            Identity([8; 32]).key("bob@example.com").as_ref(),
            Some(&key)
        );
        assert_eq!(identity.key("  "), None);
    }

    #[test]
    fn a_secret_is_64_hexadecimal_digits() {
        assert_eq!(parse(&"0f".repeat(32)), Some([15; 32]));
        assert_eq!(parse("0f"), None);
        assert_eq!(parse(&"zz".repeat(32)), None);
    }
}
