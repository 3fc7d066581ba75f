//! A table written piece by piece is the table written at once.

use mixline_artifact::testing::{commit, provenance, row};
use mixline_artifact::{CommitOutcome, ContractViolations, Pieces, Store, StoreError, Table};
use mixline_schema::WriteMode;
use mixline_schema::catalog::Controls;

fn pieces(days: &[&[u64]]) -> Pieces<Controls> {
    let tables: Vec<Result<Table<Controls>, ContractViolations>> = days
        .iter()
        .map(|days| Table::from_rows(days.iter().map(|day| row(*day, "c", *day as f64)).collect()))
        .collect();
    Pieces::new(tables.into_iter())
}

async fn store() -> Store {
    Store::open("memory:").await.expect("opens")
}

#[tokio::test]
async fn pieces_and_whole_have_one_digest_and_one_content() {
    let store = store().await;
    let log = store.log("controls").expect("legal");
    let parts = pieces(&[&[0, 1], &[], &[2, 5], &[9]]);
    let put = log.commit(parts, WriteMode::Replace, provenance("pieces", 1));
    let by_pieces = put.await.expect("commits");
    assert_eq!(by_pieces.rows, 5);
    assert_eq!(log.snapshot(None).await.expect("reads").files.len(), 3);

    let rows = [0, 1, 2, 5, 9]
        .map(|day| row(day, "c", day as f64))
        .to_vec();
    let whole = commit(&store, rows, WriteMode::Replace, provenance("whole", 1)).await;
    let whole = whole.expect("commits");
    assert_eq!(whole.digest, by_pieces.digest);
    assert_eq!(whole.outcome, CommitOutcome::Unchanged);

    let again = log.commit(
        pieces(&[&[0], &[1, 2, 5, 9]]),
        WriteMode::Upsert,
        provenance("again", 1),
    );
    assert_eq!(
        again.await.expect("commits").outcome,
        CommitOutcome::Unchanged
    );
}

#[tokio::test]
async fn pieces_out_of_order_commit_nothing() {
    let store = store().await;
    let log = store.log("controls").expect("legal");
    for (days, words) in [
        (
            [&[0, 3][..], &[2, 4]],
            "comes after one that ends with 2026-01-04",
        ),
        (
            [&[0, 3][..], &[3, 4]],
            "2026-01-04, all, c occurs more than once",
        ),
    ] {
        let put = log.commit(pieces(&days), WriteMode::Replace, provenance("bad", 1));
        let error = put.await.expect_err("refused");
        assert!(matches!(error, StoreError::Contract(_)), "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(log.head().await.expect("lists"), None);
    }
}
