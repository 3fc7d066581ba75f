//! Adstock and saturation over a whole series, with their gradient.
//!
//! ```text
//! adstock first:     z = w ⊗ x,  f_t = s(z_t)
//! saturation first:  u_t = s(x_t),  f = w ⊗ u
//! ```
//!
//! Forward keeps what backward needs; backward takes ∂L/∂f and adds ∂L/∂(adstock and shape
//! parameters). No allocation in either. Series are padded to a multiple of eight cells.

use mixline_numerics::lanes::{axpy, dot, padded, vectorized};
use serde::{Deserialize, Serialize};

use super::adstock::{ADSTOCK_PARAMETERS, AdstockKind};
use super::num::{Dual, Num};
use super::saturation::{Curve, SHAPE_PARAMETERS, SaturationKind, with_curve};

/// What transforms a channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MediaKernel {
    /// Kind of adstock.
    pub adstock: AdstockKind,
    /// Number of lags in periods; Weibull CDF has one weight more.
    pub l_max: usize,
    /// Whether the weights are divided by their sum.
    pub normalize: bool,
    /// Kind of saturation.
    pub saturation: SaturationKind,
    /// Whether adstock comes before saturation.
    pub adstock_first: bool,
}

/// Parameters of a kernel: adstock's, and effective shape parameters of the saturation.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Shape {
    /// In the order of [`AdstockKind::parameter_names`].
    pub adstock: [f64; ADSTOCK_PARAMETERS],
    /// In the order of [`SaturationKind::shape_names`], after
    /// [`SaturationKind::effective_shape`].
    pub saturation: [f64; SHAPE_PARAMETERS],
}

/// Weights of one channel with their derivatives.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    dual: Vec<Dual<ADSTOCK_PARAMETERS>>,
    values: Vec<f64>,
}

impl Weights {
    pub(crate) fn new(kernel: &MediaKernel) -> Self {
        let length = kernel.adstock.length(kernel.l_max);
        Self {
            dual: vec![Dual::of(0.0); length],
            values: vec![0.0; length],
        }
    }

    pub(crate) fn set(&mut self, kernel: &MediaKernel, p: [f64; ADSTOCK_PARAMETERS]) {
        kernel
            .adstock
            .write_weights(p, kernel.l_max, kernel.normalize, &mut self.dual);
        for (value, dual) in self.values.iter_mut().zip(&self.dual) {
            *value = dual.value;
        }
    }

    /// Σ w with its derivatives.
    pub(crate) fn total(&self) -> Dual<ADSTOCK_PARAMETERS> {
        self.dual
            .iter()
            .skip(1)
            .fold(self.dual[0], |sum, w| sum + *w)
    }
}

/// A series with room for the lags before it: `lags` zeros, then the values, then zeros up to a
/// multiple of eight.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Padded {
    cells: Vec<f64>,
    lags: usize,
    len: usize,
}

impl Padded {
    pub(crate) fn new(values: &[f64], lags: usize) -> Self {
        let len = padded(values.len());
        let mut cells = vec![0.0; lags + len];
        cells[lags..lags + values.len()].copy_from_slice(values);
        Self { cells, lags, len }
    }

    /// The series moved back by `lag` periods.
    #[inline(always)]
    fn lagged(&self, lag: usize) -> &[f64] {
        &self.cells[self.lags - lag..self.lags - lag + self.len]
    }

    pub(crate) fn values(&self) -> &[f64] {
        self.lagged(0)
    }
}

/// Buffers of one series; length is that of the padded series.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    /// f.
    pub(crate) value: Vec<f64>,
    /// ∂s/∂(its argument).
    slope: Vec<f64>,
    /// ∂s/∂ each shape parameter.
    shape: [Vec<f64>; SHAPE_PARAMETERS],
    /// z, or u with its lags.
    inner: Padded,
    /// ∂L/∂(inner).
    adjoint: Vec<f64>,
}

impl Trace {
    pub(crate) fn new(periods: usize, lags: usize) -> Self {
        let len = padded(periods);
        Self {
            value: vec![0.0; len],
            slope: vec![0.0; len],
            shape: std::array::from_fn(|_| vec![0.0; len]),
            inner: Padded::new(&vec![0.0; periods], lags),
            adjoint: vec![0.0; len + lags],
        }
    }
}

/// ∂L/∂ the parameters of one kernel.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ShapeGradient {
    pub(crate) adstock: [f64; ADSTOCK_PARAMETERS],
    pub(crate) saturation: [f64; SHAPE_PARAMETERS],
}

impl MediaKernel {
    /// Lags the kernel looks back.
    #[must_use]
    pub fn lags(&self) -> usize {
        self.adstock.length(self.l_max) - 1
    }

    /// f over a series, at amplitude one.
    #[must_use]
    pub fn apply(&self, x: &[f64], shape: &Shape) -> Vec<f64> {
        let lags = self.lags();
        let (series, mut trace) = (Padded::new(x, lags), Trace::new(x.len(), lags));
        let mut weights = Weights::new(self);
        weights.set(self, shape.adstock);
        self.forward(&series, &weights, shape.saturation, &mut trace);
        trace.value.truncate(x.len());
        trace.value
    }

