//! The coordinates the sampler moves in.
//!
//! PyMC's unconstrained scale u is awkward to sample where parameters pull on each other. Four
//! exact changes of variables straighten it:
//!
//! ```text
//! reference     u = q − log s(x*; shape)     q is the log contribution at typical media x*
//! unit          u = q / |z|                  a coefficient by what it does to the outcome
//! offset        u = m + σ q                  effects by geo as deviations from their mean
//! scale         u = log σ + q                the same for a scale family of positive effects
//! ```
//!
//! The first removes the ridge between amplitude and curvature: data identify the contribution
//! at media that were seen, not the height that is never reached. It has Jacobian 1 in logs.

use mixline_numerics::distribution::Family as Distributions;
use mixline_numerics::transform::Transform;

use crate::kernel::media::Weights;
use crate::layout::{Arg, ElementPrior, Slot};
use crate::model::Model;

/// One change of variables, of one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    /// A positive amplitude by its contribution at the reference.
    Reference {
        at: usize,
        channel: usize,
        geo: usize,
    },
    /// A real amplitude likewise: u = q / s(x*).
    RealReference {
        at: usize,
        channel: usize,
        geo: usize,
    },
    /// u = q / size, where size is the root mean square of the coefficient's column.
    Unit { at: usize, size: f64, log_size: f64 },
    /// u = mean + scale · q.
    Offset { at: usize, mean: Arg, scale: Arg },
    /// u = log scale + q.
    Scale { at: usize, scale: usize },
}

/// The changes of variables of a model, in the order in which they are applied.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coordinates {
    /// Parameters the sampler visits, by index.
    pub(crate) sampled: Vec<usize>,
    changes: Vec<Change>,
    /// log s(x*) of each change with its derivatives, as of the last [`forward`](Self::forward).
    shifts: Vec<Shift>,
}

/// log s(x*; shape) with derivatives by adstock and shape parameters.
#[derive(Debug, Clone, Copy, Default)]
struct Shift {
    value: f64,
    slopes: [f64; 4],
}

/// x and dx/du of every parameter, as the density has them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(crate) values: &'a [f64],
    pub(crate) slopes: &'a [f64],
}

impl Coordinates {
    pub(crate) fn new(model: &Model) -> Self {
        let layout = &model.layout;
        let holds = |at: usize| model.integrated.holds(at);
        let mut this = Self {
            sampled: (0..layout.len()).filter(|&at| !holds(at)).collect(),
            changes: Vec::new(),
            shifts: Vec::new(),
        };
        for (term, slot) in model.design.terms.iter().zip(&layout.terms) {
            let size = term.size();
            if !slot.is_per_geo() && !holds(slot.base) && size > 0.0 {
                let log_size = libm::log(size);
                this.changes.push(Change::Unit {
                    at: slot.base,
                    size,
                    log_size,
                });
            }
        }
        for channel in 0..layout.channels.len() {
            this.add_references(model, channel);
        }
        for at in (0..layout.len()).filter(|&at| !holds(at)) {
            if let ElementPrior::Linked { family, args } = layout.priors[at] {
                this.changes.extend(decentred(at, family, args));
            }
        }
        this.shifts = vec![Shift::default(); this.changes.len()];
        this
    }

    /// References for the amplitude of a channel, or for the hyperparameters it hangs on.
    fn add_references(&mut self, model: &Model, channel: usize) {
        let layout = &model.layout;
        let slots = &layout.channels[channel];
        let coupled = model.design.kernels[channel].saturation.couples_amplitude();
        if coupled || model.design.reference[channel] <= 0.0 {
            return;
        }
        let shapes = slots.shape.iter().chain(&slots.adstock).flatten();
        let shape_per_geo = shapes.clone().any(|slot| slot.is_per_geo());
        let geos = if slots.amplitude.is_per_geo() {
            model.design.geos
        } else {
            1
        };
        let mut seen = Vec::new();
        for geo in 0..geos {
            let at = slots.amplitude.of(geo);
            match layout.priors[at] {
                ElementPrior::Linked { args, .. } => {
                    if shape_per_geo {
                        return;
                    }
                    for arg in args {
                        if let Arg::Parameter(hyper) = arg
                            && !seen.contains(&hyper)
                            && !shared(model, hyper, channel)
                        {
                            seen.push(hyper);
                            self.changes.extend(reference(model, hyper, channel, geo));
                        }
                    }
                }
                _ if shape_per_geo && !slots.amplitude.is_per_geo() => return,
                _ if model.integrated.holds(at) => {}
                _ => self.changes.extend(reference(model, at, channel, geo)),
            }
        }
    }

