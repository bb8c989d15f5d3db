//! Copies of photos in the buckets for labelling: which there are to be, and which there are or may be.
//!
//! What is to be follows from the rows: open tasks, the label that stands, what a campaign said of a photo it did not
//! choose. What there is, is noted before an object is written and forgotten after it is removed, so that no copy is ever
//! lost sight of. When a photo lies in which bucket, its own row says too: it is kept true with every note.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use gourmetgram_api::Place;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    Catalog, CatalogError,
    entity::{campaign, placement, prediction, selection, task},
    now,
};

/// A copy there is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyWanted {
    /// In which bucket.
    pub place: Place,
    /// What it shows of the photo besides its pixels.
    pub shows: Shows,
}

/// What a copy shows, by its key and its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The pixels of a task, and nothing that tells what the model answered.
    Nothing {
        /// The task.
        task: Uuid,
    },
    /// A task, with what is known of its photo.
    Task {
        /// The task.
        task: Uuid,
    },
    /// The model's answer.
    Answer,
    /// What an annotator saw.
    Label {
        /// The class's label.
        label: String,
        /// Who said so.
        by: String,
        /// When.
        at: DateTime<Utc>,
    },
}

impl Catalog {
    /// The copies that a photo is to have. An erased one has none.
    pub async fn copies_wanted(&self, row: &prediction::Model) -> Result<Vec<CopyWanted>, CatalogError> {
        if row.erased_at.is_some() {
            return Ok(Vec::new());
        }
        let tasks = task::Entity::find()
            .filter(task::Column::PredictionId.eq(row.id))
            .order_by_asc(task::Column::Id)
            .all(&self.read)
            .await?;
        let mut copies = Vec::new();
        let open: Vec<&task::Model> = tasks.iter().filter(|task| task.closed_at.is_none()).collect();
        if !open.is_empty() {
            let campaigns = open.iter().map(|task| task.campaign_id);
            let blind: Vec<Uuid> = campaign::Entity::find()
                .select_only()
                .column(campaign::Column::Id)
                .filter(campaign::Column::Id.is_in(campaigns))
                .filter(campaign::Column::Blind.eq(true))
                .into_tuple()
                .all(&self.read)
                .await?;
            copies.extend(open.iter().map(|task| {
                let is_blind = blind.contains(&task.campaign_id);
                let task = task.id;
                let shows = if is_blind { Shows::Nothing { task } } else { Shows::Task { task } };
                CopyWanted { place: Place::LabelWait, shows }
            }));
        }
        // An answer that is no class is an answer too: it keeps the photo out of both buckets.
        let is_answered = tasks.iter().any(|task| task.resolved.is_some());
        if let (Some(label), Some(at)) = (&row.annotated_class, row.annotated_at) {
            let by = row.annotated_by.clone().unwrap_or_default();
            let shows = Shows::Label { label: label.clone(), by, at };
            copies.extend([Place::Clean, Place::Noisy].map(|place| CopyWanted { place, shows: shows.clone() }));
        } else if !is_answered && self.is_confident(row.id).await? {
            copies.push(CopyWanted { place: Place::Noisy, shows: Shows::Answer });
        }
        Ok(copies)
    }

    async fn is_confident(&self, id: Uuid) -> Result<bool, CatalogError> {
        let confident = selection::Entity::find()
            .filter(selection::Column::PredictionId.eq(id))
            .filter(selection::Column::Confident.eq(true));
        Ok(confident.count(&self.read).await? > 0)
    }

    /// The copies that a photo has or may have.
    pub async fn placements(&self, id: Uuid) -> Result<Vec<placement::Model>, CatalogError> {
        Ok(placement::Entity::find()
            .filter(placement::Column::PredictionId.eq(id))
            .order_by_asc(placement::Column::Bucket)
            .order_by_asc(placement::Column::ObjectKey)
            .all(&self.read)
            .await?)
    }

