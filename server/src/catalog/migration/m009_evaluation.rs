//! What an evaluation reads: counts by hour, day and month, marks of what has to be counted anew (made by triggers, so that no
//! way of changing a row is forgotten), what drift is measured against, and what was published. And what a campaign has drawn
//! and not written yet, whose end is such a mark.

use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbBackend};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::catalog::entity::{
    draw, draw_part, evaluation_count, evaluation_mark, evaluation_reference, evaluation_result, evaluation_state,
};

/// The step.
pub struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "m009_evaluation"
    }
}

/// Written the same way on both databases.
const INDEXES: [&str; 5] = [
    "CREATE INDEX marks_by_time ON evaluation_marks (at) WHERE until IS NULL",
    "CREATE INDEX ranges_to_count ON evaluation_marks (id) WHERE until IS NOT NULL",
    "CREATE INDEX counts_by_start ON evaluation_counts (step, start_at)",
    // Tombstones are counted too; lists have no index of them.
    "CREATE INDEX erased_by_time ON predictions (created_at) WHERE erased_at IS NOT NULL",
    "CREATE INDEX results_by_model ON evaluation_results (model, id)",
];

/// Of a prediction's columns those that are counted; others change often.
const COUNTED: [&str; 8] = [
    "created_at",
    "predicted_class",
    "confidence",
    "model_version",
    "flag IS NULL",
    "corrected_class IS NULL",
    "visitor",
    // Nobody was told of it yet.
    "stored_at IS NULL AND spool_file IS NULL AND erased_at IS NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        tables(manager).await?;
        let connection = manager.get_connection();
        for sql in INDEXES {
            connection.execute_unprepared(sql).await?;
        }
        for sql in triggers(connection.get_database_backend()) {
            connection.execute_unprepared(&sql).await?;
        }
        let state = evaluation_state::ActiveModel { id: Set(1), campaign_id: Set(None), visitors_until: Set(None) };
        state.insert(connection).await?;
        // What is there already.
        mark_everything(connection).await
    }
}

/// The class that stands in a task, as SQL; nothing where none does.
pub(in crate::catalog) fn seen_label(backend: DbBackend) -> &'static str {
    if backend == DbBackend::Sqlite {
        "json_extract(tasks.resolved, '$.label')"
    } else {
        "(tasks.resolved ->> 'label')"
    }
}

/// Has everything counted anew.
pub(in crate::catalog) async fn mark_everything<C: ConnectionTrait>(connection: &C) -> Result<(), DbErr> {
    let time = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().map_err(|it| DbErr::Custom(it.to_string()));
    let mark = evaluation_mark::ActiveModel {
        at: Set(time("1970-01-01T00:00:00Z")?),
        until: Set(Some(time("2300-01-01T00:00:00Z")?)),
        ..Default::default()
    };
    mark.insert(connection).await.map(drop)
}

async fn tables(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use evaluation_mark::Column as M;
    let marks = Table::create()
        .table(evaluation_mark::Entity)
        .col(big_pk_auto(M::Id))
        .col(timestamp_with_time_zone(M::At))
        .col(timestamp_with_time_zone_null(M::Until))
        .to_owned();
    use evaluation_count::Column as C;
    let counts = Table::create()
        .table(evaluation_count::Entity)
        .col(string(C::Step))
        .col(timestamp_with_time_zone(C::StartAt))
        .col(string(C::Model))
        .col(big_integer(C::Photos))
        .col(big_integer(C::RandomRight))
        .col(big_integer(C::RandomWrong))
        .col(big_integer(C::Waiting))
        .col(timestamp_with_time_zone_null(C::WaitingSince))
        .col(text(C::Counts))
        .primary_key(Index::create().col(C::Model).col(C::Step).col(C::StartAt))
        .to_owned();
    use evaluation_reference::Column as R;
    let references = Table::create()
        .table(evaluation_reference::Entity)
        .col(string(R::Model).primary_key())
        .col(timestamp_with_time_zone(R::FromAt))
        .col(timestamp_with_time_zone(R::ToAt))
        .col(text(R::Counts))
        .to_owned();
    use evaluation_result::Column as P;
    let results = Table::create()
        .table(evaluation_result::Entity)
        .col(big_pk_auto(P::Id))
        .col(timestamp_with_time_zone(P::ComputedAt))
        .col(string(P::Model))
        .col(timestamp_with_time_zone(P::FromAt))
        .col(timestamp_with_time_zone(P::ToAt))
        .col(text(P::Result))
        .col(text(P::Manifest))
        .to_owned();
    use evaluation_state::Column as S;
    let state = Table::create()
        .table(evaluation_state::Entity)
        .col(integer(S::Id).primary_key())
        .col(uuid_null(S::CampaignId))
        .col(timestamp_with_time_zone_null(S::VisitorsUntil))
        .to_owned();
    use draw::Column as D;
    let draws = Table::create()
        .table(draw::Entity)
        .col(uuid(D::Id).primary_key())
        .col(uuid(D::CampaignId))
        .col(big_integer_null(D::BatchId))
        .col(integer(D::Parts))
        .col(integer(D::Written))
        .col(json(D::Strata))
        .to_owned();
    use draw_part::Column as A;
    let parts = Table::create()
        .table(draw_part::Entity)
        .col(uuid(A::DrawId))
        .col(integer(A::Part))
        .col(text(A::Photos))
        .primary_key(Index::create().col(A::DrawId).col(A::Part))
        .to_owned();
    for table in [marks, counts, references, results, state, draws, parts] {
        manager.create_table(table).await?;
    }
    Ok(())
}

