//! Temporary stand-in.
#![allow(missing_docs)]
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use mixline_schema::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[derive(Debug, Clone)]
pub struct Dag { pub name: String, pub tasks: BTreeMap<String, Task> }
#[derive(Debug, Clone)]
pub struct Task { pub step: String, pub config: Value, pub inputs: BTreeMap<String, ArtifactRef>, pub outputs: BTreeMap<String, String> }
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct PlanError;
impl Dag { pub fn parse(_: &str, _: &str) -> Result<Dag, Vec<PlanError>> { Err(vec![PlanError]) } }
#[derive(Debug, Clone)]
pub struct Catalogue { pub steps: BTreeMap<String, StepEntry> }
#[derive(Debug, Clone)]
pub struct StepEntry { pub descriptor: StepDescriptor, pub code: String }
#[derive(Debug, Clone)]
pub enum Force { None, All, Tasks(BTreeSet<String>) }
#[derive(Debug, Clone)]
pub struct Request { pub window: Option<Window>, pub seed: u64, pub select: Vec<String>, pub force: Force, pub observed: BTreeMap<String, BTreeMap<String, Digest>> }
#[derive(Debug, Clone, Default)]
pub struct History { pub heads: BTreeMap<String, Head>, pub slots: BTreeMap<(String, String), SlotCommit>, pub last: BTreeMap<String, FingerprintInputs> }
#[derive(Debug, Clone)]
pub struct Head { pub version: u64, pub digest: Digest }
#[derive(Debug, Clone)]
pub struct SlotCommit { pub version: u64, pub fingerprint: Digest, pub digest: Digest, pub rows: u64 }
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan { pub dag: String, pub window: Option<Window>, pub seed: u64, pub tasks: Vec<PlannedTask> }
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedTask { pub name: String, pub step: String, pub code: String, pub config: Value, pub deps: Vec<String>, pub inputs: BTreeMap<String, PlannedInput>, pub outputs: Vec<PlannedOutput>, pub slot: String, pub observed: BTreeMap<String, Digest>, pub verdict: Verdict, pub retries: u32, pub retry_delay: Duration, pub timeout: Option<Duration>, pub pool: Option<String>, pub tolerated: bool }
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedInput { pub artifact: String, pub schema_version: u32, pub optional: bool, pub from: Source }
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Source { Task(String), Store { version: u64, digest: Digest }, Absent }
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlannedOutput { pub port: String, pub artifact: String, pub optional: bool }
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Verdict { Reuse { fingerprint: Digest, outputs: Vec<OutputResult> }, Run { reasons: Vec<Reason> } }
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Reason { NeverRan, Forced }
impl std::fmt::Display for Reason { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{self:?}") } }
pub fn plan(_: &Dag, _: &Catalogue, _: &Request, _: &History) -> Result<Plan, Vec<PlanError>> { Err(vec![PlanError]) }
pub fn settle(t: &PlannedTask, resolved: &BTreeMap<String, (u64, Digest)>, history: &History) -> (Digest, FingerprintInputs, Verdict) {
    let doc = FingerprintInputs { step: t.step.clone(), code_version: t.code.clone(), config: t.config.clone(), inputs: resolved.iter().map(|(p, (_, d))| (p.clone(), d.clone())).collect(), observed: t.observed.clone(), window: None, seed: 0 };
    let fp = fingerprint(&doc);
    let _ = history;
    (fp, doc, Verdict::Run { reasons: vec![Reason::NeverRan] })
}
