//! The step against real servers on this machine: an HTTP receiver and a mail server that record
//! what they get and answer as the test says.

#![expect(
    clippy::unwrap_used,
    reason = "in tests a value that is not there is a failure like any other"
)]

mod binary;
mod email;
mod outbox;
mod receiver;
mod secrets;
mod sink;
mod slack;
mod support;
mod webhook;
