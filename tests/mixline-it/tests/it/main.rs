//! Mixline from outside: real processes, real stores, real readers.

mod attribution;
mod crash;
mod errors;
mod lineage;
mod mlflow;
mod operations;
mod optimize;
mod pipeline;
mod races;
mod readers;
mod retrain;
mod support;
