//! Who listens to a container: the log file of an attempt, with the last line of standard output
//! kept, which is the step's result; and whoever asks a step what it is.

use std::io::Write as _;
use std::path::Path;

use bollard::container::LogOutput;
use mixline_schema::StepResult;

/// Results are below 16 kB; what is longer is none.
const LONGEST_LINE: usize = 64 * 1024;

/// Is told what a container says, piece by piece, from the first to the last.
pub(super) trait Listener {
    /// Takes the next piece.
    fn hear(&mut self, said: &LogOutput);
}

/// What a container says in a few words: all of standard output, and the last line of the rest.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) out: Vec<u8>,
    other: LastLine,
}

impl Words {
    /// The last line that is not output.
    pub(super) fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.other.line).trim().to_owned()
    }
}

impl Listener for Words {
    fn hear(&mut self, said: &LogOutput) {
        match said {
            LogOutput::StdOut { message } => self.out.extend_from_slice(message),
            other => self.other.push(other.as_ref()),
        }
    }
}

/// The last line of a stream that comes in pieces.
#[derive(Debug, Default)]
struct LastLine {
    line: Vec<u8>,
    ended: bool,
}

impl LastLine {
    /// Takes the next piece.
    fn push(&mut self, bytes: &[u8]) {
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

    /// The result on it, when it is one.
    fn result(&self) -> Option<StepResult> {
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

    /// The result, when the last line was one.
    pub(super) fn result(&self) -> Option<StepResult> {
        self.last.result()
    }
}

impl Listener for Capture {
    /// A log that cannot be written loses nothing but itself.
    fn hear(&mut self, said: &LogOutput) {
        let bytes = said.as_ref();
        if let LogOutput::StdOut { message } = said {
            self.last.push(message);
        }
        if let Err(error) = self.file.write_all(bytes) {
            tracing::debug!(%error, "a line of a task log is lost");
        }
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