    /// u from q; log |du/dq|.
    pub(crate) fn forward(&mut self, model: &Model, q: &[f64], u: &mut [f64]) -> f64 {
        for (&at, q) in self.sampled.iter().zip(q) {
            u[at] = *q;
        }
        let value = |at: usize, u: &[f64]| model.layout.transforms[at].constrain(u[at]).value;
        let mut total = 0.0;
        for (change, kept) in self.changes.iter().zip(&mut self.shifts) {
            match *change {
                Change::Unit { at, size, log_size } => {
                    u[at] /= size;
                    total -= log_size;
                }
                Change::Reference { at, channel, geo } => {
                    *kept = shift(model, u, channel, geo);
                    u[at] -= kept.value;
                }
                Change::RealReference { at, channel, geo } => {
                    *kept = shift(model, u, channel, geo);
                    u[at] *= libm::exp(-kept.value);
                    total -= kept.value;
                }
                Change::Offset { at, mean, scale } => {
                    let of = |arg: Arg| match arg {
                        Arg::Number(value) => value,
                        Arg::Parameter(index) => value(index, u),
                    };
                    let (mean, scale) = (of(mean), of(scale));
                    u[at] = mean + scale * u[at];
                    total += libm::log(scale);
                }
                Change::Scale { at, scale } => u[at] += libm::log(value(scale, u)),
            }
        }
        total
    }

    /// Turns ∂/∂u into ∂/∂q, and adds what log |du/dq| contributes; after
    /// [`forward`](Self::forward) at the same point.
    pub(crate) fn backward(
        &self,
        model: &Model,
        u: &[f64],
        x: Values<'_>,
        g: &mut [f64],
        out: &mut [f64],
    ) {
        for (change, kept) in self.changes.iter().zip(&self.shifts).rev() {
            match *change {
                Change::Unit { at, size, .. } => g[at] /= size,
                Change::Reference { at, channel, geo } => {
                    add_shift(model, (channel, geo), kept, -g[at], x, g);
                }
                Change::RealReference { at, channel, geo } => {
                    let by_shift = -g[at] * u[at] - 1.0;
                    g[at] *= libm::exp(-kept.value);
                    add_shift(model, (channel, geo), kept, by_shift, x, g);
                }
                Change::Offset { at, mean, scale } => {
                    let (by, mean_value) = (g[at], mean.value(x.values));
                    let scale_value = scale.value(x.values);
                    if let Arg::Parameter(index) = mean {
                        g[index] += by * x.slopes[index];
                    }
                    if let Arg::Parameter(index) = scale {
                        let deviation = (u[at] - mean_value) / scale_value;
                        g[index] += (by * deviation + 1.0 / scale_value) * x.slopes[index];
                    }
                    g[at] = by * scale_value;
                }
                Change::Scale { at, scale } => {
                    g[scale] += g[at] * x.slopes[scale] / x.values[scale];
                }
            }
        }
        for (&at, out) in self.sampled.iter().zip(out) {
            *out = g[at];
        }
    }

    /// q from u: undoes [`forward`](Self::forward).
    pub(crate) fn inverse(&self, model: &Model, u: &[f64]) -> Vec<f64> {
        let mut q = u.to_vec();
        let value = |at: usize| model.layout.transforms[at].constrain(u[at]).value;
        let of = |arg: Arg| match arg {
            Arg::Number(value) => value,
            Arg::Parameter(index) => value(index),
        };
        for change in self.changes.iter().rev() {
            match *change {
                Change::Unit { at, size, .. } => q[at] *= size,
                Change::Reference { at, channel, geo } => {
                    q[at] += shift(model, u, channel, geo).value;
                }
                Change::RealReference { at, channel, geo } => {
                    q[at] *= libm::exp(shift(model, u, channel, geo).value);
                }
                Change::Offset { at, mean, scale } => q[at] = (q[at] - of(mean)) / of(scale),
                Change::Scale { at, scale } => q[at] -= libm::log(value(scale)),
            }
        }
        self.sampled.iter().map(|&at| q[at]).collect()
    }

