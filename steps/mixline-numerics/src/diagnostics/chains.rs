//! Draws of one quantity, chain by chain.

use std::fmt;

/// Draws of one quantity: at least one chain, all of the same length, of four draws or more, and
/// every draw finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Chains(Vec<Vec<f64>>);

/// Draws that no diagnostic is defined for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainsError {
    /// There is no chain.
    Empty,
    /// Chains have different lengths.
    Ragged,
    /// Chains are shorter than four draws.
    Short,
    /// A draw is NaN or infinite: chain and place, from 0.
    NotFinite(usize, usize),
}

impl std::error::Error for ChainsError {}

impl fmt::Display for ChainsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there are no chains"),
            Self::Ragged => f.write_str("the chains have different lengths"),
            Self::Short => f.write_str("a chain needs four draws or more"),
            Self::NotFinite(chain, draw) => {
                write!(f, "draw {draw} of chain {chain} is not a finite number")
            }
        }
    }
}

impl Chains {
    /// Draws by chain.
    ///
    /// # Errors
    /// [`ChainsError`], the first that holds.
    pub fn new(chains: Vec<Vec<f64>>) -> Result<Self, ChainsError> {
        let length = chains.first().ok_or(ChainsError::Empty)?.len();
        if chains.iter().any(|chain| chain.len() != length) {
            return Err(ChainsError::Ragged);
        }
        if length < 4 {
            return Err(ChainsError::Short);
        }
        for (place, chain) in chains.iter().enumerate() {
            if let Some(draw) = chain.iter().position(|draw| !draw.is_finite()) {
                return Err(ChainsError::NotFinite(place, draw));
            }
        }
        Ok(Self(chains))
    }

    /// The chains.
    #[must_use]
    pub fn chains(&self) -> &[Vec<f64>] {
        &self.0
    }

    /// Every draw, chain after chain.
    pub fn draws(&self) -> impl Iterator<Item = f64> {
        self.0.iter().flatten().copied()
    }

    /// Number of draws in all chains.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len() * self.0[0].len()
    }

    /// Never: there are draws.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Each chain's first and second half as chains of their own; of an odd number of draws the
    /// middle one is left out.
    pub(super) fn split(&self) -> Self {
        let half = self.0[0].len() / 2;
        let halves = self
            .0
            .iter()
            .flat_map(|chain| [chain[..half].to_vec(), chain[chain.len() - half..].to_vec()]);
        Self(halves.collect())
    }

    /// The same chains with other draws.
    pub(super) fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        let chain = |chain: &Vec<f64>| chain.iter().map(|draw| change(*draw)).collect();
        Self(self.0.iter().map(chain).collect())
    }

    /// The same shape, filled from draws in order.
    pub(super) fn refilled(&self, draws: &[f64]) -> Self {
        Self(draws.chunks(self.0[0].len()).map(<[f64]>::to_vec).collect())
    }
}

/// Arithmetic mean.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Variance with divisor `n − 1`.
pub(super) fn variance(values: &[f64]) -> f64 {
    let center = mean(values);
    let squares: f64 = values.iter().map(|value| (value - center).powi(2)).sum();
    squares / (values.len() as f64 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_without_a_meaning_are_refused_with_the_place() {
        assert_eq!(Chains::new(Vec::new()), Err(ChainsError::Empty));
        assert_eq!(
            Chains::new(vec![vec![0.0; 4], vec![0.0; 5]]),
            Err(ChainsError::Ragged)
        );
        assert_eq!(Chains::new(vec![vec![0.0; 3]]), Err(ChainsError::Short));
        let broken = vec![vec![0.0; 4], vec![0.0, f64::NAN, 0.0, 0.0]];
        assert_eq!(Chains::new(broken), Err(ChainsError::NotFinite(1, 1)));
    }

    #[test]
    fn an_odd_chain_loses_its_middle_draw_when_it_is_split() {
        let chains = Chains::new(vec![vec![1.0, 2.0, 3.0, 4.0, 5.0]]).unwrap();
        assert_eq!(chains.split().chains(), [vec![1.0, 2.0], vec![4.0, 5.0]]);
    }
}
