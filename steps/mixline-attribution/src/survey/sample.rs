//! A sample of journeys: those of customers whose hash is low enough.

use crate::journey::{Journey, Journeys};
use crate::resample::mixed;

/// Journeys of a random part of all customers, with all journeys of each.
///
/// While there is room every customer is in; each time it runs out, half of them leave. Which
/// customers are in follows from who they are, not from the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    capacity: usize,
    journeys: Journeys,
    /// Customers are in when this many of the highest bits of their hash are 0.
    halvings: u32,
}

impl Sample {
    /// A sample of at most `capacity` journeys.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, journey: &Journey<'_>) {
        if self.capacity == 0 || !self.holds(journey.outcome.customer) {
            return;
        }
        self.journeys
            .push(journey.touches.iter().copied(), journey.outcome);
        while self.journeys.len() > self.capacity && self.halvings < 63 {
            self.halve();
        }
    }

    /// Whether a customer is in the sample.
    #[must_use]
    pub fn holds(&self, customer: u64) -> bool {
        // Another hash than that of the groups: every group has customers in the sample.
        mixed(mixed(customer)).leading_zeros() >= self.halvings
    }

    fn halve(&mut self) {
        self.halvings += 1;
        let mut kept = Journeys::new();
        for journey in self
            .journeys
            .iter()
            .filter(|one| self.holds(one.outcome.customer))
        {
            kept.push(journey.touches.iter().copied(), journey.outcome);
        }
        self.journeys = kept;
    }

    /// The journeys in the sample.
    #[must_use]
    pub fn journeys(&self) -> &Journeys {
        &self.journeys
    }

    /// The share of customers in the sample: 1, 1/2, 1/4, …
    #[must_use]
    pub fn share(&self) -> f64 {
        0.5_f64.powi(i32::try_from(self.halvings).unwrap_or(i32::MAX))
    }
}
