//! A project in a temporary folder, and what ingesting it came to.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mixline_artifact::{DataFrame, Store};
use mixline_schema::Artifact;

/// A project whose data folder may lie elsewhere.
pub(crate) struct Project {
    dir: tempfile::TempDir,
    data: PathBuf,
}

impl Project {
    /// A project with these source files and an empty data folder.
    pub(crate) fn new(sources: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let data = dir.path().join("data/raw");
        let project = Self {
            data: "data/raw".into(),
            dir,
        };
        project.write(".mixline/hash.key", &"5a".repeat(32));
        std::fs::create_dir_all(data).expect("a data folder");
        for (name, text) in sources {
            project.write(&format!("sources/{name}.toml"), text);
        }
        project
    }

    /// The same project, reading another folder.
    pub(crate) fn reading(mut self, data: &Path) -> Self {
        data.clone_into(&mut self.data);
        self
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        let folder = path.parent().expect("a file lies in a folder");
        std::fs::create_dir_all(folder).expect("the folder can be made");
        std::fs::write(path, text).expect("the file can be written");
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.dir.path().join(name)).expect("the file can be removed");
    }

    /// Runs the step.
    pub(crate) fn ingest(&self) -> Output {
        let data = format!("data={}", self.data.display());
        Command::new(env!("CARGO_BIN_EXE_step-ingest"))
            .args(["run", "--store", "./store", "--set", &data])
            .current_dir(self.dir.path())
            .output()
            .expect("the step starts")
    }

    /// Runs the step, which must succeed.
    pub(crate) fn ingested(&self) -> &Self {
        let output = self.ingest();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        self
    }

    /// Runs the step, which must fail with this code and write nothing; what it said.
    pub(crate) fn refused(&self, code: i32) -> String {
        let output = self.ingest();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(
            self.artifacts().is_empty(),
            "nothing is stored: {:?}",
            self.artifacts()
        );
        // The last line is the result; its error has line breaks as in JSON.
        let last = said.lines().last().unwrap_or_default();
        let result: serde_json::Value = serde_json::from_str(last).expect("a result");
        result["error"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn artifacts(&self) -> Vec<String> {
        block_on(async {
            self.store()
                .await
                .artifacts()
                .await
                .expect("the store lists")
        })
    }

    /// The rows of a table.
    pub(crate) fn rows<A: Artifact>(&self) -> Vec<A> {
        block_on(async {
            let log = self.store().await.log(A::NAME).expect("a legal name");
            log.read_table::<A>(None)
                .await
                .expect("the table reads")
                .rows()
        })
    }

    /// Every table as a frame.
    pub(crate) fn frames(&self) -> Vec<(String, DataFrame)> {
        let read = |name: String| {
            let frame = block_on(async {
                self.store()
                    .await
                    .log(&name)
                    .expect("legal")
                    .read(None)
                    .await
                    .expect("reads")
            });
            (name, frame)
        };
        self.artifacts().into_iter().map(read).collect()
    }

    /// Content digest of the newest version of a table.
    pub(crate) fn digest(&self, name: &str) -> String {
        block_on(async {
            let log = self.store().await.log(name).expect("legal");
            log.snapshot(None)
                .await
                .expect("there is a version")
                .digest
                .to_string()
        })
    }

    async fn store(&self) -> Store {
        let folder = self.dir.path().join("store");
        Store::open(&folder.display().to_string())
            .await
            .expect("the store opens")
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// A folder of the shared data; `None`, and a line that says so, on a machine that has none. CI
/// must have it.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
    assert!(
        !ci,
        "{} is missing, and CI must read real exports",
        path.display()
    );
    eprintln!("skipped: {} is missing", path.display());
    None
}

/// A shipped source file.
pub(crate) fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../sources/examples")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
