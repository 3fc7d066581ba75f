//! From a specification to blocks of parameters with priors.

use std::collections::{BTreeMap, BTreeSet};

use mixline_numerics::distribution::Family as Distributions;
use mixline_numerics::transform::Transform;

use super::{Arg, Block, ChannelSlots, ElementPrior, Layout, Slot, defaults};
use crate::design::Design;
use crate::error::ModelError;
use crate::panel::Panel;
use crate::spec::{Argument, Family, ModelSpec, Prior, PriorError, canonical, default};

impl Layout {
    /// Lays out the parameters of `spec` for the geos, channels and terms of a panel.
    ///
    /// # Errors
    /// [`ModelError`] for a prior that makes no sense, or one for a parameter that is not there.
    pub fn new(spec: &ModelSpec, panel: &Panel, design: &Design) -> Result<Self, ModelError> {
        let mut builder = Builder::new(spec, panel);
        let terms = builder.terms(design)?;
        let channels = builder.channels(panel, design)?;
        let drift = builder.drift(design)?;
        let synergies = builder.synergies()?;
        let likelihood = "likelihood";
        let sigma = builder.single("y_sigma", likelihood, &defaults::sigma())?;
        let nu = match spec.likelihood.family {
            Family::StudentT => Some(builder.single("y_nu", likelihood, &defaults::nu())?),
            _ => None,
        };
        builder.refuse_unused_priors()?;
        let Builder {
            blocks,
            priors,
            transforms,
            ..
        } = builder;
        Ok(Self {
            blocks,
            priors,
            transforms,
            channels,
            terms,
            drift,
            synergies,
            sigma,
            nu,
        })
    }
}

/// One parameter of a block on its way: its label and its default prior.
struct Wanted {
    label: String,
    default: Prior,
}

