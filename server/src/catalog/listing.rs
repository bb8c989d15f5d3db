//! Lists of predictions: by filter, in three orders, a page at a time.
//!
//! Pages are found by where the last one ended (its row's columns of the order), never by counting rows: page one and
//! page ten thousand cost the same. The indexes that make it so are told of in `migration/m003_explore.rs`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use gourmetgram_api::{
    Cursor, Facets, Neighbours, Place, PredictionId, PredictionPage, PredictionQuery, SortKey, SortOrder, Total,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, IdenStatic, Order, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select, Statement,
    sea_query::{Expr, IntoCondition, Query},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Catalog, CatalogError, Whose,
    entity::{
        campaign,
        prediction::{self, Column},
        task,
    },
    migration::m009_evaluation,
    predictions::{to_api, without_labelling},
};

/// Predictions on a page where the client did not say.
pub(super) const DEFAULT_PAGE: u16 = 50;
/// Most predictions on a page.
pub const MAX_PAGE: u16 = 200;
/// How far matches are counted: an exact number of many would cost a walk over all of them, and nobody reads past
/// "more than a thousand".
const COUNT_LIMIT: u32 = 1000;
/// So many rows are sorted in a few milliseconds.
const QUICKLY_SORTED: u64 = 2000;
/// Most values of one facet: each costs a step in an index.
const MAX_FACETS: usize = 100;

