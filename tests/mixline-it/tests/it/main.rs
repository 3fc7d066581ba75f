//! Mixline from outside: real processes, real stores, real readers.

mod attribution;
mod between;
mod compliance;
mod containers;
mod crash;
mod deployed;
mod errors;
mod failover;
mod lineage;
mod mlflow;
mod objects;
mod operations;
mod optimize;
mod pipeline;
mod races;
mod readers;
mod retrain;
mod soak;
mod support;
mod watched;
