//! Mixline from outside: real processes, real stores, real readers.

mod attribution;
mod containers;
mod crash;
mod errors;
mod failover;
mod objects;
mod optimize;
mod pipeline;
mod races;
mod readers;
mod retrain;
mod support;