    /// Computes f into `trace`.
    pub(crate) fn forward(
        &self,
        x: &Padded,
        weights: &Weights,
        shape: [f64; SHAPE_PARAMETERS],
        trace: &mut Trace,
    ) {
        with_curve!(self.saturation, C => vectorized(
            #[inline(always)]
            || if self.adstock_first {
                adstock_first::<C>(x, weights, shape, trace);
            } else {
                saturation_first::<C>(x, weights, shape, trace);
            }
        ));
    }

    /// Gradient with respect to the parameters, for `adjoint` = ∂L/∂f of every cell.
    pub(crate) fn backward(
        &self,
        x: &Padded,
        weights: &Weights,
        adjoint: &[f64],
        trace: &mut Trace,
    ) -> ShapeGradient {
        vectorized(
            #[inline(always)]
            || {
                if self.adstock_first {
                    back_through_adstock_first(self, x, weights, adjoint, trace)
                } else {
                    back_through_saturation_first(self, weights, adjoint, trace)
                }
            },
        )
    }
}

#[inline(always)]
fn adstock_first<C: Curve>(
    x: &Padded,
    weights: &Weights,
    shape: [f64; SHAPE_PARAMETERS],
    trace: &mut Trace,
) {
    let lags = trace.inner.lags;
    let z = &mut trace.inner.cells[lags..];
    z.fill(0.0);
    for (lag, w) in weights.values.iter().enumerate() {
        axpy(*w, x.lagged(lag), z);
    }
    let [first, second] = &mut trace.shape;
    curve::<C>(z, shape, &mut trace.value, &mut trace.slope, first, second);
}

#[inline(always)]
fn saturation_first<C: Curve>(
    x: &Padded,
    weights: &Weights,
    shape: [f64; SHAPE_PARAMETERS],
    trace: &mut Trace,
) {
    let lags = trace.inner.lags;
    let [first, second] = &mut trace.shape;
    let u = &mut trace.inner.cells[lags..];
    curve::<C>(x.values(), shape, u, &mut trace.slope, first, second);
    trace.value.fill(0.0);
    for (lag, w) in weights.values.iter().enumerate() {
        axpy(*w, trace.inner.lagged(lag), &mut trace.value);
    }
}

#[inline(always)]
fn curve<C: Curve>(
    x: &[f64],
    shape: [f64; SHAPE_PARAMETERS],
    value: &mut [f64],
    slope: &mut [f64],
    first: &mut [f64],
    second: &mut [f64],
) {
    let cells = x.iter().zip(value).zip(slope).zip(first).zip(second);
    for ((((x, value), slope), first), second) in cells {
        let cell = C::cell(*x, shape);
        (*value, *slope) = (cell.value, cell.slope);
        [*first, *second] = cell.shape_slopes;
    }
}

#[inline(always)]
fn back_through_adstock_first(
    kernel: &MediaKernel,
    x: &Padded,
    weights: &Weights,
    adjoint: &[f64],
    trace: &mut Trace,
) -> ShapeGradient {
    let mut gradient = ShapeGradient::default();
    for (index, _) in kernel.saturation.shape_names().iter().enumerate() {
        gradient.saturation[index] = dot(adjoint, &trace.shape[index]);
    }
    let parameters = kernel.adstock.parameter_names().len();
    if parameters > 0 {
        let back = &mut trace.adjoint[..x.len];
        for ((back, adjoint), slope) in back.iter_mut().zip(adjoint).zip(&trace.slope) {
            *back = adjoint * slope;
        }
        for (lag, w) in weights.dual.iter().enumerate() {
            let by_weight = dot(back, x.lagged(lag));
            for index in 0..parameters {
                gradient.adstock[index] += by_weight * w.slopes[index];
            }
        }
    }
    gradient
}

#[inline(always)]
fn back_through_saturation_first(
    kernel: &MediaKernel,
    weights: &Weights,
    adjoint: &[f64],
    trace: &mut Trace,
) -> ShapeGradient {
    let mut gradient = ShapeGradient::default();
    let parameters = kernel.adstock.parameter_names().len();
    let len = trace.inner.len;
    // back[lags + t] = ∂L/∂u_t = Σ_l w_l adjoint[t + l]; what falls before the first cell is lost.
    let lags = trace.inner.lags;
    trace.adjoint.fill(0.0);
    for (lag, w) in weights.dual.iter().enumerate() {
        let by_weight = dot(adjoint, trace.inner.lagged(lag));
        for index in 0..parameters {
            gradient.adstock[index] += by_weight * w.slopes[index];
        }
        axpy(
            w.value,
            adjoint,
            &mut trace.adjoint[lags - lag..lags - lag + len],
        );
    }
    for (index, _) in kernel.saturation.shape_names().iter().enumerate() {
        gradient.saturation[index] = dot(&trace.adjoint[lags..], &trace.shape[index]);
    }
    gradient
}
