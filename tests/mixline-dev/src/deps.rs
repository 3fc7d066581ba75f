//! `cargo dev deps`: who may import whom, as ARCHITECTURE.md says, read from `cargo metadata`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::shell::{cargo, output, root};

/// A crate of ours and what it depends on outside its tests.
type Graph = BTreeMap<String, Vec<String>>;

/// One rule: crates whose name starts with `who` may not depend on crates starting with `what`.
struct Ban {
    who: &'static str,
    what: &'static str,
    except: &'static [&'static str],
    why: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        who: "mixline-schema",
        what: "mixline-",
        except: &[],
        why: "the types know nothing of the rest",
    },
    Ban {
        who: "mixline-numerics",
        what: "mixline-",
        except: &[],
        why: "no marketing in the numerics",
    },
    Ban {
        who: "mixline-model",
        what: "mixline-",
        except: &["mixline-numerics"],
        why: "the mathematics builds alone",
    },
    Ban {
        who: "mixline-attribution",
        what: "mixline-",
        except: &["mixline-numerics"],
        why: "the mathematics builds alone",
    },
    Ban {
        who: "mixline-model",
        what: "polars",
        except: &[],
        why: "the mathematics has no tables",
    },
    Ban {
        who: "mixline-chart",
        what: "mixline-",
        except: &[],
        why: "charts take plain numbers",
    },
    Ban {
        who: "mixline-attribution",
        what: "polars",
        except: &[],
        why: "the mathematics has no tables",
    },
    Ban {
        who: "mixline-attribution",
        what: "tokio",
        except: &[],
        why: "the mathematics does no I/O",
    },
    Ban {
        who: "step-",
        what: "step-",
        except: &[],
        why: "steps meet only in artifacts",
    },
    Ban {
        who: "mixline-plan",
        what: "tokio",
        except: &[],
        why: "planning is pure",
    },
    Ban {
        who: "mixline-plan",
        what: "polars",
        except: &[],
        why: "planning knows no tables",
    },
    Ban {
        who: "mixline-plan",
        what: "mixline-artifact",
        except: &[],
        why: "planning does no I/O",
    },
    Ban {
        who: "mixline-plan",
        what: "step-",
        except: &[],
        why: "a step is known by its descriptor",
    },
    Ban {
        who: "mixline-run",
        what: "step-",
        except: &[],
        why: "a step is known by its descriptor",
    },
    Ban {
        who: "mixline-run",
        what: "mixline-step",
        except: &[],
        why: "a step is known by its descriptor",
    },
    Ban {
        who: "mixline-cli",
        what: "step-",
        except: &[],
        why: "a step is known by its descriptor",
    },
    Ban {
        who: "mixline-cli",
        what: "mixline-step",
        except: &[],
        why: "a step is known by its descriptor",
    },
];

/// A big dependency and the only crates that may know it.
const OWNERS: &[(&str, &[&str])] = &[
    ("petgraph", &["mixline-plan"]),
    ("prometheus-client", &["mixline-run"]),
    ("croner", &["mixline-plan"]),
    ("tokio-cron-scheduler", &["mixline-run"]),
    ("sqlx", &["mixline-run"]),
    ("bollard", &["mixline-run"]),
    ("object_store", &["mixline-artifact"]),
    ("nuts-rs", &["mixline-numerics"]),
    ("netcdf-writer", &["step-fit"]),
    ("lettre", &["step-notify"]),
    ("reqwest", &["mixline-run", "step-notify"]),
];

/// The crate that holds the features together, and so depends on everything.
const FEATURES: &str = "mixline-features";

/// Outside dependencies of the workspace that [`FEATURES`] does not list.
fn unlisted(graph: &Graph) -> Result<Vec<String>> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml"))?;
    let manifest: toml::Table = manifest.parse().context("Cargo.toml does not parse")?;
    let declared = manifest["workspace"]["dependencies"]
        .as_table()
        .context("no dependencies")?;
    let listed = graph.get(FEATURES).context("mixline-features is gone")?;
    let missing = declared.keys().filter(|name| !name.starts_with("mixline-"));
    let missing = missing.filter(|name| !listed.contains(name));
    Ok(missing
        .map(|name| format!("{FEATURES} does not list {name}"))
        .collect())
}

/// Checks every rule and reports every breach at once.
pub(crate) fn run() -> Result<()> {
    let graph = graph()?;
    let mut breaches: Vec<String> = BANS
        .iter()
        .flat_map(|ban| breaches_of(ban, &graph))
        .collect();
    breaches.extend(unlisted(&graph)?);
    for (name, dependencies) in graph.iter().filter(|(name, _)| *name != FEATURES) {
        for (package, owners) in OWNERS {
            if dependencies.iter().any(|d| d == package) && !owners.contains(&name.as_str()) {
                breaches.push(format!(
                    "{name} depends on {package}, which only {owners:?} may know"
                ));
            }
        }
        let may_use_tables = name == "mixline-artifact"
            || name == "mixline-step"
            || name == "mixline-model-tables"
            || name == "mixline-attribution-tables"
            || name.starts_with("step-")
            || name.starts_with("mixline-testkit");
        if dependencies.iter().any(|d| d == "polars") && !may_use_tables {
            breaches.push(format!(
                "{name} depends on polars; tables stay in artifacts and steps"
            ));
        }
    }
    if !breaches.is_empty() {
        bail!("dependency rules broken:\n  {}", breaches.join("\n  "));
    }
    eprintln!("\u{2713} dependency rules hold for {} crates", graph.len());
    Ok(())
}

fn breaches_of(ban: &Ban, graph: &Graph) -> Vec<String> {
    graph
        .iter()
        .filter(|(name, _)| matches(name, ban.who))
        .flat_map(|(name, dependencies)| dependencies.iter().map(move |d| (name, d)))
        .filter(|(_, d)| matches(d, ban.what) && !ban.except.contains(&d.as_str()))
        .map(|(name, d)| format!("{name} depends on {d}: {}", ban.why))
        .collect()
}

/// A pattern ending in `-` is a prefix, any other is a whole name.
fn matches(name: &str, pattern: &str) -> bool {
    if pattern.ends_with('-') {
        name.starts_with(pattern)
    } else {
        name == pattern
    }
}

fn graph() -> Result<Graph> {
    let metadata = output(&mut cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
    ]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"]
        .as_array()
        .context("cargo metadata lists no packages")?;
    Ok(packages
        .iter()
        .map(|p| (text(&p["name"]), normal_dependencies(p)))
        .collect())
}

fn normal_dependencies(package: &Value) -> Vec<String> {
    let all = package["dependencies"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    all.iter()
        .filter(|d| d["kind"].is_null())
        .map(|d| text(&d["name"]))
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
