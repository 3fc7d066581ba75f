use mixline_schema::catalog::{PosteriorSummary, SamplerStats};

use super::*;

fn summary(parameter: &str, r_hat: f64, ess: f64) -> PosteriorSummary {
    PosteriorSummary {
        parameter: parameter.to_owned(),
        mean: 0.0,
        sd: 1.0,
        q05: -1.6,
        q25: -0.7,
        q50: 0.0,
        q75: 0.7,
        q95: 1.6,
        mcse_mean: Some(0.01),
        ess_bulk: Some(ess),
        ess_tail: Some(ess),
        r_hat: Some(r_hat),
    }
}

fn draw(draw: i64, diverging: bool) -> SamplerStats {
    SamplerStats {
        chain: draw % 2,
        draw,
        energy: ((draw * 37) % 11) as f64,
        diverging,
        steps: 7,
        depth_reached: false,
    }
}

fn verdicts(summary: &[PosteriorSummary], sampler: &[SamplerStats]) -> Vec<(String, Verdict)> {
    let mut findings = Vec::new();
    convergence::check(&Config::default(), summary, sampler, &mut findings);
    finding::overall(&mut findings);
    let named = |finding: Finding| {
        (
            format!("{} {}", finding.check, finding.subject),
            finding.verdict,
        )
    };
    findings.into_iter().map(named).collect()
}

fn of(verdicts: &[(String, Verdict)], name: &str) -> Option<Verdict> {
    verdicts
        .iter()
        .find(|(own, _)| own == name)
        .map(|(_, verdict)| *verdict)
}

#[test]
fn a_good_fit_passes_and_names_nobody() {
    let sampler: Vec<SamplerStats> = (0..400).map(|at| draw(at, false)).collect();
    let found = verdicts(
        &[summary("a", 1.001, 900.0), summary("b", 1.0, 2000.0)],
        &sampler,
    );
    assert!(
        found.iter().all(|(_, verdict)| *verdict == Verdict::Pass),
        "{found:?}"
    );
    assert_eq!(found.len(), 7, "{found:?}");
}

#[test]
fn parameters_beyond_a_limit_are_named_and_the_worst_decides() {
    let sampler: Vec<SamplerStats> = (0..400).map(|at| draw(at, at == 9)).collect();
    let found = verdicts(
        &[summary("a", 1.2, 50.0), summary("b", 1.02, 300.0)],
        &sampler,
    );
    assert_eq!(of(&found, "convergence.r_hat a"), Some(Verdict::Fail));
    assert_eq!(of(&found, "convergence.r_hat b"), Some(Verdict::Review));
    assert_eq!(of(&found, "convergence.ess_bulk "), Some(Verdict::Fail));
    assert_eq!(
        of(&found, "convergence.divergences "),
        Some(Verdict::Review)
    );
    assert_eq!(of(&found, "verdict "), Some(Verdict::Fail));
}

#[test]
fn nan_is_never_a_pass() {
    assert_eq!(Verdict::at_most(f64::NAN, 1.0, 2.0), Verdict::Fail);
    assert_eq!(Verdict::at_least(f64::NAN, 1.0, 0.5), Verdict::Fail);
    assert_eq!(Verdict::at_least(0.7, 1.0, 0.5), Verdict::Review);
}

#[test]
fn limits_the_wrong_way_round_are_refused() {
    let config = Config {
        r_hat: 1.5,
        ..Config::default()
    };
    assert!(
        Diagnose::validate(&config)
            .unwrap_err()
            .chain()
            .contains("`r_hat`")
    );
}
