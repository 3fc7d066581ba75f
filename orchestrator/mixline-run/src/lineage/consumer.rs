//! Who receives OpenLineage events: a server, a file, the log.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::fold::Lineage;
use crate::event::RecordedEvent;
use crate::relay::{Consumer, Http, Parcel, Trouble};

/// Where events go.
#[derive(Debug)]
pub(super) enum Transport {
    /// `POST` to a server, one event at a time.
    Http { http: Http, endpoint: String },
    /// One line each at the end of a file.
    File(PathBuf),
    /// Lines of our own log.
    Console,
}

impl Transport {
    /// What a consumer with it is called.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Http { .. } => "openlineage",
            Self::File(_) => "openlineage-file",
            Self::Console => "openlineage-console",
        }
    }
}

/// OpenLineage events of every run, over one transport.
#[derive(Debug)]
pub(super) struct OpenLineage {
    name: String,
    namespace: String,
    store: String,
    transport: Transport,
}

impl OpenLineage {
    /// `store` is the store's address as datasets are named by it.
    pub(super) fn new(name: String, namespace: &str, store: &str, transport: Transport) -> Self {
        Self {
            name,
            namespace: namespace.to_owned(),
            store: store.to_owned(),
            transport,
        }
    }
}

#[async_trait::async_trait]
impl Consumer for OpenLineage {
    fn name(&self) -> &str {
        &self.name
    }

    fn parcels(&self, events: &[RecordedEvent]) -> Vec<Parcel> {
        let mut lineage = Lineage::new(&self.namespace, &self.store);
        let told = |recorded: &RecordedEvent| {
            let seq = recorded.seq;
            let bodies = lineage.apply(recorded).into_iter();
            bodies.map(move |body| Parcel { seq, body })
        };
        events.iter().flat_map(told).collect()
    }

    async fn deliver(&self, parcel: &Parcel) -> Result<(), Trouble> {
        match &self.transport {
            Transport::Http { http, endpoint } => http.post(endpoint, &parcel.body).await.map(drop),
            Transport::File(path) => append(path, &parcel.body).map_err(|error| {
                Trouble::away(format!("could not write to {}: {error}", path.display()))
            }),
            Transport::Console => {
                tracing::info!(event = %parcel.body, "openlineage");
                Ok(())
            }
        }
    }
}

/// One write for the line, so that two processes do not mix theirs.
fn append(path: &Path, event: &Value) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{event}\n").as_bytes())
}
