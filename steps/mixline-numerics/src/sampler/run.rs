//! A whole run: the start, the chains on their threads, a second attempt, and the fall-back.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::laplace::Laplace;
use super::nuts::{self, Draw, Options};
use super::whitened::Whitened;
use crate::density::LogDensity;
use crate::diagnostics::{Chains, rhat};
use crate::random::{Stream, standard_normal, stream};

/// How to sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Independent chains.
    pub chains: usize,
    /// Draws kept per chain.
    pub draws: usize,
    /// Tuning draws per chain after a Laplace start; not kept.
    pub tune: usize,
    /// Tuning draws per chain without one.
    pub plain_tune: usize,
    /// Whether to try the Laplace start at all.
    pub laplace: bool,
    /// Aim for the mean acceptance probability: higher means shorter steps. After a Laplace start
    /// with a divergence, a second attempt aims for 0.95, and a third for 0.99.
    pub target_accept: f64,
    /// Trajectories double at most this often.
    pub max_depth: usize,
    /// Threads; the draws do not depend on it.
    pub threads: NonZeroUsize,
    /// Seed; chain c uses its stream c.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            chains: 4,
            draws: 1000,
            tune: 150,
            plain_tune: 1000,
            laplace: true,
            target_accept: 0.8,
            max_depth: 10,
            threads: NonZeroUsize::MIN,
            seed: 0,
        }
    }
}

/// How the chains were tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warmup {
    /// In the coordinates of the Laplace approximation.
    Laplace,
    /// In the density's own coordinates, because no usable mode was found, or because the first
    /// attempt did not mix.
    Plain,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Draws so far, over all chains, tuning included.
    pub done: usize,
    /// Draws in all.
    pub total: usize,
    /// Whether the latest draw was a tuning draw.
    pub tuning: bool,
    /// Divergences after tuning so far.
    pub divergences: usize,
}

/// Draws of one chain.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChainDraws {
    /// Positions, one after the other: draws × dim.
    pub positions: Vec<f64>,
    /// Energy (Hamiltonian) of each draw.
    pub energy: Vec<f64>,
    /// Whether each draw's trajectory diverged.
    pub diverging: Vec<bool>,
    /// Leapfrog steps of each draw.
    pub steps: Vec<u64>,
    /// Whether each draw's trajectory was cut at the greatest depth.
    pub depth_reached: Vec<bool>,
    /// Step size after tuning.
    pub step_size: f64,
}

/// Draws of all chains.
#[derive(Debug, Clone, PartialEq)]
pub struct Draws {
    /// Coordinates per draw.
    pub dim: usize,
    /// The chains, in order.
    pub chains: Vec<ChainDraws>,
    /// How they were tuned.
    pub warmup: Warmup,
    /// Evaluations of the density, all told.
    pub evaluations: u64,
}

/// Why there are no draws.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// No finite value near the start.
    #[error("the log-density is not finite at the start, nor near it")]
    NoStart,
    /// The sampler gave up.
    #[error("chain {chain} stopped: {reason}")]
    Chain {
        /// Which chain, from 0.
        chain: u64,
        /// Why.
        reason: String,
    },
    /// The caller asked to stop.
    #[error("sampling was stopped")]
    Stopped,
}

/// Above this the first attempt counts as not mixed, and the plain warm-up is tried.
const MIXED: f64 = 1.03;
/// The share of divergent draws above which the same happens.
const DIVERGENT: f64 = 0.02;
/// Evaluations the mode search may use, per coordinate and at least.
const MODE_BUDGET: (usize, usize) = (60, 2000);

impl Draws {
    /// Draws after tuning whose trajectory diverged.
    #[must_use]
    pub fn divergences(&self) -> usize {
        let flags = self.chains.iter().flat_map(|chain| &chain.diverging);
        flags.filter(|&&diverging| diverging).count()
    }

    /// Every chain's draws of coordinate `index`.
    #[must_use]
    pub fn coordinate(&self, index: usize) -> Vec<Vec<f64>> {
        let of = |chain: &ChainDraws| {
            let rows = chain.positions.chunks_exact(self.dim.max(1));
            rows.map(|row| row[index]).collect()
        };
        self.chains.iter().map(of).collect()
    }