impl Catalog {
    /// A page of predictions. Erased ones are never listed.
    pub async fn predictions(&self, whose: Whose<'_>, query: &PredictionQuery) -> Result<PredictionPage, CatalogError> {
        let limit = usize::from(query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE));
        let (key, _) = query.sorted_by();
        let mut rows = page_of(&self.passing(query).await?, whose, query)?.all(&self.read).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| Position::of(key, last).to_cursor(query));
        let items = rows.into_iter().map(|row| {
            let prediction = to_api(row, Vec::new())?;
            Ok(match whose {
                Whose::Everybodys => prediction,
                Whose::OfVisitor(_) => without_labelling(prediction),
            })
        });
        let items = items.collect::<Result<Vec<_>, CatalogError>>()?;
        let total = match query.count {
            Some(true) => Some(self.total(whose, query).await?),
            _ => None,
        };
        Ok(PredictionPage { items, next_cursor, total })
    }

    async fn total(&self, whose: Whose<'_>, query: &PredictionQuery) -> Result<Total, CatalogError> {
        let ids: Vec<Uuid> = counted(&self.passing(query).await?, whose, query).into_tuple().all(&self.read).await?;
        let found = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let or_more = found > COUNT_LIMIT;
        Ok(Total { counted: if or_more { COUNT_LIMIT } else { found }, or_more })
    }

    /// What stands before and after `row` in a list, whether or not the list has the row itself.
    pub async fn neighbours(
        &self,
        whose: Whose<'_>,
        query: &PredictionQuery,
        row: &prediction::Model,
    ) -> Result<Neighbours, CatalogError> {
        let (key, order) = query.sorted_by();
        let position = Position::of(key, row);
        let passing = &self.passing(query).await?;
        let beside = async |order: SortOrder| {
            let version = version_walked(passing.0, whose, query);
            let select = in_order(living(passing, whose, query), key, order, version);
            let found: Option<Uuid> = select
                .filter(position.beyond(order, version))
                .select_only()
                .column(Column::Id)
                .limit(1)
                .into_tuple()
                .one(&self.read)
                .await?;
            Ok::<_, CatalogError>(found.and_then(|id| PredictionId::try_from(id).ok()))
        };
        Ok(Neighbours { previous: beside(order.reversed()).await?, next: beside(order).await? })
    }

    /// The values filters can be given. Each is found by one step in an index, not by looking at every row.
    pub async fn facets(&self) -> Result<Facets, CatalogError> {
        Ok(Facets {
            classes: self.values_of(Column::PredictedClass, Condition::all()).await?,
            model_versions: self.values_of(Column::ModelVersion, Condition::all()).await?,
            annotators: self.values_of(Column::AnnotatedBy, Column::AnnotatedBy.is_not_null().into_condition()).await?,
            campaigns: campaign::Entity::find()
                .select_only()
                .column(campaign::Column::Name)
                .order_by_desc(campaign::Column::Id)
                .limit(MAX_FACETS as u64)
                .into_tuple()
                .all(&self.read)
                .await?,
        })
    }

    async fn values_of(&self, column: Column, having: Condition) -> Result<Vec<String>, CatalogError> {
        let mut values: Vec<String> = Vec::new();
        while values.len() < MAX_FACETS {
            let mut select = prediction::Entity::find().filter(Column::ErasedAt.is_null()).filter(having.clone());
            if let Some(last) = values.last() {
                select = select.filter(column.gt(last));
            }
            let next = select.order_by_asc(column).select_only().column(column).limit(1).into_tuple().one(&self.read);
            match next.await? {
                Some(value) => values.push(value),
                None => break,
            }
        }
        Ok(values)
    }

    /// Which ranges the walk is to pass over in its own index.
    ///
    /// Where the list has another order than the range, SQLite guesses that few rows lie in the range, takes the
    /// range's index and sorts what it found: seconds, if it was a third of a million. So it is told: where the range
    /// holds more rows than are quickly sorted, a unary plus keeps SQLite from its index. PostgreSQL knows how many
    /// rows a range holds.
    async fn passing(&self, query: &PredictionQuery) -> Result<Passing, CatalogError> {
        let backend = self.read.get_database_backend();
        let mut passed_over = Vec::new();
        if backend != DbBackend::Sqlite {
            return Ok((backend, passed_over));
        }
        let (key, _) = query.sorted_by();
        let confidence = PredictionQuery {
            confidence_min: query.confidence_min,
            confidence_max: query.confidence_max,
            sort: Some(SortKey::Confidence),
            ..PredictionQuery::default()
        };
        let time = PredictionQuery { from: query.from, to: query.to, ..PredictionQuery::default() };
        for (column, range, is_across) in [
            (Column::Confidence, confidence, key != SortKey::Confidence),
            (Column::CreatedAt, time, key == SortKey::Confidence || (key == SortKey::Class && query.class.is_none())),
        ] {
            let is_open = range.confidence_min.is_none()
                && range.confidence_max.is_none()
                && range.from.is_none()
                && range.to.is_none();
            if is_open || !is_across {
                continue;
            }
            let few = living(&(backend, Vec::new()), Whose::Everybodys, &range)
                .select_only()
                .column(Column::Id)
                .limit(QUICKLY_SORTED + 1);
            let few: Vec<Uuid> = few.into_tuple().all(&self.read).await?;
            if few.len() as u64 > QUICKLY_SORTED {
                passed_over.push(column);
            }
        }
        Ok((backend, passed_over))
    }

    /// How the database would find a page (`counting`: the number of matches): for tests and benchmarks.
    pub async fn explain(
        &self,
        whose: Whose<'_>,
        query: &PredictionQuery,
        counting: bool,
    ) -> Result<String, CatalogError> {
        let passing = &self.passing(query).await?;
        let backend = passing.0;
        let mut statement = if counting {
            counted(passing, whose, query).build(backend)
        } else {
            page_of(passing, whose, query)?.build(backend)
        };
        let (prefix, column) = match backend {
            DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", "detail"),
            _ => ("EXPLAIN", "QUERY PLAN"),
        };
        statement.sql = format!("{prefix} {}", statement.sql);
        let lines = self.read.query_all_raw(Statement { db_backend: backend, ..statement }).await?;
        let lines: Result<Vec<String>, _> = lines.iter().map(|line| line.try_get("", column)).collect();
        Ok(lines?.join("\n"))
    }
}

/// The database, and the ranges that SQLite must not look up but pass over.
type Passing = (DbBackend, Vec<Column>);

/// The rows of a page, and one more that tells whether there is another.
fn page_of(
    passing: &Passing,
    whose: Whose<'_>,
    query: &PredictionQuery,
) -> Result<Select<prediction::Entity>, CatalogError> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE);
    let (key, order) = query.sorted_by();
    let version = version_walked(passing.0, whose, query);
    let mut select = in_order(living(passing, whose, query), key, order, version);
    if let Some(cursor) = &query.cursor {
        select = select.filter(Position::read(cursor, query)?.beyond(order, version));
    }
    Ok(select.limit(u64::from(limit) + 1))
}

