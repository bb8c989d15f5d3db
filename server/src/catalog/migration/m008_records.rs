//! What goes to the bucket `records`: marks of changed rows, made by triggers, and the objects that are written; and what
//! is known of objects' tags, so that what others change in them is told from what we have written.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbBackend};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::catalog::entity::{mirror, record_log, record_mark, record_mention, record_object};

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m008_records"
    }
}

/// A table that is recorded: its name, the word for its rows, and the columns of its primary key.
pub(super) type Recorded = (&'static str, &'static str, &'static [Key]);

const RECORDED: [Recorded; 8] = [
    ("predictions", "prediction", &[Key::Uuid("id")]),
    ("campaigns", "campaign", &[Key::Uuid("id")]),
    ("batches", "batch", &[Key::Plain("id")]),
    ("tasks", "task", &[Key::Uuid("id")]),
    ("feedback", "feedback", &[Key::Plain("id")]),
    ("annotations", "annotation", &[Key::Uuid("id")]),
    ("placements", "placement", &[Key::Plain("bucket"), Key::Plain("object_key")]),
    ("task_skips", "skip", &[Key::Uuid("task_id"), Key::Plain("annotator")]),
];

/// A column of a primary key.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Uuid(&'static str),
    Plain(&'static str),
}

impl Key {
    /// As text, from a row of this name.
    fn of(self, row: &str, backend: DbBackend) -> String {
        match (self, backend) {
            (Self::Plain(column), DbBackend::Sqlite) => format!("{row}.{column}"),
            (Self::Uuid(column), DbBackend::Sqlite) => format!("lower(hex({row}.{column}))"),
            (Self::Plain(column), _) => format!("{row}.{column}::text"),
            (Self::Uuid(column), _) => format!("replace({row}.{column}::text, '-', '')"),
        }
    }
}

fn key_of(keys: &[Key], row: &str, backend: DbBackend) -> String {
    let keys: Vec<String> = keys.iter().map(|key| key.of(row, backend)).collect();
    keys.join(" || '/' || ")
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        tables(manager).await?;
        let connection = manager.get_connection();
        let backend = connection.get_database_backend();
        for recorded in RECORDED {
            for sql in triggers(backend, recorded) {
                connection.execute_unprepared(&sql).await?;
            }
        }
        for sql in MIRRORS {
            connection.execute_unprepared(sql).await?;
        }
        // What is there already is recorded too.
        for sql in marks_of_everything(backend) {
            connection.execute_unprepared(&sql).await?;
        }
        Ok(())
    }
}

/// What tags say of photos that are there: what the catalog does, unless the outbox has yet to tell them.
pub(in crate::catalog) const MIRRORS: [&str; 2] = [
    "INSERT INTO mirrors (prediction_id) SELECT prediction_id FROM outbox",
    "INSERT INTO mirrors (prediction_id, flagged, corrected_class) \
     SELECT id, flag IS NOT NULL, corrected_class FROM predictions \
     WHERE (flag IS NOT NULL OR corrected_class IS NOT NULL) AND erased_at IS NULL \
     AND id NOT IN (SELECT prediction_id FROM outbox)",
];

/// Marks every row of every table that is recorded since this step.
pub(super) fn marks_of_everything(backend: DbBackend) -> Vec<String> {
    RECORDED.map(|recorded| marks_of(backend, recorded)).to_vec()
}

/// Marks every row of a table.
pub(super) fn marks_of(backend: DbBackend, (table, kind, keys): Recorded) -> String {
    let key = key_of(keys, table, backend);
    format!("INSERT INTO record_marks (kind, row_key) SELECT '{kind}', {key} FROM {table}")
}

async fn tables(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use record_mark::Column as M;
    let marks = Table::create()
        .table(record_mark::Entity)
        .col(big_pk_auto(M::Id))
        .col(string(M::Kind))
        .col(text(M::RowKey))
        .to_owned();
    use record_object::Column as O;
    let objects = Table::create()
        .table(record_object::Entity)
        .col(big_integer(O::Number).primary_key())
        .col(string(O::Kind))
        .col(string(O::ObjectKey).unique_key())
        .col(text_null(O::Body))
        .col(big_integer(O::Revision))
        .col(timestamp_with_time_zone(O::PlannedAt))
        .col(timestamp_with_time_zone_null(O::WrittenAt))
        .to_owned();
    use record_mention::Column as N;
    let mentions = Table::create()
        .table(record_mention::Entity)
        .col(uuid(N::PredictionId))
        .col(big_integer(N::ObjectNumber))
        .primary_key(Index::create().col(N::PredictionId).col(N::ObjectNumber))
        .to_owned();
    use record_log::Column as L;
    let log = Table::create()
        .table(record_log::Entity)
        .col(integer(L::Id).primary_key())
        .col(uuid_null(L::Log))
        .col(big_integer(L::LastNumber))
        .to_owned();
    use mirror::Column as R;
    let mirrors = Table::create()
        .table(mirror::Entity)
        .col(uuid(R::PredictionId).primary_key())
        .col(boolean_null(R::Flagged))
        .col(string_null(R::CorrectedClass))
        .to_owned();
    for table in [marks, objects, mentions, log, mirrors] {
        manager.create_table(table).await?;
    }
    let connection = manager.get_connection();
    connection
        .execute_unprepared("CREATE INDEX records_to_write ON record_objects (number) WHERE written_at IS NULL")
        .await?;
    let row = record_log::ActiveModel { id: Set(1), log: Set(None), last_number: Set(0) };
    row.insert(connection).await.map(drop)
}

/// SQLite calls a trigger for each row, PostgreSQL for each statement with all its rows.
pub(super) fn triggers(backend: DbBackend, (table, kind, keys): Recorded) -> Vec<String> {
    let events = [("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")];
    if backend == DbBackend::Sqlite {
        let trigger = |(event, row): (&str, &str)| {
            let key = key_of(keys, row, backend);
            format!(
                "CREATE TRIGGER recorded_{table}_{event} AFTER {event} ON {table} BEGIN \
                 INSERT INTO record_marks (kind, row_key) VALUES ('{kind}', {key}); END"
            )
        };
        return events.map(trigger).to_vec();
    }
    let key = key_of(keys, "changed", backend);
    let mut statements = vec![format!(
        "CREATE FUNCTION recorded_{table}() RETURNS trigger LANGUAGE plpgsql AS $mark$ BEGIN \
         INSERT INTO record_marks (kind, row_key) SELECT '{kind}', {key} FROM changed; RETURN NULL; END $mark$"
    )];
    statements.extend(events.map(|(event, row)| {
        format!(
            "CREATE TRIGGER recorded_{table}_{event} AFTER {event} ON {table} REFERENCING {row} TABLE AS changed \
             FOR EACH STATEMENT EXECUTE FUNCTION recorded_{table}()"
        )
    }));
    statements
}
