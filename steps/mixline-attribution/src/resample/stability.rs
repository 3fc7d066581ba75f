//! How much a method's answer depends on which customers happened to be there.

/// Stability of a method's ranking and shares under resampling.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stability {
    /// Mean overlap of the shares of a resample with the shares of all data: 1 when they are
    /// always the same, 0 when they never meet.
    pub overlap: f64,
    /// By channel: share of resamples in which it keeps its rank.
    pub keeps_rank: Vec<f64>,
}

/// Compares the credit of all data with the credit of resamples, both by channel.
///
/// ```text
/// overlap = mean over resamples of Σ min(share, share in the resample)
/// ```
///
/// Ties of rank go to the channel that comes first, in both.
#[must_use]
pub fn stability(credit: &[f64], resamples: &[Vec<f64>]) -> Stability {
    let ranks = ranks(credit);
    let shares = normalized(credit);
    let mut keeps_rank = vec![0.0; credit.len()];
    let mut overlap = 0.0;
    for resample in resamples {
        for (keeps, (one, other)) in keeps_rank
            .iter_mut()
            .zip(ranks.iter().zip(self::ranks(resample)))
        {
            *keeps += f64::from(u8::from(*one == other));
        }
        let pairs = shares.iter().zip(normalized(resample));
        overlap += pairs.map(|(one, other)| one.min(other)).sum::<f64>();
    }
    let n = resamples.len().max(1) as f64;
    Stability {
        overlap: overlap / n,
        keeps_rank: keeps_rank.into_iter().map(|keeps| keeps / n).collect(),
    }
}

/// The rank of each entry, 0 for the largest.
fn ranks(of: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..of.len()).collect();
    order.sort_by(|&a, &b| of[b].total_cmp(&of[a]));
    let mut ranks = vec![0; of.len()];
    for (rank, at) in order.into_iter().enumerate() {
        ranks[at] = rank;
    }
    ranks
}

fn normalized(of: &[f64]) -> Vec<f64> {
    let total: f64 = of.iter().sum();
    let share = |x: &f64| if total > 0.0 { x / total } else { 0.0 };
    of.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_answer_every_time_is_stable_and_swapped_ranks_are_not() {
        let same = stability(&[3.0, 1.0], &[vec![6.0, 2.0], vec![3.0, 1.0]]);
        assert_eq!(same.keeps_rank, [1.0, 1.0]);
        assert!((same.overlap - 1.0).abs() < 1e-15);
        let swapped = stability(&[3.0, 1.0], &[vec![1.0, 3.0], vec![3.0, 1.0]]);
        assert_eq!(swapped.keeps_rank, [0.5, 0.5]);
        assert!((swapped.overlap - 0.75).abs() < 1e-15);
    }
}