    /// The largest R-hat over the coordinates; NaN counts as infinite.
    fn worst_rhat(&self) -> f64 {
        let one = |index| {
            let chains = Chains::new(self.coordinate(index)).ok()?;
            Some(rhat(&chains)).filter(|value| value.is_finite())
        };
        (0..self.dim).fold(1.0, |worst, index| {
            one(index).unwrap_or(f64::INFINITY).max(worst)
        })
    }

    fn mixed(&self) -> bool {
        let draws: usize = self.chains.iter().map(|chain| chain.energy.len()).sum();
        // R-hat needs enough draws to mean anything.
        let long = self.chains.iter().all(|chain| chain.energy.len() >= 100);
        self.divergences() as f64 <= DIVERGENT * draws as f64
            && (!long || self.worst_rhat() <= MIXED)
    }
}

/// Draws from the density that `make` gives each thread a copy of.
///
/// `guide` is the density, or a smooth one near it, from which the Laplace approximation is
/// taken; it changes the speed and never the draws' distribution. `start` is a point where both
/// are finite. `watch` is called every few draws, from any thread, and returns whether to go on.
///
/// # Errors
/// [`SampleError`]; draws of an unfinished run are dropped.
pub fn sample<D: LogDensity>(
    make: impl Fn() -> D + Sync,
    guide: &mut impl LogDensity,
    start: &[f64],
    settings: &Settings,
    watch: impl Fn(Progress) -> bool + Sync,
) -> Result<Draws, SampleError> {
    let mut gradient = vec![0.0; start.len()];
    if make().eval(start, &mut gradient).is_err() {
        return Err(SampleError::NoStart);
    }
    let budget = (MODE_BUDGET.0 * start.len()).max(MODE_BUDGET.1);
    let laplace = settings
        .laplace
        .then(|| Laplace::find(guide, start, budget))
        .flatten();
    let Some(laplace) = laplace else {
        return plain(&make, start, settings, &watch);
    };
    let whitened = || Whitened::new(make(), &laplace);
    let origin = vec![0.0; start.len()];
    let mut best: Option<Draws> = None;
    for settings in [*settings, settings.careful(), settings.patient()] {
        match run(&whitened, &origin, settings.tune, &settings, &watch) {
            Ok(mut draws) => {
                draws.color(&laplace);
                draws.evaluations += laplace.evaluations as u64;
                if draws.mixed() && draws.divergences() == 0 {
                    return Ok(draws);
                }
                best = Some(better(best, draws));
            }
            Err(SampleError::Stopped) => return Err(SampleError::Stopped),
            Err(_) => {}
        }
    }
    match best {
        Some(draws) if draws.mixed() => Ok(draws),
        _ => plain(&make, &laplace.mode, &settings.careful(), &watch),
    }
}

/// The draws that mixed; of two that did, those with fewer divergences.
fn better(one: Option<Draws>, other: Draws) -> Draws {
    let rank = |draws: &Draws| (!draws.mixed(), draws.divergences());
    match one {
        Some(one) if rank(&one) <= rank(&other) => one,
        _ => other,
    }
}

impl Settings {
    /// Shorter steps and longer tuning, for a second attempt after a divergence.
    fn careful(&self) -> Self {
        Self {
            target_accept: self.target_accept.max(0.95),
            tune: 2 * self.tune,
            ..*self
        }
    }

    /// Short steps and as much tuning as without a Laplace start, for a third one.
    fn patient(&self) -> Self {
        Self {
            target_accept: self.target_accept.max(0.99),
            tune: self.plain_tune,
            ..*self
        }
    }
}

fn plain<D: LogDensity>(
    make: &(impl Fn() -> D + Sync),
    start: &[f64],
    settings: &Settings,
    watch: &(impl Fn(Progress) -> bool + Sync),
) -> Result<Draws, SampleError> {
    let mut draws = run(make, start, settings.plain_tune, settings, watch)?;
    draws.warmup = Warmup::Plain;
    Ok(draws)
}

impl Draws {
    /// From the coordinates of the Laplace approximation back to the density's own.
    fn color(&mut self, laplace: &Laplace) {
        let mut theta = vec![0.0; self.dim];
        for chain in &mut self.chains {
            for row in chain.positions.chunks_exact_mut(self.dim.max(1)) {
                Whitened::<&mut dyn LogDensity>::color(laplace, row, &mut theta);
                row.copy_from_slice(&theta);
            }
        }
    }
}

