//! What stood in an object's tags when we wrote them last: what differs from it, others have changed.
//!
//! A photo without a note has neither flag nor correction in its tags. Before tags that matter are written, what stands
//! there is noted as unknown, and as known afterwards: a server that dies in between leaves no wrong idea of what is whose.

use chrono::{DateTime, Utc};
use gourmetgram_api::{ClassProbability, FlagReason};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};
use uuid::Uuid;

use super::{
    Actor, Catalog, CatalogError, Change,
    entity::{
        mirror, outbox,
        prediction::{self, Column},
    },
    now,
    predictions::apply,
};

/// What an object's tags say of people's feedback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaggedFeedback {
    /// `flagged` is `true`.
    pub flagged: bool,
    /// `corrected_class`.
    pub corrected_class: Option<String>,
}

impl TaggedFeedback {
    /// What the tags of a photo are to say.
    pub fn of(row: &prediction::Model) -> Self {
        Self { flagged: row.flag.is_some(), corrected_class: row.corrected_class.clone() }
    }
}

/// What was known of an object's tags at one time; `None` where nobody knows what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagsKnown(Option<TaggedFeedback>);

/// What was taken in of an object's tags.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenIn {
    /// The prediction as it is now.
    pub prediction: prediction::Model,
    /// What others have changed.
    pub changes: Vec<Change>,
    /// A correction to a class that the model that answered does not know; it is not taken in.
    pub unknown_class: Option<String>,
}

impl Catalog {
    /// Takes in what others have changed in the tags of a photo since we wrote them, as steps of feedback. Where people
    /// have changed the same in the service meanwhile, their word counts.
    ///
    /// Who holds the photo's place in the outbox writes its tags and nobody else does. Everybody else says what was known
    /// before they looked (`before`): where that is no longer so, what they have seen may be older, and where the outbox is
    /// about to visit the photo, that visit finds what they have found. Nothing is taken in then.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] and [`CatalogError::Erased`], among others.
    pub async fn take_in_tags(
        &self,
        id: Uuid,
        standing: &TaggedFeedback,
        before: Option<&TagsKnown>,
    ) -> Result<TakenIn, CatalogError> {
        let transaction = self.begin().await?;
        let row = prediction::Entity::find_by_id(id).lock_exclusive().one(&transaction).await?;
        let mut row = row.ok_or(CatalogError::NotFound)?;
        if row.erased_at.is_some() {
            return Err(CatalogError::Erased);
        }
        let answered: Vec<ClassProbability> = serde_json::from_value(row.probabilities.clone()).unwrap_or_default();
        let is_class = |label: &str| answered.iter().any(|class| class.label == label);
        let (mut changes, mut unknown_class) = (Vec::new(), None);
        let base = base_of(&transaction, id).await?;
        let is_stale = match before {
            None => false,
            Some(TagsKnown(before)) => *before != base || is_waiting(&transaction, id).await?,
        };
        if let Some(base) = base.filter(|_| !is_stale) {
            let own = TaggedFeedback::of(&row);
            if standing.flagged != base.flagged && standing.flagged != own.flagged {
                changes.push(if standing.flagged { Change::Flag(FlagReason::Other) } else { Change::Unflag });
            }
            let is_others = standing.corrected_class != base.corrected_class;
            if is_others && own.corrected_class == base.corrected_class {
                match &standing.corrected_class {
                    None => changes.push(Change::Uncorrect),
                    Some(label) if is_class(label) => changes.push(Change::Correct(label.clone())),
                    Some(label) => unknown_class = Some(label.clone()),
                }
            }
        }
        for change in &changes {
            row = apply(&transaction, row, change, Actor::Tags, now()).await?;
        }
        if !changes.is_empty() {
            // They stand there already: that is what we know now.
            note(&transaction, id, Some(standing)).await?;
        }
        transaction.commit().await?;
        Ok(TakenIn { prediction: row, changes, unknown_class })
    }

    /// Notes that tags are about to be written. Answers whether anything is to be noted afterwards.
    pub async fn announce_tags(&self, id: Uuid, tags: &TaggedFeedback) -> Result<bool, CatalogError> {
        if base_of(&self.read, id).await?.as_ref() == Some(tags) {
            return Ok(false);
        }
        note(&self.write, id, None).await?;
        Ok(true)
    }

    /// Notes that tags were written.
    pub async fn confirm_tags(&self, id: Uuid, tags: &TaggedFeedback) -> Result<(), CatalogError> {
        note(&self.write, id, Some(tags)).await
    }

    /// Photos of an interval whose tags can be looked at, in the order of their arrival, from behind one on: those in the
    /// object store that the outbox is not about to visit anyway.
    pub async fn photos_with_tags(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        after: Option<(DateTime<Utc>, Uuid)>,
        most: u64,
    ) -> Result<Vec<(Uuid, String, DateTime<Utc>)>, CatalogError> {
        use sea_orm::{ExprTrait, sea_query::Expr};
        let mut select = prediction::Entity::find()
            .select_only()
            .columns([Column::Id, Column::ObjectKey, Column::CreatedAt])
            .filter(Column::CreatedAt.gte(from))
            .filter(Column::CreatedAt.lt(to))
            .filter(Column::ErasedAt.is_null())
            .filter(Column::StoredAt.is_not_null());
        if let Some((at, id)) = after {
            let here = Expr::tuple([Expr::val(at), Expr::val(id)]);
            select = select.filter(Expr::tuple([Expr::col(Column::CreatedAt), Expr::col(Column::Id)]).gt(here));
        }
        let select = select.order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).limit(most);
        Ok(select.into_tuple().all(&self.read).await?)
    }

    /// What is known of the tags of a photo, to be asked before they are looked at.
    pub async fn tags_known(&self, id: Uuid) -> Result<TagsKnown, CatalogError> {
        Ok(TagsKnown(base_of(&self.read, id).await?))
    }
}

/// Whether the outbox is about to visit a photo.
async fn is_waiting<C: ConnectionTrait>(connection: &C, id: Uuid) -> Result<bool, CatalogError> {
    let waiting = outbox::Entity::find().filter(outbox::Column::PredictionId.eq(id));
    Ok(waiting.count(connection).await? > 0)
}

/// What stood there last; `None` where nobody knows.
async fn base_of<C: ConnectionTrait>(connection: &C, id: Uuid) -> Result<Option<TaggedFeedback>, CatalogError> {
    Ok(match mirror::Entity::find_by_id(id).one(connection).await? {
        None => Some(TaggedFeedback::default()),
        Some(mirror::Model { flagged: None, .. }) => None,
        Some(mirror::Model { flagged: Some(flagged), corrected_class, .. }) => {
            Some(TaggedFeedback { flagged, corrected_class })
        }
    })
}

async fn note<C: ConnectionTrait>(
    connection: &C,
    id: Uuid,
    stands: Option<&TaggedFeedback>,
) -> Result<(), CatalogError> {
    if stands == Some(&TaggedFeedback::default()) {
        mirror::Entity::delete_by_id(id).exec(connection).await?;
        return Ok(());
    }
    let row = mirror::ActiveModel {
        prediction_id: Set(id),
        flagged: Set(stands.map(|stands| stands.flagged)),
        corrected_class: Set(stands.and_then(|stands| stands.corrected_class.clone())),
    };
    let there = OnConflict::column(mirror::Column::PredictionId)
        .update_columns([mirror::Column::Flagged, mirror::Column::CorrectedClass])
        .to_owned();
    mirror::Entity::insert(row).on_conflict(there).exec_without_returning(connection).await?;
    Ok(())
}