fn counted(passing: &Passing, whose: Whose<'_>, query: &PredictionQuery) -> Select<prediction::Entity> {
    // In an order, so that the database walks an index until it has counted enough.
    let (key, order) = query.sorted_by();
    in_order(living(passing, whose, query), key, order, version_walked(passing.0, whose, query))
        .select_only()
        .column(Column::Id)
        .limit(u64::from(COUNT_LIMIT) + 1)
}

/// The model version whose photos are listed by time, where PostgreSQL is to walk the index of versions.
///
/// Versions follow each other in time. PostgreSQL takes them to be spread evenly, and would look for an old one's newest
/// photos in the index of all photos by time, passing over everything that newer versions have answered: 151 ms behind
/// 400,000 photos. So the version is written as a range of one, and stands first in the order: no other index has that
/// order. Where a filter leaves few photos anyway, its own index is as good, and PostgreSQL may choose.
fn version_walked<'a>(backend: DbBackend, whose: Whose<'_>, query: &'a PredictionQuery) -> Option<&'a str> {
    let leaves_many = query.class.is_none()
        && query.confidence_min.is_none()
        && query.confidence_max.is_none()
        && query.flagged != Some(true)
        && query.reason.is_none()
        && query.corrected != Some(true)
        && query.annotated != Some(true)
        && query.annotator.is_none()
        && query.device.is_none()
        && query.source.is_none()
        && query.place.is_none_or(|place| place == Place::Production);
    let is_walk = backend == DbBackend::Postgres
        && matches!(whose, Whose::Everybodys)
        && query.sorted_by().0 == SortKey::Time
        && leaves_many;
    query.model_version.as_deref().filter(|_| is_walk)
}

/// What meets the filters.
fn living((backend, passed_over): &Passing, whose: Whose<'_>, query: &PredictionQuery) -> Select<prediction::Entity> {
    let ranged = |column: Column, than: &str, value: sea_orm::Value| {
        let plus = if passed_over.iter().any(|passed| passed.as_str() == column.as_str()) { "+" } else { "" };
        let sign = if *backend == DbBackend::Sqlite { "?" } else { "$1" };
        Expr::cust_with_values(format!("{plus}\"{}\" {than} {sign}", column.as_str()), [value])
    };
    let walked = version_walked(*backend, whose, query);
    let within_version = |version: &str, time: DateTime<Utc>| {
        let columns = Expr::tuple([Expr::col(Column::ModelVersion), Expr::col(Column::CreatedAt)]);
        (columns, Expr::tuple([Expr::val(version), Expr::val(time)]))
    };
    let standing = |column: Column, stands: bool| if stands { column.is_not_null() } else { column.is_null() };
    // A reason or a name implies that there is one. Saying both would have PostgreSQL expect fewer rows than there are.
    let flagged = query.flagged.filter(|_| query.reason.is_none());
    let standing_label = query.label.as_deref().filter(|_| query.campaign.is_none());
    let annotated = query.annotated.filter(|_| query.annotator.is_none() && standing_label.is_none());
    let wanted = Condition::all()
        .add(Column::ErasedAt.is_null())
        .add_option(match whose {
            Whose::Everybodys => None,
            Whose::OfVisitor(visitor) => Some(Column::Visitor.eq(visitor)),
        })
        .add_option(query.class.as_deref().map(|class| Column::PredictedClass.eq(class)))
        .add_option(query.confidence_min.map(|least| ranged(Column::Confidence, ">=", least.get().into())))
        .add_option(query.confidence_max.map(|most| ranged(Column::Confidence, "<=", most.get().into())))
        .add_option(flagged.map(|flagged| standing(Column::Flag, flagged)))
        .add_option(query.reason.map(|reason| Column::Flag.eq(reason.as_str())))
        .add_option(query.corrected.map(|corrected| standing(Column::CorrectedClass, corrected)))
        .add_option(query.device.map(|device| Column::DeviceComparison.eq(device.as_str())))
        .add_option(annotated.map(|annotated| standing(Column::AnnotatedClass, annotated)))
        .add_option(query.annotator.as_deref().map(|name| Column::AnnotatedBy.eq(name)))
        .add_option(standing_label.map(|label| Column::AnnotatedClass.eq(label)))
        .add_option(query.campaign.as_deref().map(|name| chosen_by(*backend, name, query.label.as_deref())))
        .add_option(query.model_version.as_deref().map(|version| match walked {
            None => Column::ModelVersion.eq(version),
            Some(_) => Column::ModelVersion.between(version, version),
        }))
        .add_option(query.source.as_deref().map(|source| Column::Source.eq(source)))
        .add_option(query.from.map(|from| match walked.map(|version| within_version(version, from)) {
            None => ranged(Column::CreatedAt, ">=", from.into()),
            Some((columns, first)) => columns.gte(first),
        }))
        .add_option(query.to.map(|to| match walked.map(|version| within_version(version, to)) {
            None => ranged(Column::CreatedAt, "<", to.into()),
            Some((columns, end)) => columns.lt(end),
        }))
        .add_option(query.place.map(|place| match place {
            Place::Production => Column::StoredAt.is_not_null(),
            Place::LabelWait => Column::LabelWaitSince.is_not_null(),
            Place::Noisy => Column::NoisySince.is_not_null(),
            Place::Clean => Column::CleanSince.is_not_null(),
        }));
    prediction::Entity::find().filter(wanted)
}

