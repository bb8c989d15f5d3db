//! What is known of Label Studio: which project is whose, which task has which number there, and what was said there.

use std::collections::{BTreeMap, HashMap};

use gourmetgram_api::Place;
use gourmetgram_label_studio::{AnnotationId, ProjectId, RemoteTaskId, collect::Standing};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};
use uuid::Uuid;

use super::{
    Catalog, CatalogError,
    annotations::read_seen,
    entity::{annotation, campaign, placement, prediction, task},
};

/// Tasks that are read or written by one statement.
const ROWS: usize = 500;

/// A task that is to be brought to Label Studio.
#[derive(Clone, Debug)]
pub struct ToImport {
    /// The task.
    pub task: task::Model,
    /// Its photo.
    pub photo: prediction::Model,
    /// Where the copy lies that its annotators look at.
    pub object_key: String,
}

/// A task of ours, as far as Label Studio is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownTask {
    /// Its number there, where it is known.
    pub remote: Option<RemoteTaskId>,
    /// It is closed: it has its labels, or its photo was erased.
    pub is_closed: bool,
}

impl Catalog {
    /// The project that a campaign has in Label Studio.
    pub async fn project_of(&self, campaign: Uuid) -> Result<Option<ProjectId>, CatalogError> {
        let row = campaign::Entity::find_by_id(campaign).one(&self.read).await?.ok_or(CatalogError::NoCampaign)?;
        Ok(row.project.map(ProjectId))
    }

    /// The projects of all campaigns that have one.
    pub async fn projects(&self) -> Result<Vec<(Uuid, ProjectId)>, CatalogError> {
        let rows: Vec<(Uuid, Option<i64>)> = campaign::Entity::find()
            .select_only()
            .columns([campaign::Column::Id, campaign::Column::Project])
            .filter(campaign::Column::Project.is_not_null())
            .into_tuple()
            .all(&self.read)
            .await?;
        Ok(rows.into_iter().filter_map(|(campaign, project)| Some((campaign, ProjectId(project?)))).collect())
    }

