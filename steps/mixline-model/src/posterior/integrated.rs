//! Which coefficients by geo are integrated out, exactly.
//!
//! A coefficient with a Normal prior that enters a Normal likelihood linearly has a Normal
//! conditional posterior. The sampler then need not visit it: its effect is integrated in closed
//! form, and each draw gets an exact conditional draw of it afterwards. The number of sampled
//! parameters no longer grows with the number of geos.

use crate::design::Design;
use crate::layout::{Layout, Slot};
use crate::posterior::calibration::Calibration;
use crate::spec::{Family, Link, ModelSpec};

/// What a coefficient multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The column of a linear term.
    Term(usize),
    /// The saturated series of a channel.
    Channel(usize),
}

/// The coefficients that are integrated out.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Integrated {
    /// One column per coefficient of a geo.
    pub(crate) columns: Vec<(Source, Slot)>,
    flags: Vec<bool>,
    count: usize,
}

impl Integrated {
    pub(crate) fn new(
        spec: &ModelSpec,
        design: &Design,
        layout: &Layout,
        calibration: &Calibration,
        synergies: &[[usize; 2]],
    ) -> Self {
        let mut this = Self {
            flags: vec![false; layout.len()],
            ..Self::default()
        };
        if spec.likelihood.family != Family::Normal || spec.likelihood.link != Link::Identity {
            return this;
        }
        for (k, slot) in layout.terms.iter().enumerate() {
            this.take(Source::Term(k), *slot, design.geos, layout);
        }
        for (c, slots) in layout.channels.iter().enumerate() {
            let elsewhere = calibration.tests_channel(c)
                || synergies.iter().flatten().any(|&channel| channel == c)
                || design.kernels[c].saturation.couples_amplitude();
            if !elsewhere {
                this.take(Source::Channel(c), slots.amplitude, design.geos, layout);
            }
        }
        this
    }

    fn take(&mut self, source: Source, slot: Slot, geos: usize, layout: &Layout) {
        let normal = |g| layout.priors[slot.of(g)].as_normal().is_some();
        if !slot.is_per_geo() || !(0..geos).all(normal) {
            return;
        }
        self.columns.push((source, slot));
        for g in 0..geos {
            self.flags[slot.of(g)] = true;
            self.count += 1;
        }
    }

    /// How many parameters are integrated out.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether this parameter is integrated out.
    pub(crate) fn holds(&self, at: usize) -> bool {
        self.flags[at]
    }
}