/// The photo is one that a campaign chose; with a label, one of which that is what stands in the campaign.
fn chosen_by(backend: DbBackend, campaign: &str, label: Option<&str>) -> Expr {
    let named = Query::select()
        .column(campaign::Column::Id)
        .from(campaign::Entity)
        .and_where(campaign::Column::Name.eq(campaign))
        .to_owned();
    let mut tasks = Query::select()
        .column(task::Column::PredictionId)
        .from(task::Entity)
        .and_where(task::Column::CampaignId.in_subquery(named))
        .to_owned();
    if let Some(label) = label {
        let seen = m009_evaluation::seen_label(backend);
        let sign = if backend == DbBackend::Sqlite { "?" } else { "$1" };
        tasks.and_where(Expr::cust_with_values(format!("{seen} = {sign}"), [label]));
    }
    Column::Id.in_subquery(tasks)
}

/// The columns of an order; the id comes last, so that no two rows stand at one place.
fn columns_of(key: SortKey) -> &'static [Column] {
    match key {
        SortKey::Time => &[Column::CreatedAt, Column::Id],
        SortKey::Confidence => &[Column::Confidence, Column::Id],
        SortKey::Class => &[Column::PredictedClass, Column::CreatedAt, Column::Id],
    }
}

/// In an order; where a version is walked, within that version.
fn in_order(
    select: Select<prediction::Entity>,
    key: SortKey,
    order: SortOrder,
    version: Option<&str>,
) -> Select<prediction::Entity> {
    let order = match order {
        SortOrder::Ascending => Order::Asc,
        SortOrder::Descending => Order::Desc,
    };
    let first = version.map(|_| &Column::ModelVersion).into_iter();
    first.chain(columns_of(key)).fold(select, |select, column| select.order_by(*column, order.clone()))
}

/// A place in a list: the columns of its order, as one row has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Position {
    #[serde(rename = "t")]
    Time(i64, Uuid),
    #[serde(rename = "c")]
    Confidence(f32, Uuid),
    #[serde(rename = "k")]
    Class(String, i64, Uuid),
}

const FOREIGN: CatalogError = CatalogError::BadCursor("the cursor is none of ours: start from the first page");

impl Position {
    fn of(key: SortKey, row: &prediction::Model) -> Self {
        let time = row.created_at.timestamp_micros();
        match key {
            SortKey::Time => Self::Time(time, row.id),
            SortKey::Confidence => Self::Confidence(row.confidence, row.id),
            SortKey::Class => Self::Class(row.predicted_class.clone(), time, row.id),
        }
    }

    fn key(&self) -> SortKey {
        match self {
            Self::Time(..) => SortKey::Time,
            Self::Confidence(..) => SortKey::Confidence,
            Self::Class(..) => SortKey::Class,
        }
    }

