//! What is remembered of the project as a whole, by name.

use sqlx::AnyConnection;

use super::StateDb;
use crate::error::RunError;

impl StateDb {
    /// A setting, when it was ever set.
    pub(crate) async fn setting(&self, name: &str) -> Result<Option<String>, RunError> {
        sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .map_err(self.failed("read"))
    }

    /// Sets a setting.
    pub(crate) async fn set_setting(&self, name: &str, value: &str) -> Result<(), RunError> {
        let failed = || self.failed("write to");
        let mut connection = self.pool.acquire().await.map_err(failed())?;
        set(&mut connection, name, value).await.map_err(failed())
    }
}

/// Sets a setting within a transaction.
pub(super) async fn set(
    connection: &mut AnyConnection,
    name: &str,
    value: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO settings (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(connection)
    .await
    .map(drop)
}
