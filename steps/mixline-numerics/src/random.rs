//! Random streams: every chain, bootstrap or test takes its own from one seed.

use rand::SeedableRng as _;
pub use rand_chacha::ChaCha8Rng as Stream;

/// The stream `index` of `seed`: streams do not overlap, and none depends on which thread uses it.
#[must_use]
pub fn stream(seed: u64, index: u64) -> Stream {
    let mut rng = Stream::seed_from_u64(seed);
    rng.set_stream(index);
    rng
}

/// One standard normal draw.
pub fn standard_normal(rng: &mut Stream) -> f64 {
    use rand_distr::Distribution as _;
    rand_distr::StandardNormal.sample(rng)
}

/// One uniform draw from [0, 1).
pub fn uniform(rng: &mut Stream) -> f64 {
    use rand_distr::Distribution as _;
    rand_distr::StandardUniform.sample(rng)
}

/// One whole number below `n`; 0 when `n` is 0.
pub fn below(rng: &mut Stream, n: usize) -> usize {
    ((uniform(rng) * n as f64) as usize).min(n.saturating_sub(1))
}
