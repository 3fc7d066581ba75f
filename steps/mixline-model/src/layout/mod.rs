//! Where every parameter sits: the one place that knows.
//!
//! A model's parameters form blocks (`saturation_beta` by geo and channel); blocks follow each
//! other in one vector. Everything else speaks of parameters by [`Slot`] or by label.

mod build;
mod defaults;
mod element;

pub use element::{Arg, ElementPrior};

use mixline_numerics::transform::Transform;

use crate::kernel::{ADSTOCK_PARAMETERS, SHAPE_PARAMETERS};

/// A named group of parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Name, as PyMC-Marketing has it: `adstock_alpha`, `saturation_beta`, `y_sigma`, …
    pub name: String,
    /// Dimensions by name, with the labels along each; none for a single number.
    pub dims: Vec<(String, Vec<String>)>,
    /// Index of the first element.
    pub offset: usize,
    /// Number of elements: the product of the dimensions.
    pub len: usize,
}

/// Where a parameter of geo g sits: at `base + stride · g`; stride 0 means one for all geos.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Index for geo 0.
    pub base: usize,
    /// Distance between geos.
    pub stride: usize,
}

impl Slot {
    /// The index for geo `g`.
    #[inline]
    #[must_use]
    pub fn of(self, g: usize) -> usize {
        self.base + self.stride * g
    }

    /// Whether every geo has its own.
    #[must_use]
    pub fn is_per_geo(self) -> bool {
        self.stride > 0
    }
}

/// Parameters of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelSlots {
    /// The amplitude.
    pub amplitude: Slot,
    /// Shape parameters of the saturation, in the kind's order.
    pub shape: [Option<Slot>; SHAPE_PARAMETERS],
    /// Parameters of the adstock, in the kind's order.
    pub adstock: [Option<Slot>; ADSTOCK_PARAMETERS],
}

/// All parameters of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// The blocks, in order.
    pub blocks: Vec<Block>,
    /// Prior of each parameter.
    pub priors: Vec<ElementPrior>,
    /// Transform of each parameter.
    pub transforms: Vec<Transform>,
    /// Parameters of each channel, in the panel's order.
    pub channels: Vec<ChannelSlots>,
    /// Coefficient of each linear term, in the design's order.
    pub terms: Vec<Slot>,
    /// Logarithm of the media multiplier at each knot; none when the effect is constant.
    pub drift: Vec<Slot>,
    /// Coefficient of each synergy, in the spec's order.
    pub synergies: Vec<Slot>,
    /// Scale of the likelihood.
    pub sigma: Slot,
    /// Degrees of freedom of a Student-t likelihood.
    pub nu: Option<Slot>,
}

impl Layout {
    /// Number of parameters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.priors.len()
    }

    /// Whether there are none; never the case for a model.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.priors.is_empty()
    }

    /// Label of each parameter: `y_sigma`, `adstock_alpha[tv]`, `saturation_beta[north,tv]`.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let mut labels = Vec::with_capacity(self.len());
        for block in &self.blocks {
            for element in 0..block.len {
                labels.push(block.label(element));
            }
        }
        labels
    }

    /// The block called `name`.
    #[must_use]
    pub fn block(&self, name: &str) -> Option<&Block> {
        self.blocks.iter().find(|block| block.name == name)
    }
}

impl Block {
    /// Label of an element, counted within the block, row by row.
    #[must_use]
    pub fn label(&self, element: usize) -> String {
        if self.dims.is_empty() {
            return self.name.clone();
        }
        let mut rest = element;
        let mut parts: Vec<&str> = Vec::new();
        for (_, labels) in self.dims.iter().rev() {
            parts.push(&labels[rest % labels.len()]);
            rest /= labels.len();
        }
        parts.reverse();
        format!("{}[{}]", self.name, parts.join(","))
    }
}