/// What the threads share.
struct Shared<'a, W> {
    next: AtomicUsize,
    done: AtomicUsize,
    divergences: AtomicUsize,
    evaluations: AtomicU64,
    stop: AtomicBool,
    total: usize,
    watch: &'a W,
}

/// Draws between two calls of `watch`.
const STRIDE: usize = 25;

impl<W: Fn(Progress) -> bool> Shared<'_, W> {
    /// Counts a draw; whether to go on.
    fn tick(&self, draw: &Draw<'_>) -> bool {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.evaluations.fetch_add(draw.steps, Ordering::Relaxed);
        if draw.diverging && !draw.tuning {
            self.divergences.fetch_add(1, Ordering::Relaxed);
        }
        if done.is_multiple_of(STRIDE) {
            let progress = Progress {
                done,
                total: self.total,
                tuning: draw.tuning,
                divergences: self.divergences.load(Ordering::Relaxed),
            };
            if !(self.watch)(progress) {
                self.stop.store(true, Ordering::Relaxed);
            }
        }
        !self.stop.load(Ordering::Relaxed)
    }
}

fn run<D: LogDensity>(
    make: &(impl Fn() -> D + Sync),
    origin: &[f64],
    tune: usize,
    settings: &Settings,
    watch: &(impl Fn(Progress) -> bool + Sync),
) -> Result<Draws, SampleError> {
    let shared = Shared {
        next: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        divergences: AtomicUsize::new(0),
        evaluations: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        total: settings.chains * (tune + settings.draws),
        watch,
    };
    let results: Vec<Mutex<Option<Result<ChainDraws, SampleError>>>> =
        (0..settings.chains).map(|_| Mutex::new(None)).collect();
    let worker = || {
        loop {
            let id = shared.next.fetch_add(1, Ordering::Relaxed);
            let Some(slot) = results.get(id) else { break };
            let drawn = one_chain(make(), origin, tune, settings, id as u64, &shared);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(drawn);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..settings.threads.get().min(settings.chains) {
            scope.spawn(worker);
        }
        worker();
    });
    let mut chains = Vec::with_capacity(settings.chains);
    for slot in results {
        let drawn = slot.into_inner().unwrap_or_else(PoisonError::into_inner);
        chains.push(drawn.unwrap_or(Err(SampleError::Stopped))?);
    }
    Ok(Draws {
        dim: origin.len(),
        chains,
        warmup: Warmup::Laplace,
        evaluations: shared.evaluations.into_inner(),
    })
}

fn one_chain<D: LogDensity, W: Fn(Progress) -> bool>(
    mut density: D,
    origin: &[f64],
    tune: usize,
    settings: &Settings,
    id: u64,
    shared: &Shared<'_, W>,
) -> Result<ChainDraws, SampleError> {
    let mut rng = stream(settings.seed, id);
    let start = scatter(&mut density, origin, &mut rng).ok_or(SampleError::NoStart)?;
    let options = Options {
        tune: tune as u64,
        draws: settings.draws as u64,
        target_accept: settings.target_accept,
        max_depth: settings.max_depth as u64,
    };
    let mut kept = ChainDraws::default();
    kept.positions.reserve_exact(settings.draws * origin.len());
    let mut seen = 0;
    nuts::chain(density, &start, options, id, &mut rng, |draw| {
        seen += 1;
        if seen > tune {
            kept.push(&draw);
        }
        shared.tick(&draw)
    })?;
    Ok(kept)
}

impl ChainDraws {
    fn push(&mut self, draw: &Draw<'_>) {
        self.positions.extend_from_slice(draw.position);
        self.energy.push(draw.energy);
        self.diverging.push(draw.diverging);
        self.steps.push(draw.steps);
        self.depth_reached.push(draw.depth_reached);
        self.step_size = draw.step_size;
    }
}

/// A point around `origin` where the density is finite: chains start apart, so that R-hat can
/// tell whether they have met.
fn scatter(density: &mut impl LogDensity, origin: &[f64], rng: &mut Stream) -> Option<Vec<f64>> {
    let mut gradient = vec![0.0; origin.len()];
    let mut spread = 1.0;
    for _ in 0..30 {
        let point: Vec<f64> = origin
            .iter()
            .map(|x| x + spread * standard_normal(rng))
            .collect();
        if density.eval(&point, &mut gradient).is_ok() {
            return Some(point);
        }
        spread *= 0.7;
    }
    density.eval(origin, &mut gradient).ok()?;
    Some(origin.to_vec())
}
