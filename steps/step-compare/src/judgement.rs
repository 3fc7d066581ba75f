//! Whom to trust about a channel.

use mixline_model::response::Interval;
use mixline_model_tables::Verdict;

use crate::Config;

/// What is known of a channel.
pub(crate) struct Facts {
    pub(crate) verdict: Verdict,
    pub(crate) attribution_share: f64,
    /// Share by the model.
    pub(crate) share: Interval,
    pub(crate) contribution: Interval,
}

/// What follows.
#[derive(Debug, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) disagreement: f64,
    pub(crate) unstable: bool,
    pub(crate) trust: &'static str,
    pub(crate) reason: String,
}

pub(crate) fn judge(config: &Config, facts: &Facts) -> Judgement {
    let (a, m) = (facts.attribution_share, facts.share.mean);
    let larger = a.abs().max(m.abs());
    let disagreement = if larger > 0.0 {
        ((a - m).abs() / larger).min(1.0)
    } else {
        0.0
    };
    let (trust, reason) = trusted(config, facts);
    Judgement {
        disagreement,
        unstable: disagreement > config.threshold,
        trust,
        reason,
    }
}

fn trusted(config: &Config, facts: &Facts) -> (&'static str, String) {
    let Facts {
        share,
        contribution,
        ..
    } = facts;
    let a = facts.attribution_share;
    let percent = |x: f64| format!("{:.0} %", 100.0 * x);
    let range = format!("{} to {}", percent(share.q05), percent(share.q95));
    let width = (contribution.q95 - contribution.q05) / contribution.mean.abs();
    if facts.verdict == Verdict::Fail {
        let text = "The model failed its checks, so attribution is all there is; it misses carry-over and what clicks cannot show.";
        return ("attribution", text.to_owned());
    }
    if share.q05 <= a && a <= share.q95 {
        let text = format!(
            "Attribution's {} lies within the model's 90 % interval ({range}): the model for the channel's budget, attribution for campaigns within it.",
            percent(a)
        );
        return ("both", text);
    }
    if width.is_nan() || width > config.widest {
        let text = format!(
            "They differ ({} against {range}), and the model is unsure itself: a lift test would settle it.",
            percent(a)
        );
        return ("test", text);
    }
    let direction = if share.mean > a {
        "under-credits"
    } else {
        "over-credits"
    };
    let text = format!(
        "Attribution {direction} the channel: {} against {range} by the model, which also sees carry-over and what happens without clicks.",
        percent(a)
    );
    ("model", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(verdict: Verdict, attribution_share: f64, contribution: (f64, f64)) -> Facts {
        let share = Interval {
            mean: 0.3,
            q05: 0.2,
            q25: 0.25,
            q50: 0.3,
            q75: 0.35,
            q95: 0.4,
        };
        Facts {
            verdict,
            attribution_share,
            share,
            contribution: Interval {
                mean: 100.0,
                q05: contribution.0,
                q95: contribution.1,
                ..Interval::default()
            },
        }
    }

    #[test]
    fn every_border_of_trust() {
        let (narrow, wide) = ((80.0, 120.0), (10.0, 200.0));
        for (verdict, share, contribution, trust) in [
            (Verdict::Fail, 0.3, narrow, "attribution"),
            (Verdict::Pass, 0.2, narrow, "both"),
            (Verdict::Pass, 0.4, wide, "both"),
            (Verdict::Review, 0.41, narrow, "model"),
            (Verdict::Pass, 0.19, narrow, "model"),
            (Verdict::Pass, 0.19, wide, "test"),
        ] {
            let judged = judge(&Config::default(), &facts(verdict, share, contribution));
            assert_eq!(judged.trust, trust, "{share} {contribution:?}");
        }
    }

    #[test]
    fn disagreement_is_flagged_above_the_threshold_only() {
        let config = Config {
            threshold: 0.5,
            ..Config::default()
        };
        let at = |share: f64| judge(&config, &facts(Verdict::Pass, share, (80.0, 120.0)));
        assert_eq!(at(0.3).disagreement, 0.0);
        assert!(!at(0.15).unstable && at(0.15).disagreement == 0.5);
        assert!(at(0.149).unstable);
        assert!((at(0.0).disagreement - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_contribution_around_zero_is_no_reason_to_overrule() {
        let mut unclear = facts(Verdict::Pass, 0.9, (-5.0, 5.0));
        unclear.contribution.mean = 0.0;
        assert_eq!(judge(&Config::default(), &unclear).trust, "test");
    }
}
