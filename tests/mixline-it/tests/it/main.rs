//! Mixline from outside: real processes, real stores, real readers.

mod containers;
mod crash;
mod errors;
mod optimize;
mod pipeline;
mod races;
mod readers;
mod retrain;
mod support;
