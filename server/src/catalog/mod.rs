//! The catalog: the database that is the working record. SQLite by default, PostgreSQL by URL, one code path.
//!
//! A catalog answers [`CatalogError`]; what that means to a client is decided in `http`.

mod accounts;
mod annotations;
mod backup;
mod bulk;
mod campaigns;
mod collections;
pub mod entity;
mod evaluation;
mod label_studio;
mod listing;
mod migration;
mod mirrors;
mod outbox;
mod placements;
mod predictions;
mod record_rows;
mod records;
mod reindex;
mod resolution;
mod review;
mod runs;
mod selections;
mod tasks;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, Utc};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqlErr,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use secrecy::{ExposeSecret, SecretString};

pub use accounts::{AccessToken, OPERATOR_LINK_LIFETIME, Session, SessionLimits};
pub use annotations::{Annotated, RemoteChanges, Said, read_seen};
pub use collections::Tally;
pub use evaluation::{ContradictedLabel, CountedPeriod, EvaluationDesign, MAX_FACTS, ServedModel};
pub use label_studio::{KnownTask, ToImport};
pub use listing::MAX_PAGE;
pub use mirrors::{TaggedFeedback, TagsKnown, TakenIn};
pub use outbox::{Backlog, Claim, Outcome};
pub use placements::{CopyWanted, Shows};
pub use predictions::{Actor, Change, Owner, Received, Recorded, Spooled, Whose, to_api, without_labelling};
pub use reindex::{Import, ImportError};
pub use review::{Assignment, LEASE, Leased};
pub use runs::{LeaseLost, RunEnd, RunError, RunKey, RunLease};
pub use selections::{CopiesUnderWay, MAX_CONSIDERED};

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// There is no such prediction.
    #[error("no such prediction")]
    NotFound,
    /// A cursor that was not made by us, or for another order.
    #[error("{0}")]
    BadCursor(&'static str),
    /// There is no such campaign.
    #[error("no such campaign")]
    NoCampaign,
    /// The campaign selects nothing more.
    #[error("the campaign {0:?} is archived: it selects nothing more")]
    Archived(String),
    /// An interval with more photos than are considered at once.
    #[error("the interval has more than {most} photos: take a shorter one")]
    TooManyPhotos {
        /// How many are.
        most: u64,
    },
    /// It was erased; nothing can be said of it any more.
    #[error("the prediction was erased")]
    Erased,
    /// The database's disk is full.
    #[error("the catalog's disk is full")]
    Full(#[source] DbErr),
    /// Everything else the database may say: unreachable, broken, a bug of ours.
    #[error("the catalog failed: {0}")]
    Database(#[source] DbErr),
    /// A row that we did not write like this.
    #[error("a row of the catalog cannot be understood: {0}")]
    Corrupt(String),
}

impl From<DbErr> for CatalogError {
    fn from(error: DbErr) -> Self {
        if is_disk_full(&error) { Self::Full(error) } else { Self::Database(error) }
    }
}

/// SQLite's `SQLITE_FULL` (13) and PostgreSQL's `disk_full` (53100), neither of which SeaORM names.
fn is_disk_full(error: &DbErr) -> bool {
    let text = error.to_string();
    text.contains("database or disk is full") || text.contains("(code: 13)") || text.contains("53100")
}

/// SQLite's `SQLITE_BUSY` (5, or 517 with its reason): somebody else wrote for as long as it waits.
fn is_busy(error: &CatalogError) -> bool {
    let text = error.to_string();
    text.contains("(code: 5)") || text.contains("(code: 517)")
}

fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// How long a statement waits while another process writes on SQLite.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a command's statement waits, and how long opening tries again when waiting was not enough: nobody waits for the
/// answer of a command as one does for a page.
const PATIENT: Duration = Duration::from_secs(60);

/// How long portions of a long work on SQLite may follow each other at once.
const AT_A_STRETCH: Duration = Duration::from_secs(2);
/// The pause that they then leave. Whoever waits for SQLite's lock tries every 100 ms once they have waited for a while, so
/// that a shorter one may never be met.
pub const PAUSE: Duration = Duration::from_millis(120);

/// Lets other processes write between the transactions of a long work. (Who writes in the same process has a place in the queue
/// for the one connection.)
struct Pauses {
    sqlite: bool,
    since: Instant,
}

impl Pauses {
    fn new(catalog: &Catalog) -> Self {
        Self { sqlite: catalog.write.get_database_backend() == DbBackend::Sqlite, since: Instant::now() }
    }

    /// Between two transactions.
    async fn leave_one(&mut self) {
        if self.sqlite && self.since.elapsed() >= AT_A_STRETCH {
            tokio::time::sleep(PAUSE).await;
            self.since = Instant::now();
        }
    }
}

/// An open catalog. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// SQLite knows one writer at a time: a pool of one connection queues ours fairly, where a larger one would have
    /// them race for the lock. With PostgreSQL both are the same pool.
    write: DatabaseConnection,
    read: DatabaseConnection,
}

impl Catalog {
    /// Connects, and brings the schema up to date.
    pub async fn open(url: &SecretString, max_connections: u32) -> Result<Self, CatalogError> {
        Self::open_waiting(url, max_connections, BUSY_TIMEOUT).await
    }

    /// The same for a command, which on SQLite waits longer for a server that writes beside it.
    pub async fn open_for_command(url: &SecretString) -> Result<Self, CatalogError> {
        Self::open_waiting(url, 1, PATIENT).await
    }

    async fn open_waiting(
        url: &SecretString,
        max_connections: u32,
        busy_timeout: Duration,
    ) -> Result<Self, CatalogError> {
        let url = url.expose_secret();
        let catalog = if let Some(path) = url.strip_prefix("sqlite:") {
            let path = Path::new(path.trim_start_matches("//")).to_owned();
            let readers = if max_connections == 0 { 4 } else { max_connections };
            let open = |connections| open_sqlite(&path, connections, busy_timeout);
            Self { write: open(1).await?, read: open(readers).await? }
        } else {
            let mut options = ConnectOptions::new(url);
            options
                // Two at least: bringing the schema up to date holds one while it works with another.
                .max_connections(if max_connections == 0 { 10 } else { max_connections.max(2) })
                .acquire_timeout(Duration::from_secs(10))
                .connect_timeout(Duration::from_secs(10))
                .sqlx_logging(false);
            let pool = Database::connect(options).await?;
            Self { write: pool.clone(), read: pool }
        };
        let began = Instant::now();
        while let Err(error) = catalog.prepare().await {
            if !is_busy(&error) || began.elapsed() > PATIENT {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(catalog)
    }

    async fn prepare(&self) -> Result<(), CatalogError> {
        self.migrate().await?;
        self.take_stock().await
    }

    async fn migrate(&self) -> Result<(), CatalogError> {
        if self.write.get_database_backend() != DbBackend::Postgres {
            return Ok(migration::Migrator::up(&self.write, None).await?);
        }
        // Several servers may start at once: they take turns by an advisory lock that ends with its transaction.
        let turn = self.write.begin().await?;
        turn.execute_unprepared("SELECT pg_advisory_xact_lock(4916011)").await?;
        migration::Migrator::up(&self.write, None).await?;
        Ok(turn.commit().await?)
    }

    /// Has SQLite look at how its columns are filled, where they have changed much: without that it guesses, and takes
    /// an index with many matches for one with few. It reads a sample, so a large catalog takes no longer. PostgreSQL
    /// does so by itself.
    pub async fn take_stock(&self) -> Result<(), CatalogError> {
        if self.write.get_database_backend() == DbBackend::Sqlite {
            self.write.execute_unprepared("PRAGMA analysis_limit = 1000; PRAGMA optimize = 0x10002").await?;
        }
        Ok(())
    }

    /// Whether the database answers.
    pub async fn check(&self) -> Result<(), CatalogError> {
        self.read.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// A transaction that may write. On SQLite it takes the write lock at once: one that began as a reader could not
    /// become a writer while another process writes.
    ///
    /// It begins in a task of its own. Whoever asks may be dropped at any moment, when a client hangs up or a lease is
    /// lost; and a `BEGIN` that is on its way to PostgreSQL then leaves the connection in the pool within a transaction that
    /// nobody ends: what the next ones write on it would never be committed.
    async fn begin(&self) -> Result<DatabaseTransaction, CatalogError> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let write = self.write.clone();
        let begun = tokio::spawn(async move { write.begin_with_options(options).await }).await;
        Ok(begun.map_err(|error| DbErr::Custom(format!("a transaction did not begin: {error}")))??)
    }
}

async fn open_sqlite(path: &Path, connections: u32, busy_timeout: Duration) -> Result<DatabaseConnection, DbErr> {
    use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
    let file = path.to_owned();
    let mut options = ConnectOptions::new("sqlite:");
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .filename(&file)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                // FULL: a commit is on disk before it answers. NORMAL could lose the last ones with the power.
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(busy_timeout)
        });
    Database::connect(options).await
}

/// The time, to the millisecond: what both databases store and give back unchanged.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}