struct Builder<'a> {
    spec: &'a ModelSpec,
    geos: &'a [String],
    blocks: Vec<Block>,
    priors: Vec<ElementPrior>,
    transforms: Vec<Transform>,
    used: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl<'a> Builder<'a> {
    fn new(spec: &'a ModelSpec, panel: &'a Panel) -> Self {
        Self {
            spec,
            geos: &panel.geos,
            blocks: Vec::new(),
            priors: Vec::new(),
            transforms: Vec::new(),
            used: BTreeSet::new(),
            names: BTreeSet::new(),
        }
    }

    fn is_panel(&self) -> bool {
        self.geos.len() > 1
    }

    fn terms(&mut self, design: &Design) -> Result<Vec<Slot>, ModelError> {
        let mut slots = Vec::with_capacity(design.terms.len());
        for group in design.terms.chunk_by(|a, b| a.block == b.block) {
            let block = group[0].block;
            if block == "intercept_contribution" {
                let default = if self.is_panel() {
                    defaults::pooled_intercept()
                } else {
                    defaults::intercept()
                };
                slots.push(self.single(block, "", &default)?);
                continue;
            }
            let wanted = |label: &String| Wanted {
                label: label.clone(),
                default: defaults::term(block, label),
            };
            let wanted: Vec<Wanted> = group.iter().map(|term| wanted(&term.label)).collect();
            let dim = block.strip_prefix("gamma_").unwrap_or(block);
            slots.extend(self.block(block, dim, &wanted)?);
        }
        Ok(slots)
    }

    fn channels(
        &mut self,
        panel: &Panel,
        design: &Design,
    ) -> Result<Vec<ChannelSlots>, ModelError> {
        // Name of a parameter → the channels that have it, with default priors.
        let mut wanted: Vec<(String, Vec<(usize, Wanted)>)> = Vec::new();
        let mut want = |name: String, channel: usize, default: Prior| {
            let label = panel.channels[channel].name.clone();
            let entry = (channel, Wanted { label, default });
            match wanted.iter_mut().find(|(known, _)| *known == name) {
                Some((_, entries)) => entries.push(entry),
                None => wanted.push((name, vec![entry])),
            }
        };
        let pooled = self.is_panel();
        for (c, kernel) in design.kernels.iter().enumerate() {
            for name in kernel.adstock.parameter_names() {
                want(
                    format!("adstock_{name}"),
                    c,
                    defaults::adstock(kernel.adstock, name),
                );
            }
        }
        for (c, kernel) in design.kernels.iter().enumerate() {
            let kind = kernel.saturation;
            for name in kind.shape_names() {
                want(format!("saturation_{name}"), c, defaults::shape(kind, name));
            }
            let amplitude = if pooled && !kind.couples_amplitude() {
                defaults::pooled_amplitude(kind)
            } else {
                defaults::amplitude(kind)
            };
            want(
                format!("saturation_{}", kind.amplitude_name()),
                c,
                amplitude,
            );
        }
        let mut found: BTreeMap<(usize, String), Slot> = BTreeMap::new();
        for (name, entries) in wanted {
            let (owners, wanted): (Vec<usize>, Vec<Wanted>) = entries.into_iter().unzip();
            for (owner, slot) in owners
                .into_iter()
                .zip(self.block(&name, "channel", &wanted)?)
            {
                found.insert((owner, name.clone()), slot);
            }
        }
        let slot = |c: usize, name: String| found.get(&(c, name)).copied();
        let lay = |(c, kernel): (usize, &crate::kernel::MediaKernel)| {
            let (adstock, kind) = (kernel.adstock.parameter_names(), kernel.saturation);
            let name = |prefix: &str, names: &[&str], i: usize| {
                names
                    .get(i)
                    .and_then(|name| slot(c, format!("{prefix}_{name}")))
            };
            let amplitude = slot(c, format!("saturation_{}", kind.amplitude_name()))?;
            Some(ChannelSlots {
                amplitude,
                shape: std::array::from_fn(|i| name("saturation", kind.shape_names(), i)),
                adstock: std::array::from_fn(|i| name("adstock", adstock, i)),
            })
        };
        Ok(design.kernels.iter().enumerate().filter_map(lay).collect())
    }

    fn drift(&mut self, design: &Design) -> Result<Vec<Slot>, ModelError> {
        let wanted: Vec<Wanted> = (1..=design.drift.len())
            .map(|knot| Wanted {
                label: format!("knot_{knot}"),
                default: defaults::drift(),
            })
            .collect();
        self.block("media_drift", "knot", &wanted)
    }

    fn synergies(&mut self) -> Result<Vec<Slot>, ModelError> {
        let wanted: Vec<Wanted> = self
            .spec
            .synergies
            .iter()
            .map(|[a, b]| Wanted {
                label: format!("{a}:{b}"),
                default: defaults::synergy(),
            })
            .collect();
        self.block("gamma_synergy", "synergy", &wanted)
    }

    fn single(&mut self, name: &str, dim: &str, default: &Prior) -> Result<Slot, ModelError> {
        let wanted = Wanted {
            label: String::new(),
            default: default.clone(),
        };
        let slots = self.block(name, dim, std::slice::from_ref(&wanted))?;
        Ok(slots[0])
    }

    /// Adds the parameters `wanted`; those with a value per geo form a block of their own.
    fn block(&mut self, name: &str, dim: &str, wanted: &[Wanted]) -> Result<Vec<Slot>, ModelError> {
        self.names.insert(name.to_owned());
        let priors: Vec<Prior> = wanted
            .iter()
            .map(|wanted| self.prior(name, wanted))
            .collect();
        let mut slots = vec![Slot { base: 0, stride: 0 }; wanted.len()];
        for per_geo in [false, true] {
            let chosen: Vec<usize> = (0..wanted.len())
                .filter(|&i| priors[i].has_geo() == per_geo)
                .collect();
            if !chosen.is_empty() {
                self.part(name, dim, wanted, &priors, &chosen, per_geo, &mut slots)?;
            }
        }
        Ok(slots)
    }

    /// The configured prior of a parameter, by element, by name, or the default.
    fn prior(&mut self, name: &str, wanted: &Wanted) -> Prior {
        let element = format!("{name}[{}]", wanted.label);
        self.names.insert(element.clone());
        for key in [element.as_str(), name] {
            if let Some(prior) = self.spec.priors.get(key) {
                self.used.insert(key.to_owned());
                return prior.clone();
            }
        }
        wanted.default.clone()
    }

    #[expect(clippy::too_many_arguments, reason = "one block's facts, used once")]
    fn part(
        &mut self,
        name: &str,
        dim: &str,
        wanted: &[Wanted],
        priors: &[Prior],
        chosen: &[usize],
        per_geo: bool,
        slots: &mut [Slot],
    ) -> Result<(), ModelError> {
        let labels: Vec<String> = chosen.iter().map(|&i| wanted[i].label.clone()).collect();
        let mut elements = Vec::with_capacity(chosen.len());
        for &i in chosen {
            elements.push(if priors[i].is_hierarchical() {
                self.linked(name, dim, &wanted[i].label, &priors[i], i)?
            } else {
                let distribution = priors[i].fixed(name, i)?;
                (ElementPrior::Fixed(distribution), distribution.transform())
            });
        }
        let mut dims = Vec::new();
        if per_geo {
            dims.push(("geo".to_owned(), self.geos.to_vec()));
        }
        if labels.iter().any(|label| !label.is_empty()) {
            dims.push((dim.to_owned(), labels));
        }
        let copies = if per_geo { self.geos.len() } else { 1 };
        let offset = self.priors.len();
        let len = copies * elements.len();
        self.blocks.push(Block {
            name: name.to_owned(),
            dims,
            offset,
            len,
        });
        for _ in 0..copies {
            for (prior, transform) in &elements {
                self.priors.push(*prior);
                self.transforms.push(*transform);
            }
        }
        let stride = if per_geo { elements.len() } else { 0 };
        for (position, &i) in chosen.iter().enumerate() {
            slots[i] = Slot {
                base: offset + position,
                stride,
            };
        }
        Ok(())
    }

    /// A prior whose parameters are estimated: adds the hyperparameters, or finds them.
    fn linked(
        &mut self,
        name: &str,
        dim: &str,
        label: &str,
        prior: &Prior,
        element: usize,
    ) -> Result<(ElementPrior, Transform), ModelError> {
        let family = prior.family(name)?;
        let mut args = [Arg::Number(0.0); 4];
        let mut unknown: BTreeSet<&str> =
            prior.parameters.keys().map(|key| canonical(key)).collect();
        for (arg, &parameter) in args.iter_mut().zip(family.parameter_names()) {
            unknown.remove(parameter);
            let given = prior
                .parameters
                .iter()
                .find(|(key, _)| canonical(key) == parameter);
            *arg = match given.map(|(_, argument)| argument) {
                Some(Argument::Number(value)) => Arg::Number(*value),
                Some(Argument::List(values)) => {
                    Arg::Number(*values.get(element).ok_or_else(|| {
                        prior.error(name, format!("`{parameter}` has {} values", values.len()))
                    })?)
                }
                Some(Argument::Prior(hyper)) => {
                    let own = hyper.dims.iter().any(|known| known == dim);
                    let label = if own { label } else { "" };
                    Arg::Parameter(self.hyper(
                        &format!("{name}_{parameter}"),
                        dim,
                        label,
                        hyper,
                        element,
                    )?)
                }
                None => Arg::Number(
                    default(family, parameter)
                        .ok_or_else(|| prior.error(name, format!("`{parameter}` is missing")))?,
                ),
            };
        }
        if let Some(unknown) = unknown.first() {
            let reason = format!("`{unknown}` is no parameter of {}", family.name());
            return Err(prior.error(name, reason).into());
        }
        let numbers = args.map(|arg| match arg {
            Arg::Number(value) => value,
            Arg::Parameter(_) => 1.0,
        });
        if matches!(
            family,
            Distributions::TruncatedNormal | Distributions::Uniform
        ) && args[2..]
            .iter()
            .chain(&args[..2])
            .any(|arg| matches!(arg, Arg::Parameter(_)))
        {
            let reason = format!("{} cannot have estimated parameters here", family.name());
            return Err(prior.error(name, reason).into());
        }
        Ok((
            ElementPrior::Linked { family, args },
            family.transform(&numbers),
        ))
    }

    /// The index of a hyperparameter: one per label, or one for all when the label is empty.
    fn hyper(
        &mut self,
        name: &str,
        dim: &str,
        label: &str,
        default: &Prior,
        element: usize,
    ) -> Result<usize, ModelError> {
        self.names.insert(name.to_owned());
        let wanted = Wanted {
            label: label.to_owned(),
            default: default.clone(),
        };
        let prior = self.prior(name, &wanted);
        if prior.is_hierarchical() {
            let reason = "a hyperprior may not have hyperpriors of its own".to_owned();
            return Err(ModelError::Prior(PriorError {
                name: name.to_owned(),
                reason,
            }));
        }
        let known = self.blocks.iter().find(|block| {
            block.name == name
                && block
                    .dims
                    .iter()
                    .all(|(_, labels)| labels == &[label.to_owned()])
                && block.dims.is_empty() == label.is_empty()
        });
        if let Some(block) = known {
            return Ok(block.offset);
        }
        let distribution = prior.fixed(name, element)?;
        let dims = if label.is_empty() {
            Vec::new()
        } else {
            vec![(dim.to_owned(), vec![label.to_owned()])]
        };
        let offset = self.priors.len();
        self.blocks.push(Block {
            name: name.to_owned(),
            dims,
            offset,
            len: 1,
        });
        self.priors.push(ElementPrior::Fixed(distribution));
        self.transforms.push(distribution.transform());
        Ok(offset)
    }

    fn refuse_unused_priors(&self) -> Result<(), ModelError> {
        let unused = self
            .spec
            .priors
            .keys()
            .find(|key| !self.used.contains(*key));
        match unused {
            Some(key) => {
                let known = self.names.iter().filter(|name| !name.ends_with("[]"));
                Err(ModelError::unknown(
                    "priors",
                    key,
                    known.map(String::as_str),
                ))
            }
            None => Ok(()),
        }
    }
}
