//! What has just failed rests before it is tried again, longer each time, and is complained of once.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::work::Work;
use crate::error::{RunError, chain};

/// The first rest.
const SHORTEST: Duration = Duration::from_secs(5);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(300);

/// The works that have failed.
#[derive(Debug, Default)]
pub(super) struct Resting(HashMap<Work, Rest>);

#[derive(Debug, Default)]
struct Rest {
    until: Option<Instant>,
    length: Duration,
    /// What was last wrong, so that it is said once and not at every try.
    complaint: String,
}

impl Resting {
    /// Whether the work is to wait.
    pub(super) fn rests(&self, work: &Work, now: Instant) -> bool {
        let until = self.0.get(work).and_then(|rest| rest.until);
        until.is_some_and(|until| now < until)
    }

    /// The work has failed: it rests twice as long as the last time.
    pub(super) fn failed(&mut self, work: &Work, error: &RunError, now: Instant) {
        self.complain(work, error);
        let rest = self.0.entry(work.clone()).or_default();
        rest.length = (rest.length * 2).clamp(SHORTEST, LONGEST);
        rest.until = Some(now + rest.length);
    }

    /// Says what is wrong, unless that was the last thing said of this work.
    pub(super) fn complain(&mut self, work: &Work, error: &RunError) {
        let error = chain(error);
        let rest = self.0.entry(work.clone()).or_default();
        if rest.complaint != error {
            match work {
                Work::Dag(dag) => tracing::error!(dag, error, "cannot be run on its schedule"),
                Work::Run(run) => tracing::error!(run, error, "cannot be taken over"),
            }
            rest.complaint = error;
        }
    }

    /// The work has succeeded.
    pub(super) fn well(&mut self, work: &Work) {
        self.0.remove(work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_up_to_a_limit_and_end_with_a_success() {
        let (mut resting, work) = (Resting::default(), Work::Dag("daily".to_owned()));
        let now = Instant::now();
        assert!(!resting.rests(&work, now));
        for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
            resting.failed(&work, &RunError::Deposed, now);
            let until = now + Duration::from_secs(seconds);
            assert!(resting.rests(&work, until - Duration::from_millis(1)));
            assert!(!resting.rests(&work, until));
        }
        assert!(!resting.rests(&Work::Run("daily".to_owned()), now));
        resting.well(&work);
        assert!(!resting.rests(&work, now));
    }
}
