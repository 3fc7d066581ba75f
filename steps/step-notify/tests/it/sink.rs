//! A mail server that records what it gets and follows a script.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A mail as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// The message without the dots of the protocol.
    pub(crate) data: String,
    pub(crate) login: Option<(String, String)>,
}

/// What the server does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    /// Answers to whole messages, in order; then 250.
    pub(crate) answers: Vec<&'static str>,
    /// How one logs in: `PLAIN` or `LOGIN`; the password is `right`.
    pub(crate) auth: Option<&'static str>,
    /// A receiver that is not known.
    pub(crate) unknown: Option<&'static str>,
    /// Whether it forgets to answer a goodbye.
    pub(crate) rude: bool,
}

/// A server that runs until the test process ends.
pub(crate) struct Sink {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    accepted: Vec<Mail>,
    refused: Vec<Mail>,
}

impl Sink {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let theirs = Arc::clone(&seen);
        let mut answers = VecDeque::from(manner.answers.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                theirs.lock().unwrap().connections += 1;
                let _ = Session::new(stream, &manner, &mut answers, &theirs).run();
            }
        });
        Self { address, seen }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub(crate) fn accepted(&self) -> Vec<Mail> {
        self.seen.lock().unwrap().accepted.clone()
    }

    pub(crate) fn refused(&self) -> Vec<Mail> {
        self.seen.lock().unwrap().refused.clone()
    }
}

struct Session<'a> {
    reader: BufReader<TcpStream>,
    manner: &'a Manner,
    answers: &'a mut VecDeque<&'static str>,
    seen: &'a Mutex<Seen>,
    mail: Mail,
}

impl<'a> Session<'a> {
    fn new(
        stream: TcpStream,
        manner: &'a Manner,
        answers: &'a mut VecDeque<&'static str>,
        seen: &'a Mutex<Seen>,
    ) -> Self {
        let mail = Mail {
            from: String::new(),
            to: Vec::new(),
            data: String::new(),
            login: None,
        };
        let reader = BufReader::new(stream);
        Self {
            reader,
            manner,
            answers,
            seen,
            mail,
        }
    }

    fn say(&mut self, line: &str) -> std::io::Result<()> {
        self.reader
            .get_mut()
            .write_all(format!("{line}\r\n").as_bytes())
    }

    fn hear(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn run(mut self) -> std::io::Result<()> {
        self.say("220 sink")?;
        loop {
            let line = self.hear()?;
            let verb = line
                .split([' ', ':'])
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => self.hello()?,
                "AUTH" => self.login(&line)?,
                "MAIL" => {
                    self.mail.from = between(&line);
                    self.say("250 ok")?;
                }
                "RCPT" => self.receiver(&between(&line))?,
                "DATA" => self.message()?,
                "QUIT" if self.manner.rude => {}
                "QUIT" => return self.say("221 bye"),
                _ => self.say("502 what?")?,
            }
        }
    }

    fn hello(&mut self) -> std::io::Result<()> {
        if let Some(mechanism) = self.manner.auth {
            self.say(&format!("250-AUTH {mechanism}"))?;
        }
        self.say("250 8BITMIME")
    }

    fn login(&mut self, line: &str) -> std::io::Result<()> {
        let text = |encoded: &str| String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        let (user, password) = match line.split(' ').collect::<Vec<_>>()[1..] {
            ["PLAIN", initial] => {
                let initial = text(initial);
                let parts: Vec<&str> = initial.split('\0').collect();
                (parts[1].to_owned(), parts[2].to_owned())
            }
            _ => {
                self.say("334 VXNlcm5hbWU6")?;
                let user = self.hear()?;
                self.say("334 UGFzc3dvcmQ6")?;
                (text(&user), text(&self.hear()?))
            }
        };
        let right = password == "right";
        self.mail.login = Some((user, password.clone()));
        let answer = if right {
            "235 ok".to_owned()
        } else {
            format!("535 no: {password}")
        };
        self.say(&answer)
    }

    fn receiver(&mut self, address: &str) -> std::io::Result<()> {
        if self.manner.unknown == Some(address) {
            return self.say("550 nobody here has that name");
        }
        self.mail.to.push(address.to_owned());
        self.say("250 ok")
    }

    fn message(&mut self) -> std::io::Result<()> {
        self.say("354 go on")?;
        loop {
            let line = self.hear()?;
            if line == "." {
                break;
            }
            self.mail
                .data
                .push_str(line.strip_prefix('.').unwrap_or(&line));
            self.mail.data.push_str("\r\n");
        }
        let answer = self.answers.pop_front().unwrap_or("250 ok");
        let mut seen = self.seen.lock().unwrap();
        let list = match answer.starts_with('2') {
            true => &mut seen.accepted,
            false => &mut seen.refused,
        };
        list.push(self.mail.clone());
        drop(seen);
        self.say(answer)
    }
}

fn between(line: &str) -> String {
    let start = line.find('<').map_or(0, |at| at + 1);
    let end = line.find('>').unwrap_or(line.len());
    line[start..end].to_owned()
}