    fn to_cursor(&self, query: &PredictionQuery) -> Cursor {
        let (_, order) = query.sorted_by();
        // Numbers and texts of our own always become JSON.
        Cursor(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(order.as_str(), self)).unwrap_or_default()))
    }

    /// Reads a cursor. It holds nothing secret and opens nothing, so it is not signed; but what stands in it goes to
    /// the database, so it must be what we could have written.
    fn read(cursor: &Cursor, query: &PredictionQuery) -> Result<Self, CatalogError> {
        if cursor.0.len() > 1024 {
            return Err(FOREIGN);
        }
        let json = URL_SAFE_NO_PAD.decode(&cursor.0).map_err(|_| FOREIGN)?;
        let (order, position): (String, Self) = serde_json::from_slice(&json).map_err(|_| FOREIGN)?;
        let plausible = match &position {
            Self::Time(time, _) => is_our_time(*time),
            Self::Confidence(value, _) => value.is_finite(),
            Self::Class(label, time, _) => is_our_time(*time) && !label.contains('\0'),
        };
        if !plausible {
            return Err(FOREIGN);
        }
        let (key, wanted) = query.sorted_by();
        if position.key() != key || order != wanted.as_str() {
            return Err(CatalogError::BadCursor(
                "the cursor belongs to another sort or order: start from the first page",
            ));
        }
        Ok(position)
    }

    /// What comes after this place in an order. One comparison of rows, which both databases look up in an index.
    fn beyond(&self, order: SortOrder, version: Option<&str>) -> Expr {
        let here = match self {
            Self::Time(time, id) => vec![Expr::val(from_micros(*time)), Expr::val(*id)],
            Self::Confidence(value, id) => vec![Expr::val(*value), Expr::val(*id)],
            Self::Class(label, time, id) => {
                vec![Expr::val(label.as_str()), Expr::val(from_micros(*time)), Expr::val(*id)]
            }
        };
        let first = version.map(|_| &Column::ModelVersion).into_iter();
        let columns = Expr::tuple(first.chain(columns_of(self.key())).map(|column| Expr::col(*column)));
        let here = Expr::tuple(version.map(Expr::val).into_iter().chain(here));
        match order {
            SortOrder::Ascending => columns.gt(here),
            SortOrder::Descending => columns.lt(here),
        }
    }
}

fn is_our_time(micros: i64) -> bool {
    use chrono::Datelike;
    DateTime::from_timestamp_micros(micros).is_some_and(|time| (1..=9999).contains(&time.year()))
}

fn from_micros(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(sort: SortKey) -> PredictionQuery {
        PredictionQuery { sort: Some(sort), ..PredictionQuery::default() }
    }

    #[test]
    fn a_cursor_reads_back_for_its_own_order_only() {
        let id = Uuid::now_v7();
        for position in [
            Position::Time(1_795_429_680_123_000, id),
            Position::Confidence(0.1 + 0.2, id),
            Position::Class("Noodles/Pasta".to_owned(), 0, id),
        ] {
            let own = query(position.key());
            let cursor = position.to_cursor(&own);
            assert_eq!(Position::read(&cursor, &own).unwrap(), position);
            let (_, order) = own.sorted_by();
            let turned = PredictionQuery { order: Some(order.reversed()), ..own };
            assert!(Position::read(&cursor, &turned).is_err());
            for other in SortKey::ALL.into_iter().filter(|key| *key != position.key()) {
                assert!(Position::read(&cursor, &query(other)).is_err());
            }
        }
    }

    #[test]
    fn what_we_could_not_have_written_is_no_cursor() {
        let encode = |text: &str| Cursor(URL_SAFE_NO_PAD.encode(text));
        let id = Uuid::now_v7();
        for cursor in [
            Cursor(String::new()),
            Cursor("%".to_owned()),
            Cursor("A".repeat(100_000)),
            encode("[]"),
            encode("{\"t\":1}"),
            encode(&format!("[\"desc\",{{\"t\":[{},\"{id}\"]}}]", i64::MAX)),
            encode(&format!("[\"desc\",{{\"t\":[\"' OR 1=1 --\",\"{id}\"]}}]")),
        ] {
            assert!(Position::read(&cursor, &PredictionQuery::default()).is_err(), "{cursor}");
        }
        let nul = encode(&format!("[\"asc\",{{\"k\":[\"a\\u0000\",0,\"{id}\"]}}]"));
        assert!(Position::read(&nul, &query(SortKey::Class)).is_err());
    }
}
