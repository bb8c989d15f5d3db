//! What people say about tasks. Saying it changes the task, the photo's label and, through the outbox, the buckets, all
//! in one commit.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, Utc};
use gourmetgram_api::{AnnotationPage, AnnotationQuery, AnnotationRecord, Cursor, LabelledIn, Seen};
use gourmetgram_label_studio::{AnnotationId, collect::Standing};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, prelude::Uuid, sea_query::Query,
};

use super::{
    Catalog, CatalogError,
    entity::{
        annotation::{self, Column},
        campaign, lease, prediction, task,
    },
    listing::{DEFAULT_PAGE, MAX_PAGE},
    now,
    resolution::{TaskVotes, Vote, resolve, resolve_photo},
    review::give_back,
};

/// Something said about a task.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    /// Who says it.
    pub annotator: &'a str,
    /// What they see.
    pub seen: &'a Seen,
    /// Where they say it.
    pub through: LabelledIn,
    /// How long they looked, in milliseconds, where known.
    pub took_ms: Option<u32>,
    /// When they say it.
    pub at: DateTime<Utc>,
}

/// What came of saying something.
#[derive(Clone, Debug, PartialEq)]
pub enum Annotated {
    /// It is recorded now; what the same annotator said before is replaced.
    Recorded(annotation::Model),
    /// They had said the same already, and nothing was changed.
    AsBefore(annotation::Model),
    /// Others have given all the labels that the task wants; nothing was changed.
    Full,
}

/// What is different about one task in Label Studio.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteChanges {
    /// Annotations that no longer stand.
    pub withdrawn: Vec<AnnotationId>,
    /// Annotations that are new, or say something else than they did.
    pub said: Vec<Standing>,
}