    /// Notes that a copy is about to be written. Answers whether it may be: nothing more is written of an erased photo.
    pub async fn announce_copy(&self, id: Uuid, place: Place, key: &str) -> Result<bool, CatalogError> {
        let transaction = self.begin().await?;
        if living(&transaction, id).await?.is_none() {
            transaction.rollback().await?;
            return Ok(false);
        }
        let row = placement::ActiveModel {
            bucket: Set(place.as_str().to_owned()),
            object_key: Set(key.to_owned()),
            prediction_id: Set(id),
            placed_at: Set(None),
        };
        let there = OnConflict::columns([placement::Column::Bucket, placement::Column::ObjectKey])
            .update_column(placement::Column::PredictionId)
            .to_owned();
        placement::Entity::insert(row).on_conflict(there).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Notes that a copy was written. Answers whether it may stay: not where the photo was erased meanwhile.
    ///
    /// A worker that was paused past its lease may find that another one has removed the copy and forgotten it. It is
    /// noted anew then, and the photo looked at once more.
    pub async fn confirm_copy(&self, id: Uuid, place: Place, key: &str) -> Result<bool, CatalogError> {
        let transaction = self.begin().await?;
        let Some(row) = living(&transaction, id).await? else {
            transaction.rollback().await?;
            return Ok(false);
        };
        let note = placement::Entity::find_by_id((place.as_str().to_owned(), key.to_owned())).one(&transaction).await?;
        match note {
            Some(note) if note.placed_at.is_some() => {}
            Some(note) => {
                placement::ActiveModel { placed_at: Set(Some(now())), ..note.into() }.update(&transaction).await?;
            }
            None => {
                placement::ActiveModel {
                    bucket: Set(place.as_str().to_owned()),
                    object_key: Set(key.to_owned()),
                    prediction_id: Set(id),
                    placed_at: Set(Some(now())),
                }
                .insert(&transaction)
                .await?;
                super::outbox::enqueue(&transaction, id).await?;
            }
        }
        tell_places(&transaction, &row).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Notes that a copy was removed.
    pub async fn forget_copy(&self, id: Uuid, place: &str, key: &str) -> Result<(), CatalogError> {
        let transaction = self.begin().await?;
        let row = living(&transaction, id).await?;
        placement::Entity::delete_many()
            .filter(placement::Column::Bucket.eq(place))
            .filter(placement::Column::ObjectKey.eq(key))
            .filter(placement::Column::PredictionId.eq(id))
            .exec(&transaction)
            .await?;
        if let Some(row) = row {
            tell_places(&transaction, &row).await?;
        }
        Ok(transaction.commit().await?)
    }
}

/// Withdraws the open tasks of a photo that is erased; part of that transaction.
pub(super) async fn withdraw_tasks(transaction: &DatabaseTransaction, id: Uuid) -> Result<(), CatalogError> {
    task::Entity::update_many()
        .set(task::ActiveModel { closed_at: Set(Some(now())), ..Default::default() })
        .filter(task::Column::PredictionId.eq(id))
        .filter(task::Column::ClosedAt.is_null())
        .exec(transaction)
        .await?;
    Ok(())
}

/// The photo's row, locked, unless it was erased.
async fn living(transaction: &DatabaseTransaction, id: Uuid) -> Result<Option<prediction::Model>, CatalogError> {
    let row = prediction::Entity::find_by_id(id).lock_exclusive().one(transaction).await?;
    Ok(row.filter(|row| row.erased_at.is_none()))
}

/// Has a photo's own row say since when copies of it lie in each bucket.
async fn tell_places(transaction: &DatabaseTransaction, row: &prediction::Model) -> Result<(), CatalogError> {
    let placed: BTreeSet<(DateTime<Utc>, String)> = placement::Entity::find()
        .filter(placement::Column::PredictionId.eq(row.id))
        .all(transaction)
        .await?
        .into_iter()
        .filter_map(|copy| Some((copy.placed_at?, copy.bucket)))
        .collect();
    let since = |place: Place| placed.iter().find(|(_, bucket)| bucket == place.as_str()).map(|(at, _)| *at);
    let [label_wait, noisy, clean] = [Place::LabelWait, Place::Noisy, Place::Clean].map(since);
    if (label_wait, noisy, clean) == (row.label_wait_since, row.noisy_since, row.clean_since) {
        return Ok(());
    }
    prediction::ActiveModel {
        id: Set(row.id),
        label_wait_since: Set(label_wait),
        noisy_since: Set(noisy),
        clean_since: Set(clean),
        ..Default::default()
    }
    .update(transaction)
    .await?;
    Ok(())
}
