//! A model of conversions: what the next touch will do, given those before it.
//!
//! Each touch opens an interval that ends with the next touch or the end of the journey. The model
//! says how likely a conversion is in it (a discrete-time survival model with a logit link):
//!
//! ```text
//! logit h[k] = base + own[channel of k] + Σ carry[c] · D[c, k]
//!                                         c
//! D[c, k]    = Σ u[i] · 2^(−(age[i] − age[k]) / half_life)    over touches i < k of channel c
//! P          = 1 − Π (1 − h[k])
//! ```
//!
//! Converting and non-converting journeys are looked at from the same moments, the touches, so no
//! journey is told apart by how long ago it ended. `carry` is 0 or more: a touch may help later
//! ones or not, and no coalition of touches converts less than a part of it.
//!
//! ```text
//! exposure.rs   journeys ─► rows, one per touch
//! fit.rs        rows     ─► model            penalized likelihood, projected Newton
//! counterfactual.rs      ─► credit           removal (data-driven) and Shapley (incremental)
//! ```
//!
//! Reference: Cox (1972) and Singer and Willett (1993) on discrete-time survival; Shao and Li (2011),
//! "Data-driven multi-touch attribution models"; Dalessandro et al. (2012), "Causally motivated
//! attribution for online advertising"; Zhang, Wei and Ren (2014) on decaying effects of touches.

mod counterfactual;
mod exposure;
mod fit;

pub use counterfactual::{DataDriven, IncrementalShapley};
pub use fit::{ConversionModel, FitError, FitOptions, Fitted, Quality, fit};
