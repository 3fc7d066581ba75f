//! A socket between `mixline` and the container engine of the environment, to play tricks on it: an
//! engine that is away for a while, and one that forgets who follows a log.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// What asks for a log as it grows.
const FOLLOW: &[u8] = b"follow=true";

/// The socket; it passes everything on, unless it is told not to.
pub(crate) struct Between {
    folder: tempfile::TempDir,
    tricks: Arc<Tricks>,
}

#[derive(Default)]
struct Tricks {
    cut: AtomicBool,
    forgets: bool,
    forgotten: AtomicUsize,
}

impl Between {
    /// One that can be cut.
    pub(crate) fn honest() -> Self {
        Self::playing(Tricks::default())
    }

    /// One whose engine never answers those who follow a log.
    pub(crate) fn forgetful() -> Self {
        Self::playing(Tricks {
            forgets: true,
            ..Tricks::default()
        })
    }

    fn playing(tricks: Tricks) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let listener = UnixListener::bind(folder.path().join("docker.sock")).expect("a socket");
        let tricks = Arc::new(tricks);
        let played = Arc::clone(&tricks);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if !played.cut.load(Ordering::Relaxed) {
                    join(near, &played);
                }
            }
        });
        Self { folder, tricks }
    }

    /// For `DOCKER_HOST`.
    pub(crate) fn host(&self) -> String {
        let socket = self.folder.path().join("docker.sock");
        format!("unix://{}", socket.display())
    }

    /// Cuts the engine off, or lets it back.
    pub(crate) fn cut(&self, cut: bool) {
        self.tricks.cut.store(cut, Ordering::Relaxed);
    }

    /// How many have been forgotten.
    pub(crate) fn forgotten(&self) -> usize {
        self.tricks.forgotten.load(Ordering::Relaxed)
    }
}

/// The socket of the engine of the environment.
pub(crate) fn engine_socket() -> String {
    let host = std::env::var_os("DOCKER_HOST").unwrap_or_default();
    let host = host.to_string_lossy().into_owned();
    let path = host
        .strip_prefix("unix://")
        .unwrap_or("/var/run/docker.sock");
    path.to_owned()
}

/// Joins a connection to one of the engine.
fn join(near: UnixStream, tricks: &Arc<Tricks>) {
    let far = UnixStream::connect(engine_socket()).expect("the engine");
    let copy = |stream: &UnixStream| stream.try_clone().expect("a socket");
    let deaf = Arc::new(AtomicBool::new(false));
    let (from, to) = (copy(&near), copy(&far));
    let (asked, made_deaf) = (Arc::clone(tricks), Arc::clone(&deaf));
    std::thread::spawn(move || {
        pass(&from, &to, &asked.cut, |bytes| {
            let follows = bytes.windows(FOLLOW.len()).any(|part| part == FOLLOW);
            if asked.forgets && follows {
                made_deaf.store(true, Ordering::Relaxed);
                asked.forgotten.fetch_add(1, Ordering::Relaxed);
            }
            true
        });
    });
    let tricks = Arc::clone(tricks);
    std::thread::spawn(move || {
        pass(&far, &near, &tricks.cut, |_| !deaf.load(Ordering::Relaxed));
    });
}

/// Passes bytes on until one end closes, the connection is cut, or they `may` pass no more; then it
/// is closed at both ends, but for one that is only deaf.
fn pass(
    mut from: &UnixStream,
    mut to: &UnixStream,
    cut: &AtomicBool,
    mut may: impl FnMut(&[u8]) -> bool,
) {
    let tick = Some(Duration::from_millis(50));
    from.set_read_timeout(tick).expect("a time-out");
    let mut bytes = [0; 4096];
    while !cut.load(Ordering::Relaxed) {
        match from.read(&mut bytes) {
            Ok(read) if !may(&bytes[..read]) => return,
            Ok(0) => break,
            Ok(read) if to.write_all(&bytes[..read]).is_ok() => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            _ => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
