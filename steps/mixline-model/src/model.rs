//! A model: specification and data, checked and laid out.

use crate::design::{Design, Scales};
use crate::error::ModelError;
use crate::layout::Layout;
use crate::panel::Panel;
use crate::posterior::calibration::Calibration;
use crate::posterior::integrated::Integrated;
use crate::spec::{Link, ModelSpec, ScaleMethod};

/// A marketing-mix model, ready to be fitted or evaluated.
#[derive(Debug, Clone)]
pub struct Model {
    /// What was asked for.
    pub spec: ModelSpec,
    /// The data in original units.
    pub panel: Panel,
    /// The data as the density sees them.
    pub design: Design,
    /// Where every parameter sits.
    pub layout: Layout,
    /// Response priors and lift tests.
    pub(crate) calibration: Calibration,
    /// Coefficients by geo that the sampler need not visit.
    pub(crate) integrated: Integrated,
    /// Pairs of channels with a synergy.
    pub(crate) synergies: Vec<[usize; 2]>,
}

impl Model {
    /// Checks specification and data, and lays out the parameters.
    ///
    /// # Errors
    /// [`ModelError`], naming the series, prior or setting.
    pub fn new(spec: ModelSpec, panel: Panel) -> Result<Self, ModelError> {
        panel.validate()?;
        let scales = Scales::of(&spec, &panel);
        Self::with_scales(spec, panel, &scales)
    }

    /// The same with the scales of an earlier fit, so that its parameters keep their meaning.
    ///
    /// # Errors
    /// As [`new`](Self::new), and [`ModelError::Setting`] for scales of another panel.
    pub fn with_scales(spec: ModelSpec, panel: Panel, scales: &Scales) -> Result<Self, ModelError> {
        panel.validate()?;
        if !scales.fits(&panel) {
            let reason = "the scales belong to other geos or channels than the data have";
            return Err(ModelError::setting("scaling", reason));
        }
        check_settings(&spec)?;
        check_names(&spec, &panel)?;
        check_link(&spec, &panel)?;
        let design = Design::with_scales(&spec, &panel, scales);
        let mut layout = Layout::new(&spec, &panel, &design)?;
        let calibration = Calibration::new(&spec, &panel, &design, &mut layout)?;
        let index = |name: &String| {
            panel
                .channels
                .iter()
                .position(|channel| channel.name == *name)
        };
        let pair = |[a, b]: &[String; 2]| Some([index(a)?, index(b)?]);
        let synergies: Vec<[usize; 2]> = spec.synergies.iter().filter_map(pair).collect();
        let integrated = Integrated::new(&spec, &design, &layout, &calibration, &synergies);
        Ok(Self {
            spec,
            panel,
            design,
            layout,
            calibration,
            integrated,
            synergies,
        })
    }

    /// Index of a channel by name.
    #[must_use]
    pub fn channel(&self, name: &str) -> Option<usize> {
        self.panel
            .channels
            .iter()
            .position(|channel| channel.name == name)
    }

    /// How many parameters the sampler visits; the others are drawn exactly, given these.
    #[must_use]
    pub fn sampled(&self) -> usize {
        self.layout.len() - self.integrated.count()
    }
}

fn check_settings(spec: &ModelSpec) -> Result<(), ModelError> {
    let channels = spec.media.channels.iter();
    let lengths = channels
        .filter_map(|(name, own)| Some((format!("media.channels.{name}.l_max"), own.l_max?)));
    for (key, l_max) in lengths.chain([("media.l_max".to_owned(), spec.media.l_max)]) {
        if l_max == 0 || l_max > 520 {
            return Err(ModelError::setting(
                key,
                format!("{l_max} is not between 1 and 520"),
            ));
        }
    }
    let drift = &spec.media.time_varying;
    for (key, knots) in [
        ("baseline.knots.count", &spec.baseline.knots),
        ("media.time_varying.count", drift),
    ] {
        if knots.as_ref().is_some_and(|knots| knots.count < 2) {
            return Err(ModelError::setting(key, "needs at least 2 knots"));
        }
    }
    if drift.is_some() && !(spec.response_priors.is_empty() && spec.lift_tests.is_empty()) {
        let reason = "cannot be combined with response priors or lift tests";
        return Err(ModelError::setting("media.time_varying", reason));
    }
    for (key, scale) in [
        ("outcome", &spec.scaling.outcome),
        ("media", &spec.scaling.media),
    ] {
        if let ScaleMethod::Fixed(value) = scale.method
            && !(value.is_finite() && value > 0.0)
        {
            let key = format!("scaling.{key}.method.fixed");
            return Err(ModelError::setting(key, format!("{value} is not above 0")));
        }
    }
    Ok(())
}

fn check_names(spec: &ModelSpec, panel: &Panel) -> Result<(), ModelError> {
    let channels: Vec<&str> = panel
        .channels
        .iter()
        .map(|channel| channel.name.as_str())
        .collect();
    let controls: Vec<&str> = panel
        .controls
        .iter()
        .map(|control| control.name.as_str())
        .collect();
    let check = |key: String, name: &str, known: &[&str]| {
        if known.contains(&name) {
            Ok(())
        } else {
            Err(ModelError::unknown(key, name, known.iter().copied()))
        }
    };
    for name in spec.media.channels.keys() {
        check("media.channels".into(), name, &channels)?;
    }
    for name in spec.response_priors.keys() {
        check("response_priors".into(), name, &channels)?;
    }
    for name in spec.synergies.iter().flatten() {
        check("synergies".into(), name, &channels)?;
    }
    for name in spec.baseline.treatments.keys() {
        check("baseline.treatments".into(), name, &controls)?;
    }
    let geos: Vec<&str> = panel.geos.iter().map(String::as_str).collect();
    for test in &spec.lift_tests {
        for name in test.factors.keys() {
            check(format!("lift_tests.{}.factors", test.name), name, &channels)?;
        }
        for name in &test.geos {
            check(format!("lift_tests.{}.geos", test.name), name, &geos)?;
        }
    }
    Ok(())
}

/// A log link needs an outcome above zero, and has no additive response to put priors on.
fn check_link(spec: &ModelSpec, panel: &Panel) -> Result<(), ModelError> {
    if spec.likelihood.link == Link::Identity {
        return Ok(());
    }
    if !spec.response_priors.is_empty() || !spec.lift_tests.is_empty() {
        let reason = "a log link cannot be combined with response priors or lift tests";
        return Err(ModelError::setting("likelihood.link", reason));
    }
    if spec.likelihood.family == crate::spec::Family::TruncatedNormal {
        let reason = "a log link is never negative already; use `normal` or `student_t`";
        return Err(ModelError::setting("likelihood.family", reason));
    }
    for g in 0..panel.geos.len() {
        for t in (0..panel.periods()).filter(|&t| panel.fitted(g, t)) {
            let value = panel.outcome[g * panel.periods() + t];
            if value <= 0.0 {
                let (geo, date) = (&panel.geos[g], panel.dates[t]);
                let reason = format!(
                    "the outcome is {value} in `{geo}` at {date}, and a log link needs it above 0"
                );
                return Err(ModelError::setting("likelihood.link", reason));
            }
        }
    }
    Ok(())
}