    /// A q whose parameters sit at the centre of their priors.
    pub(crate) fn start(&self, model: &Model) -> Vec<f64> {
        let layout = &model.layout;
        let mut u: Vec<f64> = (0..layout.len()).map(|at| centre(model, at)).collect();
        let mut q = u.clone();
        for change in &self.changes {
            match *change {
                Change::Unit { at, size, .. } => q[at] = u[at] * size,
                // The prior's own centre stands for the contribution at the reference.
                Change::Reference { at, channel, geo } => {
                    q[at] = u[at] + shift(model, &u, channel, geo).value;
                }
                Change::RealReference { at, .. } | Change::Offset { at, .. } => {
                    (q[at], u[at]) = (0.0, 0.0);
                }
                Change::Scale { at, .. } => (q[at], u[at]) = (-0.5, -0.5),
            }
        }
        self.sampled.iter().map(|&at| q[at]).collect()
    }
}

/// Where a parameter starts: the mean of its prior, on the unconstrained scale.
fn centre(model: &Model, at: usize) -> f64 {
    let transform = model.layout.transforms[at];
    let mean = match &model.layout.priors[at] {
        ElementPrior::Fixed(distribution) => distribution.mean(),
        ElementPrior::Linked { .. } | ElementPrior::Response => f64::NAN,
    };
    let u = transform.unconstrain(mean);
    if u.is_finite() {
        u.clamp(-20.0, 20.0)
    } else {
        0.0
    }
}

/// Whether another channel hangs on the same hyperparameter.
fn shared(model: &Model, hyper: usize, channel: usize) -> bool {
    let uses = |other: usize| {
        let at = model.layout.channels[other].amplitude.base;
        matches!(model.layout.priors[at], ElementPrior::Linked { args, .. }
            if args.contains(&Arg::Parameter(hyper)))
    };
    (0..model.layout.channels.len()).any(|other| other != channel && uses(other))
}

fn reference(model: &Model, at: usize, channel: usize, geo: usize) -> Option<Change> {
    match model.layout.transforms[at] {
        Transform::Log => Some(Change::Reference { at, channel, geo }),
        Transform::Identity => Some(Change::RealReference { at, channel, geo }),
        _ => None,
    }
}

/// Deviations instead of values, where the family allows it.
fn decentred(at: usize, family: Distributions, args: [Arg; 4]) -> Option<Change> {
    match (family, args) {
        (
            Distributions::Normal | Distributions::LogNormal | Distributions::Laplace,
            [mean, scale, ..],
        ) => Some(Change::Offset { at, mean, scale }),
        (Distributions::HalfNormal, [Arg::Parameter(scale), ..]) => {
            Some(Change::Scale { at, scale })
        }
        _ => None,
    }
}

/// log s(x*; shape) of a channel, at the sum of the weights times the reference.
fn shift(model: &Model, u: &[f64], channel: usize, geo: usize) -> Shift {
    let kernel = &model.design.kernels[channel];
    let slots = &model.layout.channels[channel];
    let value = |at: usize| model.layout.transforms[at].constrain(u[at]).value;
    let of = |slot: Option<Slot>| slot.map_or(0.0, |slot| value(slot.of(geo)));
    let shape = slots.shape.map(of);
    let level = model.design.reference[channel];
    if kernel.normalize {
        // The weights sum to one, whatever the decay.
        let cell = kernel.saturation.cell(level, shape);
        let height = cell.value.max(1e-300);
        let [first, second] = cell.shape_slopes;
        return Shift {
            value: libm::log(height),
            slopes: [0.0, 0.0, first / height, second / height],
        };
    }
    let mut weights = Weights::new(kernel);
    weights.set(kernel, slots.adstock.map(of));
    let total = weights.total();
    let at = if kernel.adstock_first {
        level * total.value
    } else {
        level
    };
    let cell = kernel.saturation.cell(at, shape);
    let height = cell.value.max(1e-300);
    let mut slopes = [0.0; 4];
    for i in 0..2 {
        slopes[i] = if kernel.adstock_first {
            cell.slope / height * level * total.slopes[i]
        } else {
            total.slopes[i] / total.value
        };
        slopes[2 + i] = cell.shape_slopes[i] / height;
    }
    let spread = if kernel.adstock_first {
        0.0
    } else {
        libm::log(total.value)
    };
    Shift {
        value: libm::log(height) + spread,
        slopes,
    }
}

/// Adds `by` · ∂ shift / ∂u to the gradient.
fn add_shift(
    model: &Model,
    (channel, geo): (usize, usize),
    shift: &Shift,
    by: f64,
    x: Values<'_>,
    g: &mut [f64],
) {
    let slots = &model.layout.channels[channel];
    for (slot, slope) in slots.adstock.iter().chain(&slots.shape).zip(shift.slopes) {
        if let Some(slot) = slot {
            let at = slot.of(geo);
            g[at] += by * slope * x.slopes[at];
        }
    }
}