/// What a trigger does: its table, its event, when, and the statement.
struct Trigger {
    table: &'static str,
    event: &'static str,
    when: Option<String>,
    statement: String,
}

fn marks(backend: DbBackend) -> Vec<Trigger> {
    let distinct = if backend == DbBackend::Sqlite { "IS NOT" } else { "IS DISTINCT FROM" };
    let of_row = |expression: &str, row: &str| {
        expression
            .split(' ')
            .map(|word| {
                if word.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                    format!("{row}.{word}")
                } else {
                    word.to_owned()
                }
            })
            .collect::<Vec<_>>()
            .join(" ")
    };
    let changed: Vec<String> = COUNTED
        .iter()
        .map(|expression| format!("({}) {distinct} ({})", of_row(expression, "OLD"), of_row(expression, "NEW")))
        .collect();
    let mark = |row: &str| format!("INSERT INTO evaluation_marks (at) VALUES ({row}.created_at);");
    let range = |row: &str| {
        format!("INSERT INTO evaluation_marks (at, until) VALUES ({row}.interval_start, {row}.interval_end);")
    };
    // JSON has no equality on PostgreSQL.
    let text = |row: &str| {
        if backend == DbBackend::Sqlite { format!("{row}.resolved") } else { format!("{row}.resolved::text") }
    };
    let labelled = format!(
        "{} {distinct} {} OR (OLD.closed_at IS NULL) {distinct} (NEW.closed_at IS NULL)",
        text("OLD"),
        text("NEW")
    );
    let of_task = "INSERT INTO evaluation_marks (at) SELECT created_at FROM predictions WHERE id = NEW.prediction_id;";
    let of_draw = "INSERT INTO evaluation_marks (at, until) \
                   SELECT interval_start, interval_end FROM batches WHERE id = OLD.batch_id;";
    // Two people's labels are held against each other, whether or not they change which one stands.
    let of_annotation = "INSERT INTO evaluation_marks (at) SELECT predictions.created_at FROM tasks \
                         JOIN predictions ON predictions.id = tasks.prediction_id WHERE tasks.id = NEW.task_id;";
    let replaced = format!("(OLD.replaced_at IS NULL) {distinct} (NEW.replaced_at IS NULL)");
    let trigger = |table, event, when, statement| Trigger { table, event, when, statement };
    vec![
        trigger("predictions", "INSERT", None, mark("NEW")),
        trigger("predictions", "UPDATE", Some(changed.join(" OR ")), format!("{} {}", mark("OLD"), mark("NEW"))),
        trigger("predictions", "DELETE", None, mark("OLD")),
        // What a batch has considered counts when its draw is written, and never changes.
        trigger("draws", "DELETE", Some("OLD.batch_id IS NOT NULL".to_owned()), of_draw.to_owned()),
        trigger("batches", "INSERT", None, range("NEW")),
        trigger("batches", "DELETE", None, range("OLD")),
        trigger("tasks", "UPDATE", Some(labelled), of_task.to_owned()),
        trigger("annotations", "INSERT", None, of_annotation.to_owned()),
        trigger("annotations", "UPDATE", Some(replaced), of_annotation.to_owned()),
    ]
}

fn triggers(backend: DbBackend) -> Vec<String> {
    let mut statements = Vec::new();
    for Trigger { table, event, when, statement } in marks(backend) {
        let name = format!("counted_{table}_{}", event.to_lowercase());
        let when = when.map(|when| format!("WHEN ({when}) ")).unwrap_or_default();
        if backend == DbBackend::Sqlite {
            let sql =
                format!("CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW {when}BEGIN {statement} END");
            statements.push(sql);
            continue;
        }
        statements.push(format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $mark$ BEGIN {statement} RETURN NULL; END $mark$"
        ));
        statements.push(format!(
            "CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW {when}EXECUTE FUNCTION {name}()"
        ));
    }
    // What was published stays as it was.
    if backend == DbBackend::Sqlite {
        for event in ["UPDATE", "DELETE"] {
            statements.push(format!(
                "CREATE TRIGGER published_{event} BEFORE {event} ON evaluation_results BEGIN \
                 SELECT RAISE(ABORT, 'published evaluations are never changed'); END"
            ));
        }
    } else {
        statements.push(
            "CREATE FUNCTION published_evaluations() RETURNS trigger LANGUAGE plpgsql AS $stay$ BEGIN \
             RAISE EXCEPTION 'published evaluations are never changed'; END $stay$"
                .to_owned(),
        );
        statements.push(
            "CREATE TRIGGER published_stay BEFORE UPDATE OR DELETE ON evaluation_results FOR EACH ROW \
             EXECUTE FUNCTION published_evaluations()"
                .to_owned(),
        );
    }
    statements
}
