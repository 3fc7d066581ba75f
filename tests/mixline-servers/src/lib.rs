//! Servers that tests start: on a free port of the loopback, in a scratch folder, gone with the
//! process that started them, however it ends.
//!
//! A server that is not installed makes a test say so and pass on a developer's machine, and fail
//! when `CI` is set.

mod guard;
mod postgres;
mod s3;

pub use postgres::Postgres;
pub use s3::S3;

/// `None` where the tool may be missing; a panic where it must not.
///
/// # Panics
/// When `CI` is set.
fn skip<T>(why: &str) -> Option<T> {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    eprintln!("skipped: {why}");
    None
}

/// A port nobody listens on at this moment.
fn free_port() -> std::io::Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}
