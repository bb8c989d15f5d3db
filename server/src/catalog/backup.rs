//! Copies of a catalog in SQLite, made while a server works on it, and what has to be done to one before it takes the
//! catalog's place.

use std::path::Path;

use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement};
use sea_orm_migration::MigratorTrait;
use secrecy::SecretString;

use super::{
    BUSY_TIMEOUT, Catalog, CatalogError,
    entity::{operator_link, record_log, session},
    migration::Migrator,
    open_sqlite,
};

impl Catalog {
    /// Whether it is a file of SQLite, which this module is about.
    pub fn is_sqlite(&self) -> bool {
        self.read.get_database_backend() == DbBackend::Sqlite
    }

    /// Writes everything, as it is at this moment, into a file that is empty or does not exist. Whoever writes meanwhile
    /// neither waits nor is seen.
    pub async fn copy_into(&self, file: &Path) -> Result<(), CatalogError> {
        let path = file.to_str().ok_or_else(|| CatalogError::Corrupt(format!("{} is no UTF-8", file.display())))?;
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [path.into()]);
        self.read.execute_raw(statement).await?;
        Ok(())
    }

    /// Opens a copy that is to take the catalog's place, brings it up to date, and ends what must not come back with it:
    /// sessions and one-time links.
    ///
    /// # Errors
    /// [`CatalogError::Corrupt`] where the file is damaged, no catalog of ours, or one of a later version.
    pub async fn open_copy(file: &Path) -> Result<Self, CatalogError> {
        check(file).await?;
        let url: SecretString = format!("sqlite:{}", file.display()).into();
        let catalog = Self::open(&url, 1).await?;
        session::Entity::delete_many().exec(&catalog.write).await?;
        operator_link::Entity::delete_many().exec(&catalog.write).await?;
        Ok(catalog)
    }

    /// Has the catalog write no records before it was rebuilt from them.
    pub async fn part_from_records(&self) -> Result<(), CatalogError> {
        let parted = record_log::ActiveModel { log: sea_orm::ActiveValue::Set(None), ..Default::default() };
        record_log::Entity::update_many().set(parted).exec(&self.write).await?;
        Ok(())
    }

    /// Closes its connections: everything is in its file then, and no other beside it.
    pub async fn close(self) -> Result<(), CatalogError> {
        if self.is_sqlite() {
            self.write.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        }
        self.read.close().await?;
        Ok(self.write.close().await?)
    }
}

/// Looks at a file before anything is done to it.
async fn check(file: &Path) -> Result<(), CatalogError> {
    let wrong = |why: &str| CatalogError::Corrupt(format!("{} {why}", file.display()));
    let connection =
        open_sqlite(file, 1, BUSY_TIMEOUT).await.map_err(|error| wrong(&format!("is no file of SQLite: {error}")))?;
    let asked = |sql: &str| Statement::from_string(DbBackend::Sqlite, sql);
    let verdict = connection.query_one_raw(asked("PRAGMA quick_check(1)")).await;
    let verdict = verdict.map_err(|error| wrong(&format!("is no file of SQLite: {error}")))?;
    let verdict = verdict.map(|row| row.try_get_by_index::<String>(0)).transpose()?.unwrap_or_default();
    if verdict != "ok" {
        return Err(wrong(&format!("is damaged: {verdict}")));
    }
    let steps = connection.query_all_raw(asked("SELECT version FROM seaql_migrations ORDER BY version")).await;
    let steps = steps.map_err(|_| wrong("is no catalog of gourmetgram"))?;
    let known: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    for step in steps {
        let step: String = step.try_get_by_index(0)?;
        if !known.contains(&step) {
            return Err(wrong(&format!("was made by a later version (it has {step}): take a newer gourmetgram")));
        }
    }
    connection.close().await?;
    Ok(())
}
