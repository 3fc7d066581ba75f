//! `mixline init`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::app::App;
use crate::failure::{Failure, Outcome};

/// Make a project: mixline.toml, the daily pipeline, and descriptions of common export files
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the project; made when it does not exist
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// What a new project holds. Files that exist are left as they are.
const FILES: &[(&str, &str)] = &[
    ("mixline.toml", include_str!("../../templates/mixline.toml")),
    (".gitignore", include_str!("../../templates/gitignore")),
    ("data/raw/README.md", include_str!("../../templates/raw.md")),
    (
        "dags/daily_ingest.toml",
        include_str!("../../../../dags/daily_ingest.toml"),
    ),
    (
        "dags/weekly_retrain.toml",
        include_str!("../../../../dags/weekly_retrain.toml"),
    ),
    (
        "dags/weekly_optimize.toml",
        include_str!("../../../../dags/weekly_optimize.toml"),
    ),
    (
        "sources/README.md",
        include_str!("../../../../sources/README.md"),
    ),
    (
        "sources/meta_ads.toml",
        include_str!("../../../../sources/meta_ads.toml"),
    ),
    (
        "sources/google_ads.toml",
        include_str!("../../../../sources/google_ads.toml"),
    ),
    (
        "sources/tiktok_ads.toml",
        include_str!("../../../../sources/tiktok_ads.toml"),
    ),
    (
        "sources/shopify_orders.toml",
        include_str!("../../../../sources/shopify_orders.toml"),
    ),
    (
        "sources/touchpoints.toml",
        include_str!("../../../../sources/touchpoints.toml"),
    ),
    (
        "sources/tv_and_controls.toml",
        include_str!("../../../../sources/tv_and_controls.toml"),
    ),
];

/// The key that personal data is hashed with: a secret, and the same for ever.
const KEY: &str = ".mixline/hash.key";

/// Carries out `mixline init`.
pub(crate) fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let (mut made, mut kept) = (Vec::new(), Vec::new());
    for (name, text) in FILES {
        let new = create(&args.dir.join(name), text.as_bytes(), 0o644)?;
        if new {
            made.push(*name)
        } else {
            kept.push(*name)
        }
    }
    let new = create(&args.dir.join(KEY), key().as_bytes(), 0o600)?;
    if new {
        made.push(KEY)
    } else {
        kept.push(KEY)
    }
    if app.json() {
        app.document(&json!({ "dir": args.dir, "made": made, "kept": kept }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for name in &made {
        app.note(format!("  {} {name}", app.style().green("made")))?;
    }
    for name in &kept {
        app.note(format!("  {} {name}", app.style().dim("kept")))?;
    }
    next_steps(app, &args.dir)?;
    Ok(ExitCode::SUCCESS)
}

fn next_steps(app: &App, dir: &Path) -> Outcome<()> {
    let enter = match dir == Path::new(".") {
        true => String::new(),
        false => format!("  cd {}\n", dir.display()),
    };
    app.note(format!(
        "\nNext:\n{enter}  put export files into data/raw/, or make a synthetic world:\n  \
         mixline step run step-synthesize\n  mixline plan daily_ingest\n  mixline run daily_ingest"
    ))
}

/// Writes a file unless there is one; whether it did.
fn create(path: &Path, bytes: &[u8], mode: u32) -> Outcome<bool> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |source| Failure::file("write", path, source);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let options = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    match options {
        Ok(mut file) => file.write_all(bytes).map(|()| true).map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// 256 bits from the operating system's generator, as hex.
fn key() -> String {
    let mut random = blake3::Hasher::new();
    for _ in 0..4 {
        random.update(uuid::Uuid::new_v4().as_bytes());
    }
    format!("{}\n", random.finalize().to_hex())
}
