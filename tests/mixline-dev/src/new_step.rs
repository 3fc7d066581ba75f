//! `cargo dev new-step NAME`: a step crate that compiles and passes its test at once.

use anyhow::{Context as _, Result, bail};

use crate::shell::{cargo, root, run as run_command};

/// Options of `cargo dev new-step`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The verb of the step, for example `geo-split`; the crate becomes `step-geo-split`.
    name: String,
    /// Do not compile and test the new crate.
    #[arg(long)]
    no_test: bool,
}

const TEMPLATE: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../template/Cargo.toml.in")),
    ("src/main.rs", include_str!("../template/main.rs.in")),
    ("src/lib.rs", include_str!("../template/lib.rs.in")),
    (
        "tests/compliance.rs",
        include_str!("../template/compliance.rs.in"),
    ),
];

/// Writes the crate from the template and tests it.
pub(crate) fn run(args: &Args) -> Result<()> {
    let verb = args.name.trim_start_matches("step-");
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if verb.is_empty()
        || !verb.starts_with(|c: char| c.is_ascii_lowercase())
        || !verb.chars().all(legal)
    {
        bail!(
            "`{verb}` cannot name a step: use lower-case words joined by `-`, for example `geo-split`"
        );
    }
    let folder = root().join("steps").join(format!("step-{verb}"));
    if folder.exists() {
        bail!("steps/step-{verb} exists already");
    }
    for part in ["src", "tests"] {
        std::fs::create_dir_all(folder.join(part)).context("could not make the folder")?;
    }
    for (file, template) in TEMPLATE {
        let text = template
            .replace("@VERB@", verb)
            .replace("@CRATE@", &verb.replace('-', "_"))
            .replace("@TYPE@", &camel(verb));
        std::fs::write(folder.join(file), text)
            .with_context(|| format!("could not write {file}"))?;
    }
    eprintln!("\u{2713} made steps/step-{verb}");
    if !args.no_test {
        let name = format!("step-{verb}");
        run_command(&mut cargo(&["test", "-p", &name, "-p", "mixline-features"]))?;
    }
    eprintln!("next: choose its ports in src/lib.rs, then add a task to a file in dags/");
    Ok(())
}

fn camel(verb: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    verb.split('-')
        .filter(|word| !word.is_empty())
        .map(capital)
        .collect()
}
