//! A table read piece by piece is the table read at once, whatever its files look like.

use chrono::{DateTime, TimeDelta, Utc};
use mixline_artifact::testing::provenance;
use mixline_artifact::{Batches, Store, Stream, Table};
use mixline_schema::catalog::Touchpoints;
use mixline_schema::{Artifact as _, WriteMode};
use proptest::prelude::*;

fn touch(customer: u16, minute: u32) -> Touchpoints {
    Touchpoints {
        customer_key: format!("c{customer:05}"),
        occurred_at: DateTime::<Utc>::UNIX_EPOCH + TimeDelta::minutes(i64::from(minute)),
        channel: "meta".into(),
        campaign: "all".into(),
        kind: "click".into(),
    }
}

fn table(mut rows: Vec<(u16, u32)>) -> Table<Touchpoints> {
    rows.sort_unstable();
    rows.dedup();
    let rows = rows
        .into_iter()
        .map(|(customer, minute)| touch(customer, minute));
    Table::from_rows(rows.collect()).expect("as the test made it")
}

/// All pieces put together; no customer may be in two of them.
fn read(batches: &Batches<Touchpoints>) -> (Vec<Touchpoints>, usize) {
    let (mut rows, mut pieces) = (Vec::<Touchpoints>::new(), 0);
    for piece in batches.iter() {
        let piece = piece.expect("as the test made it").rows();
        if let (Some(last), Some(first)) = (rows.last(), piece.first()) {
            assert!(last.customer_key < first.customer_key);
        }
        rows.extend(piece);
        pieces += 1;
    }
    (rows, pieces)
}

async fn committed(commits: Vec<Vec<(u16, u32)>>) -> (Batches<Touchpoints>, Vec<Touchpoints>) {
    let store = Store::open("memory:").await.expect("as the test made it");
    let log = store.log("touchpoints").expect("as the test made it");
    let mut version = 0;
    for (seed, rows) in commits.into_iter().enumerate() {
        let put = log.commit(table(rows), WriteMode::Upsert, provenance("t", seed as u64));
        version = put.await.expect("as the test made it").version;
    }
    let whole = log
        .read_table::<Touchpoints>(None)
        .await
        .expect("as the test made it")
        .rows();
    let stream = Stream::of_version(log, Touchpoints::spec(), version);
    (Batches::new(stream), whole)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_overlap_are_merged_and_may_be_read_twice() {
    let commits = vec![
        (0..400).map(|n| (n, 5)).collect(),
        (0..400).step_by(7).map(|n| (n, 1)).collect(),
        vec![(3, 9), (900, 1)],
    ];
    let (batches, whole) = committed(commits).await;
    let found = tokio::task::spawn_blocking(move || (read(&batches).0, read(&batches).0));
    let (once, twice) = found.await.expect("as the test made it");
    assert_eq!(once, whole);
    assert_eq!(twice, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_larger_than_a_row_group_comes_in_one_piece() {
    let big = (0..600_000).map(|minute| (1, minute)).collect();
    let (batches, whole) = committed(vec![big, vec![(0, 1), (1, 700_000), (2, 1)]]).await;
    let (rows, pieces) = tokio::task::spawn_blocking(move || read(&batches))
        .await
        .expect("as the test made it");
    assert_eq!(rows.len(), whole.len());
    assert!(pieces <= 3, "{pieces}");
}

#[test]
fn a_table_in_memory_is_cut_between_customers() {
    let rows = (0..200_000)
        .map(|n| (u16::try_from(n / 40).expect("as the test made it"), n))
        .collect();
    let table = table(rows);
    let stream = Stream::of_frame(table.df().clone(), Some("customer_key"), 1_001);
    let (rows, pieces) = read(&Batches::new(stream));
    assert_eq!(rows, table.rows());
    assert!((190..=200).contains(&pieces), "{pieces}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_commits_read_the_same_both_ways(
        commits in prop::collection::vec(
            prop::collection::vec((0u16..60, 0u32..50), 1..80), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("as the test made it");
        let (batches, whole) = runtime.block_on(committed(commits));
        prop_assert_eq!(read(&batches).0, whole);
    }
}
