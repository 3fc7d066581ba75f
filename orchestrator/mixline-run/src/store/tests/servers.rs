//! Servers that are away or say no: errors that tell what to do, and no secret in them.

use std::error::Error as _;

use mixline_servers::Postgres;

use crate::error::RunError;
use crate::store::{Location, StateDb};

async fn refused(url: &str) -> RunError {
    let location = Location::parse(url, "/".as_ref()).unwrap();
    StateDb::open(&location).await.unwrap_err()
}

/// Everything that could be printed of an error.
fn all(error: &RunError) -> String {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    format!("{error}\n{cause}\n{error:?}")
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_the_password() {
    // Nobody listens on port 1.
    let error = refused("postgres://ada:hunter2@127.0.0.1:1/mixline").await;
    assert!(matches!(error, RunError::Unreachable { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("postgres://ada@127.0.0.1:1/mixline"),
        "{text}"
    );
    assert!(!all(&error).contains("hunter2"), "{}", all(&error));
}

#[tokio::test]
async fn a_wrong_password_and_an_absent_database_say_what_to_do() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let error = refused(&server.with_wrong_password()).await;
    assert!(matches!(error, RunError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("PGPASSWORD"), "{error}");
    assert!(!all(&error).contains("wrong-secret"), "{}", all(&error));
    let error = refused(&server.without_database()).await;
    assert!(matches!(error, RunError::NoDatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("createdb"), "{error}");
}
