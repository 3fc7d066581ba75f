//! What a container says, as it says it: all of it into the log file, and the last line of its
//! standard output kept, which is the step's result.

use std::io::Write as _;
use std::path::Path;

use bollard::container::LogOutput;
use mixline_schema::StepResult;

/// Results are below 16 kB; what is longer is none.
const LONGEST_LINE: usize = 64 * 1024;

/// The last line of a stream that comes in pieces.
#[derive(Debug, Default)]
pub(super) struct LastLine {
    line: Vec<u8>,
    ended: bool,
}

impl LastLine {
    /// Takes the next piece.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.ended {
                self.line.clear();
                self.ended = false;
            }
            if byte == b'\n' {
                self.ended = true;
            } else if self.line.len() < LONGEST_LINE {
                self.line.push(byte);
            }
        }
    }

    /// The line as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.line).trim().to_owned()
    }

    /// The result on it, when it is one.
    pub(super) fn result(&self) -> Option<StepResult> {
        serde_json::from_slice(&self.line).ok()
    }
}

/// The log file of an attempt with the result in it.
#[derive(Debug)]
pub(super) struct Capture {
    file: std::fs::File,
    last: LastLine,
}

impl Capture {
    /// Begins the file anew: the engine tells everything from the first line.
    pub(super) fn begin(file: &Path) -> std::io::Result<Self> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self {
            file: std::fs::File::create(file)?,
            last: LastLine::default(),
        })
    }

    /// Takes what was said. A log that cannot be written loses nothing but itself.
    pub(super) fn push(&mut self, said: &LogOutput) {
        let bytes = said.as_ref();
        if let LogOutput::StdOut { message } = said {
            self.last.push(message);
        }
        if let Err(error) = self.file.write_all(bytes) {
            tracing::debug!(%error, "a line of a task log is lost");
        }
    }

    /// The result, when the last line was one.
    pub(super) fn result(&self) -> Option<StepResult> {
        self.last.result()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_survives_any_cutting() {
        let text = b"progress\n{\"a\":1}\n";
        for cut in 0..text.len() {
            let mut last = LastLine::default();
            last.push(&text[..cut]);
            last.push(&text[cut..]);
            assert_eq!(last.line, b"{\"a\":1}", "cut at {cut}");
        }
        let mut last = LastLine::default();
        last.push(b"x\nno end");
        assert_eq!(last.line, b"no end");
    }
}
