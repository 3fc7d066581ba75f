//! The store's contract on memory, disk, and an object store that speaks S3.
//!
//! S3 is a moto server that the test starts, or the server that `S3_TEST_ENDPOINT` (with
//! `S3_TEST_BUCKET` and the usual credentials) names.

use mixline_artifact::{Store, testing};
use mixline_servers::S3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_the_store_contract() {
    testing::store_suite(&Store::in_memory()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disk_keeps_the_store_contract() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let url = folder.path().display().to_string();
    let store = Store::open(&url).await.expect("opens");
    testing::store_suite(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_keeps_the_store_contract() {
    let Some(server) = S3::start() else { return };
    let variables = server.variables().into_iter();
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let store = Store::open_with(&server.store_url(), variables).expect("opens");
    testing::store_suite(&store).await;
}
