//! The part of μ that is linear in its coefficients, forward and backward.
//!
//! Both likelihoods use it: the sampled one with every coefficient, the marginal one without those
//! that are integrated out. Call from inside `vectorized`.

use mixline_numerics::lanes::{axpy, dot};

use super::density::Work;
use crate::model::Model;

/// residual ← mask · (outcome − Σ coefficient · column), over the coefficients that `held` leaves.
#[inline(always)]
pub(super) fn subtract(
    model: &Model,
    values: &[f64],
    work: &mut Work,
    g: usize,
    held: impl Fn(usize) -> bool,
) {
    let (design, layout) = (&model.design, &model.layout);
    let residual = &mut work.residual;
    residual.copy_from_slice(design.outcome(g));
    for (term, slot) in design.terms.iter().zip(&layout.terms) {
        let at = slot.of(g);
        if !held(at) {
            axpy(-values[at], term.column(g, design.row), residual);
        }
    }
    for (trace, slots) in work.traces.iter().zip(&layout.channels) {
        let at = slots.amplitude.of(g);
        if !held(at) {
            axpy(-values[at], &trace.value, residual);
        }
    }
    for ([a, b], slot) in model.synergies.iter().zip(&layout.synergies) {
        let (fa, fb) = (&work.traces[*a].value, &work.traces[*b].value);
        let delta = values[slot.of(g)];
        for ((r, fa), fb) in residual.iter_mut().zip(fa).zip(fb) {
            *r -= delta * fa * fb;
        }
    }
    for (r, mask) in residual.iter_mut().zip(design.mask(g)) {
        *r *= mask;
    }
}

/// Adds ∂L/∂(coefficient) for ∂L/∂μ in `work.slope`, over the coefficients that `held` leaves.
#[inline(always)]
pub(super) fn add_gradient(
    model: &Model,
    gradient: &mut [f64],
    work: &Work,
    g: usize,
    held: impl Fn(usize) -> bool,
) {
    let (design, layout) = (&model.design, &model.layout);
    for (term, slot) in design.terms.iter().zip(&layout.terms) {
        let at = slot.of(g);
        if !held(at) {
            gradient[at] += dot(&work.slope, term.column(g, design.row));
        }
    }
    for (trace, slots) in work.traces.iter().zip(&layout.channels) {
        let at = slots.amplitude.of(g);
        if !held(at) {
            gradient[at] += dot(&work.slope, &trace.value);
        }
    }
    for ([a, b], slot) in model.synergies.iter().zip(&layout.synergies) {
        let cells = work.traces[*a].value.iter().zip(&work.traces[*b].value);
        let products = work
            .slope
            .iter()
            .zip(cells)
            .map(|(e, (fa, fb))| e * fa * fb);
        gradient[slot.of(g)] += products.sum::<f64>();
    }
}
