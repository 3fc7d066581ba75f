//! Text encodings: a byte order mark decides; without one UTF-16 is known by its zero bytes and
//! UTF-8 by being valid. What is none of these is taken for Windows-1252, and the report says so.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// What a file is written in.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextEncoding {
    encoding: &'static Encoding,
    mark: usize,
}

impl TextEncoding {
    pub(super) fn is_utf8(self) -> bool {
        self.encoding == UTF_8
    }

    /// Bytes of the byte order mark.
    pub(super) fn mark(self) -> usize {
        self.mark
    }

    pub(super) fn name(self) -> &'static str {
        self.encoding.name()
    }

    /// The text of a whole file.
    pub(super) fn decode(self, bytes: &[u8]) -> Result<String, String> {
        let (text, broken) = self
            .encoding
            .decode_without_bom_handling(&bytes[self.mark.min(bytes.len())..]);
        match broken {
            false => Ok(text.into_owned()),
            true => Err(format!(
                "is not valid {}; set `encoding` in its source file",
                self.name()
            )),
        }
    }
}

/// The encoding of a file that begins with `head`; `given` is what a person said.
pub(super) fn detect(
    head: &[u8],
    given: Option<&str>,
    whole: bool,
) -> Result<TextEncoding, String> {
    let marked = Encoding::for_bom(head);
    if let Some(label) = given {
        let encoding = Encoding::for_label(label.as_bytes())
            .ok_or_else(|| format!("`{label}` is no encoding such as `utf-8` or `windows-1252`"))?;
        let mark = marked
            .filter(|(found, _)| *found == encoding)
            .map_or(0, |(_, mark)| mark);
        return Ok(TextEncoding { encoding, mark });
    }
    if let Some((encoding, mark)) = marked {
        return Ok(TextEncoding { encoding, mark });
    }
    let encoding = match zeros(head) {
        Some(encoding) => encoding,
        None if is_utf8(head, whole) => UTF_8,
        None => WINDOWS_1252,
    };
    Ok(TextEncoding { encoding, mark: 0 })
}

/// UTF-16 of mostly Latin text has a zero in every other byte.
fn zeros(head: &[u8]) -> Option<&'static Encoding> {
    let sample = &head[..head.len().min(4096)];
    let zeros = |at: usize| {
        sample
            .iter()
            .skip(at)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let most = sample.len() / 4;
    match (zeros(0), zeros(1)) {
        (_, odd) if odd > most => Some(UTF_16LE),
        (even, _) if even > most => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether the bytes are UTF-8; the last character may be cut off when there is more to come.
fn is_utf8(head: &[u8], whole: bool) -> bool {
    match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => !whole && error.error_len().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(bytes: &[u8]) -> &'static str {
        detect(bytes, None, true).unwrap().name()
    }

    #[test]
    fn encodings_are_told_apart() {
        let utf16: Vec<u8> = "Day\tCost"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(name(b"Day,Cost"), "UTF-8");
        assert_eq!(name("Tag;Köln".as_bytes()), "UTF-8");
        assert_eq!(name(b"\xef\xbb\xbfDay"), "UTF-8");
        assert_eq!(name(&utf16), "UTF-16LE");
        assert_eq!(
            name(&[&[0xff, 0xfe], utf16.as_slice()].concat()),
            "UTF-16LE"
        );
        assert_eq!(name(b"Tag;K\xf6ln"), "windows-1252");
    }

    #[test]
    fn a_character_cut_off_at_the_end_of_the_sample_is_no_error() {
        let cut = &"Köln".as_bytes()[..2];
        assert_eq!(detect(cut, None, false).unwrap().name(), "UTF-8");
        assert_eq!(detect(cut, None, true).unwrap().name(), "windows-1252");
    }

    #[test]
    fn an_encoding_that_does_not_exist_is_named() {
        assert!(
            detect(b"", Some("utf-9"), true)
                .unwrap_err()
                .contains("utf-9")
        );
    }
}