impl Catalog {
    /// Records what is different about a task in Label Studio. It can be done twice; what a later look has recorded
    /// already stays. Answers whether anything was changed. Unlike on our own pages, more labels than the task wants are
    /// taken: they were given.
    ///
    /// # Errors
    /// Among others [`CatalogError::NotFound`] where there is no such task, and [`CatalogError::Erased`] where its
    /// photo is gone.
    pub async fn follow_label_studio(&self, task: Uuid, changes: &RemoteChanges) -> Result<bool, CatalogError> {
        let transaction = self.begin().await?;
        let (photo, task) = lock(&transaction, task).await?;
        let mut stand = standing(&transaction, task.id).await?;
        let mut gone = Vec::new();
        stand.retain(|row| {
            let is_withdrawn = row.remote_id.is_some_and(|id| changes.withdrawn.contains(&AnnotationId(id)));
            if is_withdrawn {
                gone.push(row.id);
            }
            !is_withdrawn
        });
        let campaign = campaign::Entity::find_by_id(task.campaign_id).one(&transaction).await?;
        let blind = campaign.is_some_and(|campaign| campaign.blind);
        let mut rows = Vec::new();
        for said in &changes.said {
            let at = said.at.trunc_subsecs(3);
            let in_its_place =
                |row: &&annotation::Model| row.annotator == said.annotator || row.remote_id == Some(said.annotation.0);
            let before: Vec<&annotation::Model> = stand.iter().filter(in_its_place).collect();
            let mut is_known = false;
            for row in &before {
                let is_same = row.remote_id == Some(said.annotation.0)
                    && row.annotator == said.annotator
                    && read_seen(row)? == said.seen;
                is_known |= is_same || row.at > at;
            }
            if is_known {
                continue;
            }
            gone.extend(before.iter().map(|row| row.id));
            rows.push(annotation::ActiveModel {
                id: Set(Uuid::now_v7()),
                task_id: Set(task.id),
                annotator: Set(said.annotator.clone()),
                seen: Set(write_seen(&said.seen)?),
                through: Set(LabelledIn::LabelStudio.as_str().to_owned()),
                blind: Set(blind),
                took_ms: Set(said.took_ms),
                remote_id: Set(Some(said.annotation.0)),
                at: Set(at),
                replaced_at: Set(None),
            });
        }
        if gone.is_empty() && rows.is_empty() {
            return Ok(false);
        }
        for id in gone {
            replace(&transaction, id).await?;
        }
        for row in rows {
            row.insert(&transaction).await?;
        }
        settle(&transaction, &photo, &task).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Records what somebody says about a task, in place of what they said before.
    ///
    /// # Errors
    /// Among others [`CatalogError::NotFound`] where there is no such task, and [`CatalogError::Erased`] where its
    /// photo is gone.
    pub async fn annotate(&self, task: Uuid, said: &Said<'_>) -> Result<Annotated, CatalogError> {
        let transaction = self.begin().await?;
        let (photo, task) = lock(&transaction, task).await?;
        let before = standing(&transaction, task.id)
            .await?
            .into_iter()
            .find(|annotation| annotation.annotator == said.annotator);
        match &before {
            Some(before) if read_seen(before)? == *said.seen => return Ok(Annotated::AsBefore(before.clone())),
            Some(before) => replace(&transaction, before.id).await?,
            None if task.given >= task.wanted => return Ok(Annotated::Full),
            None => {}
        }
        let campaign = campaign::Entity::find_by_id(task.campaign_id).one(&transaction).await?;
        let row = annotation::ActiveModel {
            id: Set(Uuid::now_v7()),
            task_id: Set(task.id),
            annotator: Set(said.annotator.to_owned()),
            seen: Set(write_seen(said.seen)?),
            through: Set(said.through.as_str().to_owned()),
            blind: Set(campaign.is_some_and(|campaign| campaign.blind)),
            took_ms: Set(said.took_ms.map(i64::from)),
            remote_id: Set(None),
            at: Set(said.at),
            replaced_at: Set(None),
        };
        let row = row.insert(&transaction).await?;
        lease::Entity::delete_by_id((task.id, said.annotator.to_owned())).exec(&transaction).await?;
        settle(&transaction, &photo, &task).await?;
        transaction.commit().await?;
        Ok(Annotated::Recorded(row))
    }

    /// An annotation, standing or not.
    pub async fn annotation(&self, id: Uuid) -> Result<Option<annotation::Model>, CatalogError> {
        Ok(annotation::Entity::find_by_id(id).one(&self.read).await?)
    }

    /// Takes an annotation back. The task is its annotator's again, as if they had not answered. Taking back what does
    /// not stand changes nothing.
    pub async fn take_back(&self, id: Uuid) -> Result<(), CatalogError> {
        let transaction = self.begin().await?;
        let row = annotation::Entity::find_by_id(id).one(&transaction).await?.ok_or(CatalogError::NotFound)?;
        let (photo, task) = lock(&transaction, row.task_id).await?;
        // Once more under the lock: somebody may have been faster.
        let stands = annotation::Entity::find_by_id(id).filter(Column::ReplacedAt.is_null()).one(&transaction).await?;
        let Some(row) = stands else { return Ok(()) };
        replace(&transaction, row.id).await?;
        if row.through == LabelledIn::Review.as_str() {
            give_back(&transaction, task.id, &row.annotator, now()).await?;
        }
        settle(&transaction, &photo, &task).await?;
        Ok(transaction.commit().await?)
    }

    /// A page of all annotations, newest first.
    pub async fn annotations(&self, query: &AnnotationQuery) -> Result<AnnotationPage, CatalogError> {
        let limit = usize::from(query.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE));
        let mut select = annotation::Entity::find().order_by_desc(Column::Id).limit(limit as u64 + 1);
        if let Some(Cursor(cursor)) = &query.cursor {
            let last: Uuid = cursor.parse().map_err(|_| {
                CatalogError::BadCursor("cursor is not one of ours: take next_cursor of the page before")
            })?;
            select = select.filter(Column::Id.lt(last));
        }
        if let Some(annotator) = &query.annotator {
            select = select.filter(Column::Annotator.eq(annotator));
        }
        match query.standing {
            Some(true) => select = select.filter(Column::ReplacedAt.is_null()),
            Some(false) => select = select.filter(Column::ReplacedAt.is_not_null()),
            None => {}
        }
        if query.campaign.is_some() || query.prediction.is_some() {
            let mut tasks = Query::select().column(task::Column::Id).from(task::Entity).to_owned();
            if let Some(campaign) = query.campaign {
                tasks.and_where(task::Column::CampaignId.eq(campaign));
            }
            if let Some(prediction) = query.prediction {
                tasks.and_where(task::Column::PredictionId.eq(prediction.as_uuid()));
            }
            select = select.filter(Column::TaskId.in_subquery(tasks));
        }
        let mut rows = select.all(&self.read).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| Cursor(last.id.to_string()));
        let tasks = task::Entity::find().filter(task::Column::Id.is_in(rows.iter().map(|row| row.task_id)));
        let tasks: HashMap<Uuid, task::Model> =
            tasks.all(&self.read).await?.into_iter().map(|task| (task.id, task)).collect();
        let items = rows.into_iter().map(|row| to_record(&tasks, row)).collect::<Result<_, _>>()?;
        Ok(AnnotationPage { items, next_cursor })
    }
}

/// The task with its photo, which is locked first: every change of its labels waits here for the one before.
async fn lock(transaction: &DatabaseTransaction, task: Uuid) -> Result<(prediction::Model, task::Model), CatalogError> {
    let found = task::Entity::find_by_id(task).one(transaction).await?.ok_or(CatalogError::NotFound)?;
    let photo = prediction::Entity::find_by_id(found.prediction_id).lock_exclusive().one(transaction).await?;
    let photo = photo.ok_or(CatalogError::NotFound)?;
    if photo.erased_at.is_some() {
        return Err(CatalogError::Erased);
    }
    // As it is now that nobody else changes it.
    let task = task::Entity::find_by_id(task).one(transaction).await?.ok_or(CatalogError::NotFound)?;
    Ok((photo, task))
}

async fn standing(transaction: &DatabaseTransaction, task: Uuid) -> Result<Vec<annotation::Model>, CatalogError> {
    let rows = annotation::Entity::find().filter(Column::TaskId.eq(task)).filter(Column::ReplacedAt.is_null());
    Ok(rows.all(transaction).await?)
}