    /// Notes which project a campaign has. Where it had another one before, that one is gone: its tasks are brought to
    /// the new one, and what was said there stands and is compared no more.
    pub async fn set_project(&self, campaign: Uuid, project: ProjectId) -> Result<(), CatalogError> {
        let transaction = self.begin().await?;
        let row = campaign::Entity::find_by_id(campaign).lock_exclusive().one(&transaction).await?;
        let row = row.ok_or(CatalogError::NoCampaign)?;
        if row.project == Some(project.0) {
            return Ok(());
        }
        if row.project.is_some() {
            annotation::Entity::update_many()
                .set(annotation::ActiveModel { remote_id: Set(None), ..Default::default() })
                .filter(annotation::Column::TaskId.in_subquery(tasks_of(campaign)))
                .exec(&transaction)
                .await?;
            task::Entity::update_many()
                .set(task::ActiveModel { remote_id: Set(None), ..Default::default() })
                .filter(task::Column::CampaignId.eq(campaign))
                .exec(&transaction)
                .await?;
        }
        campaign::ActiveModel { id: Set(campaign), project: Set(Some(project.0)), ..Default::default() }
            .update(&transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// The next open tasks of a campaign that are not known to be in Label Studio and whose copies lie where annotators
    /// look, in the order in which tasks are shown, behind the place `after`.
    pub async fn tasks_to_import(
        &self,
        campaign: Uuid,
        after: Option<(i64, Uuid)>,
        most: u64,
    ) -> Result<(Vec<ToImport>, Option<(i64, Uuid)>), CatalogError> {
        let mut select = task::Entity::find()
            .filter(task::Column::CampaignId.eq(campaign))
            .filter(task::Column::ClosedAt.is_null())
            .filter(task::Column::RemoteId.is_null())
            .order_by_asc(task::Column::Position)
            .order_by_asc(task::Column::Id)
            .limit(most);
        if let Some((position, id)) = after {
            let place = Expr::tuple([Expr::col(task::Column::Position), Expr::col(task::Column::Id)]);
            select = select.filter(place.gt(Expr::tuple([Expr::value(position), Expr::value(id)])));
        }
        let tasks = select.all(&self.read).await?;
        let last = tasks.last().map(|task| (task.position, task.id));
        let photos: HashMap<Uuid, prediction::Model> = prediction::Entity::find()
            .filter(prediction::Column::Id.is_in(tasks.iter().map(|task| task.prediction_id)))
            .filter(prediction::Column::ErasedAt.is_null())
            .all(&self.read)
            .await?
            .into_iter()
            .map(|photo| (photo.id, photo))
            .collect();
        let copies = placement::Entity::find()
            .filter(placement::Column::Bucket.eq(Place::LabelWait.as_str()))
            .filter(placement::Column::PlacedAt.is_not_null())
            .filter(placement::Column::PredictionId.is_in(photos.keys().copied()))
            .all(&self.read)
            .await?;
        let copy_of = |task: Uuid| {
            let name = task.to_string();
            copies.iter().find(|copy| file_stem(&copy.object_key) == name).map(|copy| copy.object_key.clone())
        };
        let found = tasks.into_iter().filter_map(|task| {
            let photo = photos.get(&task.prediction_id)?.clone();
            Some(ToImport { object_key: copy_of(task.id)?, photo, task })
        });
        Ok((found.collect(), last))
    }

    /// Notes under which numbers tasks are in Label Studio.
    pub async fn note_imported(&self, imported: &[(Uuid, RemoteTaskId)]) -> Result<(), CatalogError> {
        let transaction = self.begin().await?;
        for (task, remote) in imported {
            let row = task::ActiveModel { remote_id: Set(Some(remote.0)), ..Default::default() };
            task::Entity::update_many().set(row).filter(task::Column::Id.eq(*task)).exec(&transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Notes that tasks are no longer in Label Studio under these numbers.
    pub async fn note_gone(&self, gone: &[(Uuid, RemoteTaskId)]) -> Result<(), CatalogError> {
        let transaction = self.begin().await?;
        for (task, remote) in gone {
            task::Entity::update_many()
                .set(task::ActiveModel { remote_id: Set(None), ..Default::default() })
                .filter(task::Column::Id.eq(*task))
                .filter(task::Column::RemoteId.eq(remote.0))
                .exec(&transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Every task of a campaign.
    pub async fn known_tasks(&self, campaign: Uuid) -> Result<HashMap<Uuid, KnownTask>, CatalogError> {
        let rows: Vec<(Uuid, Option<i64>, Option<chrono::DateTime<chrono::Utc>>)> = task::Entity::find()
            .select_only()
            .columns([task::Column::Id, task::Column::RemoteId, task::Column::ClosedAt])
            .filter(task::Column::CampaignId.eq(campaign))
            .into_tuple()
            .all(&self.read)
            .await?;
        let known = |(id, remote, closed_at): (Uuid, Option<i64>, Option<_>)| {
            (id, KnownTask { remote: remote.map(RemoteTaskId), is_closed: closed_at.is_some() })
        };
        Ok(rows.into_iter().map(known).collect())
    }

    /// Tasks of erased photos that are in Label Studio still.
    pub async fn tasks_to_take_away(&self, campaign: Uuid) -> Result<Vec<(Uuid, RemoteTaskId)>, CatalogError> {
        let rows: Vec<(Uuid, Option<i64>)> = task::Entity::find()
            .select_only()
            .columns([task::Column::Id, task::Column::RemoteId])
            .filter(task::Column::CampaignId.eq(campaign))
            .filter(task::Column::RemoteId.is_not_null())
            .filter(task::Column::PredictionId.in_subquery(erased()))
            .into_tuple()
            .all(&self.read)
            .await?;
        Ok(rows.into_iter().filter_map(|(task, remote)| Some((task, RemoteTaskId(remote?)))).collect())
    }

    /// What of Label Studio's annotations stands in the record of a campaign.
    pub async fn standing_in_label_studio(
        &self,
        campaign: Uuid,
    ) -> Result<BTreeMap<AnnotationId, Standing>, CatalogError> {
        let rows = annotation::Entity::find()
            .filter(annotation::Column::TaskId.in_subquery(tasks_of(campaign)))
            .filter(annotation::Column::RemoteId.is_not_null())
            .filter(annotation::Column::ReplacedAt.is_null())
            .all(&self.read)
            .await?;
        let mut standing = BTreeMap::new();
        for row in rows {
            let Some(remote) = row.remote_id.map(AnnotationId) else { continue };
            let seen = read_seen(&row)?;
            let annotator = row.annotator;
            let (task, at, took_ms) = (row.task_id, row.at, row.took_ms);
            standing.insert(remote, Standing { annotation: remote, task, annotator, seen, at, took_ms });
        }
        Ok(standing)
    }

    /// Those of these tasks whose photo was erased.
    pub async fn erased_among(&self, tasks: &[Uuid]) -> Result<Vec<Uuid>, CatalogError> {
        let mut found = Vec::new();
        for some in tasks.chunks(ROWS) {
            let erased: Vec<Uuid> = task::Entity::find()
                .select_only()
                .column(task::Column::Id)
                .filter(task::Column::Id.is_in(some.iter().copied()))
                .filter(task::Column::PredictionId.in_subquery(erased()))
                .into_tuple()
                .all(&self.read)
                .await?;
            found.extend(erased);
        }
        Ok(found)
    }

    /// The campaigns that have tasks about a photo in Label Studio.
    pub async fn campaigns_that_show(&self, photo: Uuid) -> Result<Vec<Uuid>, CatalogError> {
        let in_label_studio = Query::select()
            .column(campaign::Column::Id)
            .from(campaign::Entity)
            .and_where(campaign::Column::Project.is_not_null())
            .to_owned();
        Ok(task::Entity::find()
            .select_only()
            .column(task::Column::CampaignId)
            .filter(task::Column::PredictionId.eq(photo))
            .filter(task::Column::CampaignId.in_subquery(in_label_studio))
            .into_tuple()
            .all(&self.read)
            .await?)
    }
}

fn tasks_of(campaign: Uuid) -> SelectStatement {
    Query::select()
        .column(task::Column::Id)
        .from(task::Entity)
        .and_where(task::Column::CampaignId.eq(campaign))
        .to_owned()
}

fn erased() -> SelectStatement {
    Query::select()
        .column(prediction::Column::Id)
        .from(prediction::Entity)
        .and_where(prediction::Column::ErasedAt.is_not_null())
        .to_owned()
}

/// The name of an object without folders and extension.
fn file_stem(key: &str) -> &str {
    let file = key.rsplit('/').next().unwrap_or_default();
    file.split('.').next().unwrap_or_default()
}