async fn replace(transaction: &DatabaseTransaction, id: Uuid) -> Result<(), CatalogError> {
    annotation::ActiveModel { id: Set(id), replaced_at: Set(Some(now())), ..Default::default() }
        .update(transaction)
        .await?;
    Ok(())
}

/// Makes the task and its photo say what the standing annotations say, and has the buckets follow.
async fn settle(
    transaction: &DatabaseTransaction,
    photo: &prediction::Model,
    task: &task::Model,
) -> Result<(), CatalogError> {
    let tasks = task::Entity::find().filter(task::Column::PredictionId.eq(photo.id)).all(transaction).await?;
    let campaigns: HashMap<Uuid, bool> = campaign::Entity::find()
        .filter(campaign::Column::Id.is_in(tasks.iter().map(|task| task.campaign_id)))
        .all(transaction)
        .await?
        .into_iter()
        .map(|campaign| (campaign.id, campaign.blind))
        .collect();
    let mut votes: HashMap<Uuid, Vec<Vote>> = HashMap::new();
    let rows = annotation::Entity::find()
        .filter(Column::TaskId.is_in(tasks.iter().map(|task| task.id)))
        .filter(Column::ReplacedAt.is_null());
    for row in rows.all(transaction).await? {
        votes.entry(row.task_id).or_default().push(to_vote(row)?);
    }
    settle_task(transaction, task, votes.get(&task.id).map_or(&[], Vec::as_slice)).await?;

    let of_tasks: Vec<TaskVotes> = tasks
        .iter()
        .map(|task| TaskVotes {
            blind: campaigns.get(&task.campaign_id).copied().unwrap_or_default(),
            votes: votes.remove(&task.id).unwrap_or_default(),
        })
        .collect();
    settle_photo(transaction, photo, resolve_photo(&of_tasks)).await?;
    super::outbox::enqueue(transaction, photo.id).await
}

async fn settle_task(
    transaction: &DatabaseTransaction,
    task: &task::Model,
    votes: &[Vote],
) -> Result<(), CatalogError> {
    let given = i32::try_from(votes.len()).unwrap_or(i32::MAX);
    let is_full = given >= task.wanted;
    let resolved = resolve(votes).map(|vote| write_seen(&vote.seen)).transpose()?;
    task::ActiveModel {
        id: Set(task.id),
        given: Set(given),
        closed_at: Set(is_full.then(|| task.closed_at.unwrap_or_else(now))),
        resolved: Set(resolved),
        ..Default::default()
    }
    .update(transaction)
    .await?;
    Ok(())
}

/// "Not food" and "unreadable" are answers, but no label.
async fn settle_photo(
    transaction: &DatabaseTransaction,
    photo: &prediction::Model,
    speaks: Option<&Vote>,
) -> Result<(), CatalogError> {
    let speaks = speaks.filter(|vote| vote.seen.label().is_some());
    let class = speaks.and_then(|vote| vote.seen.label()).map(str::to_owned);
    let by = speaks.map(|vote| vote.annotator.clone());
    let at = speaks.map(|vote| vote.at);
    if (&class, &by, &at) == (&photo.annotated_class, &photo.annotated_by, &photo.annotated_at) {
        return Ok(());
    }
    prediction::ActiveModel {
        id: Set(photo.id),
        annotated_class: Set(class),
        annotated_by: Set(by),
        annotated_at: Set(at),
        ..Default::default()
    }
    .update(transaction)
    .await?;
    Ok(())
}

fn write_seen(seen: &Seen) -> Result<serde_json::Value, CatalogError> {
    serde_json::to_value(seen).map_err(|error| CatalogError::Corrupt(error.to_string()))
}

/// What an annotation says.
pub fn read_seen(row: &annotation::Model) -> Result<Seen, CatalogError> {
    serde_json::from_value(row.seen.clone())
        .map_err(|error| CatalogError::Corrupt(format!("annotation {}: seen: {error}", row.id)))
}

fn to_vote(row: annotation::Model) -> Result<Vote, CatalogError> {
    let seen = read_seen(&row)?;
    Ok(Vote { id: row.id, annotator: row.annotator, seen, at: row.at })
}

fn to_record(tasks: &HashMap<Uuid, task::Model>, row: annotation::Model) -> Result<AnnotationRecord, CatalogError> {
    let corrupt = |what: &str| CatalogError::Corrupt(format!("annotation {}: {what}", row.id));
    let task = tasks.get(&row.task_id).ok_or_else(|| corrupt("task_id"))?;
    let through = [LabelledIn::Review, LabelledIn::LabelStudio].into_iter().find(|known| known.as_str() == row.through);
    Ok(AnnotationRecord {
        id: row.id,
        task: task.id,
        campaign: task.campaign_id,
        prediction: task.prediction_id.try_into().map_err(|_| corrupt("prediction_id"))?,
        seen: read_seen(&row)?,
        through: through.ok_or_else(|| corrupt("through"))?,
        blind: row.blind,
        took_ms: row.took_ms.and_then(|took| u32::try_from(took).ok()),
        at: row.at,
        replaced_at: row.replaced_at,
        annotator: row.annotator,
    })
}
