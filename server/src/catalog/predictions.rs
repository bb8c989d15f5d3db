//! Predictions and their feedback.

use chrono::{DateTime, Utc};
use gourmetgram_api::{
    Annotation, ClassIndex, ClassProbability, Confidence, DeviceAnswer, DeviceComparison, Feedback, FeedbackKind,
    FlagReason, PixelSize, Place, Prediction, PredictionId, StorageState,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{
    Catalog, CatalogError,
    entity::{
        evaluation_mark, feedback, outbox,
        prediction::{self, Column},
    },
    is_unique_violation, now,
};

/// A photo and its answer, ready to be recorded.
#[derive(Clone, Debug)]
pub struct Received {
    /// The prediction's id.
    pub id: PredictionId,
    /// When it was received, or is said to have been.
    pub created_at: DateTime<Utc>,
    /// Where a simulated one comes from.
    pub source: Option<String>,
    /// Who sent it.
    pub owner: Owner,
    /// SHA-256 of the file, in hexadecimal.
    pub image_sha256: String,
    /// Key in the bucket `production`.
    pub object_key: String,
    /// Type of the file.
    pub content_type: String,
    /// Size of the file.
    pub bytes: u64,
    /// Width as shown, in pixels.
    pub width: u32,
    /// Height as shown, in pixels.
    pub height: u32,
    /// How large it was before it was made smaller to be sent.
    pub scaled_from: Option<PixelSize>,
    /// Index of the most probable class.
    pub class_index: ClassIndex,
    /// Its label.
    pub predicted_class: String,
    /// Its probability.
    pub confidence: Confidence,
    /// Every class, in order.
    pub probabilities: Vec<ClassProbability>,
    /// The model that answered.
    pub model_version: String,
    /// The on-device answer.
    pub device: Option<DeviceAnswer>,
}

/// What ties a prediction to whoever sent it. Hashes only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// SHA-256 of the visitor token, in hexadecimal.
    pub visitor: Option<String>,
    /// SHA-256 of the `Idempotency-Key`, scoped by visitor, in hexadecimal.
    pub idempotency: Option<String>,
}

/// Where a recorded photo lies until it is in the object store.
#[derive(Clone, Debug)]
pub struct Spooled {
    /// Name in the spool.
    pub file: String,
    /// Whose spool.
    pub node: Uuid,
}

/// What came of recording a prediction.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// It is durable now.
    New,
    /// Its id or idempotency key is taken; nothing was changed.
    Taken,
}

/// Whose predictions are asked for. Said explicitly, so that a missing visitor can never mean "all".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// All visitors': for operators.
    Everybodys,
    /// Those of the visitor whose token has this SHA-256.
    OfVisitor(&'a str),
}

/// A change of what people say about a prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Flag it, or change the flag's reason.
    Flag(FlagReason),
    /// Take the flag back.
    Unflag,
    /// Say that it shows the class of this label.
    Correct(String),
    /// Take the correction back.
    Uncorrect,
}

/// Who gives feedback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever uploaded the photo.
    Visitor,
    /// An operator.
    Operator,
    /// Another tool, by the tags of the photo's object.
    Tags,
}

impl Actor {
    /// The actor as the history stores it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Operator => "operator",
            Self::Tags => "tags",
        }
    }
}

impl Catalog {
    /// The prediction of this id, erased ones too.
    pub async fn prediction(&self, id: PredictionId) -> Result<Option<prediction::Model>, CatalogError> {
        Ok(prediction::Entity::find_by_id(id.as_uuid()).one(&self.read).await?)
    }

    /// The prediction that was recorded under this (hashed) idempotency key.
    pub async fn prediction_by_idempotency(&self, hash: &str) -> Result<Option<prediction::Model>, CatalogError> {
        Ok(prediction::Entity::find().filter(Column::Idempotency.eq(hash)).one(&self.read).await?)
    }

    /// Records a prediction together with its outbox row.
    ///
    /// With `spooled`, the photo is durable in that spool and may be carried over at once. Without, the caller is
    /// about to put it into the object store itself; the outbox row comes due at `give_up_at`, and a prediction whose
    /// photo has not been marked as stored by then is forgotten, because it was never acknowledged.
    pub async fn record(
        &self,
        received: &Received,
        spooled: Option<&Spooled>,
        give_up_at: Option<DateTime<Utc>>,
    ) -> Result<Recorded, CatalogError> {
        let row = to_row(received, spooled)?;
        let transaction = self.begin().await?;
        match row.into_active_model().insert(&transaction).await {
            Ok(_) => {}
            Err(error) if is_unique_violation(&error) => {
                transaction.rollback().await?;
                return Ok(Recorded::Taken);
            }
            Err(error) => return Err(error.into()),
        }
        outbox::ActiveModel {
            prediction_id: Set(received.id.as_uuid()),
            revision: Set(1),
            attempts: Set(0),
            due_at: Set(give_up_at.unwrap_or_else(now)),
            lease: Set(None),
            leased_by: Set(None),
            leased_until: Set(None),
            erase_passes: Set(0),
            last_error: Set(None),
            // Not the prediction's time, which may be a simulated one: the backlog's age is real.
            created_at: Set(now()),
        }
        .insert(&transaction)
        .await?;
        transaction.commit().await?;
        Ok(Recorded::New)
    }

    /// Marks a photo that was put into the object store before its answer as stored.
    pub async fn mark_stored(&self, id: PredictionId) -> Result<(), CatalogError> {
        let transaction = self.begin().await?;
        prediction::Entity::update_many()
            .set(prediction::ActiveModel { stored_at: Set(Some(now())), ..Default::default() })
            .filter(Column::Id.eq(id.as_uuid()))
            .exec(&transaction)
            .await?;
        // (The 1 is an i64 on purpose: PostgreSQL keeps the prepared statement with its types.)
        // Only the row as it was made: feedback or an erasure since then still wants carrying over.
        outbox::Entity::delete_many()
            .filter(outbox::Column::PredictionId.eq(id.as_uuid()))
            .filter(outbox::Column::Revision.eq(1_i64))
            .exec(&transaction)
            .await?;
        outbox::Entity::update_many()
            .set(outbox::ActiveModel { due_at: Set(now()), ..Default::default() })
            .filter(outbox::Column::PredictionId.eq(id.as_uuid()))
            .exec(&transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Gives up a prediction that was never acknowledged: the outbox is to remove its object and forget it now.
    pub async fn abandon(&self, id: PredictionId) -> Result<(), CatalogError> {
        outbox::Entity::update_many()
            .set(outbox::ActiveModel { due_at: Set(now()), ..Default::default() })
            .filter(outbox::Column::PredictionId.eq(id.as_uuid()))
            .exec(&self.write)
            .await?;
        Ok(())
    }

    /// Forgets a prediction that was never acknowledged and never reached the object store.
    pub async fn forget(&self, id: PredictionId) -> Result<(), CatalogError> {
        let transaction = self.begin().await?;
        super::outbox::lock_prediction(&transaction, id.as_uuid()).await?;
        feedback::Entity::delete_many()
            .filter(feedback::Column::PredictionId.eq(id.as_uuid()))
            .exec(&transaction)
            .await?;
        outbox::Entity::delete_by_id(id.as_uuid()).exec(&transaction).await?;
        prediction::Entity::delete_many()
            .filter(Column::Id.eq(id.as_uuid()))
            .filter(Column::StoredAt.is_null())
            .filter(Column::SpoolFile.is_null())
            .exec(&transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Applies feedback, appends it to the history and has the object's tags follow. Saying the same again changes
    /// nothing. Answers the prediction as it is now.
    pub async fn give_feedback(
        &self,
        id: PredictionId,
        change: &Change,
        actor: Actor,
    ) -> Result<prediction::Model, CatalogError> {
        self.give_feedback_at(id, change, actor, now()).await
    }

    /// The same, said to have been given at another time: for simulated predictions.
    pub async fn give_feedback_at(
        &self,
        id: PredictionId,
        change: &Change,
        actor: Actor,
        at: DateTime<Utc>,
    ) -> Result<prediction::Model, CatalogError> {
        let transaction = self.begin().await?;
        let row = prediction::Entity::find_by_id(id.as_uuid()).lock_exclusive().one(&transaction).await?;
        let row = row.ok_or(CatalogError::NotFound)?;
        if row.erased_at.is_some() {
            return Err(CatalogError::Erased);
        }
        let changed = apply(&transaction, row, change, actor, at).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// Notes what the sender's device answered, where nothing is noted yet. Answers the prediction as it is now.
    pub async fn note_device(
        &self,
        id: PredictionId,
        answer: &DeviceAnswer,
    ) -> Result<prediction::Model, CatalogError> {
        let transaction = self.begin().await?;
        let row = prediction::Entity::find_by_id(id.as_uuid()).lock_exclusive().one(&transaction).await?;
        let row = row.ok_or(CatalogError::NotFound)?;
        if row.erased_at.is_some() {
            return Err(CatalogError::Erased);
        }
        if row.device.is_some() {
            return Ok(row);
        }
        let comparison = DeviceComparison::of(answer, &row.predicted_class, &row.model_version);
        let device = serde_json::to_value(answer).map_err(|error| CatalogError::Corrupt(error.to_string()))?;
        let noted = prediction::ActiveModel {
            id: Set(row.id),
            device: Set(Some(device)),
            device_comparison: Set(Some(comparison.as_str().to_owned())),
            ..Default::default()
        };
        let row = noted.update(&transaction).await?;
        // Counted with the photo, which no trigger counts anew for this.
        let mark = evaluation_mark::ActiveModel { at: Set(row.created_at), ..Default::default() };
        mark.insert(&transaction).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// Erases a prediction: a tombstone with anonymous counts stays, the outbox removes the objects. Erasing twice is
    /// no error. Answers the file to remove from the spool, if there is one.
    pub async fn erase(&self, id: PredictionId) -> Result<Option<Spooled>, CatalogError> {
        let transaction = self.begin().await?;
        let row = prediction::Entity::find_by_id(id.as_uuid()).lock_exclusive().one(&transaction).await?;
        let row = row.ok_or(CatalogError::NotFound)?;
        if row.erased_at.is_some() {
            return Ok(None);
        }
        prediction::ActiveModel {
            id: Set(row.id),
            visitor: Set(None),
            idempotency: Set(None),
            image_sha256: Set(String::new()),
            bytes: Set(0),
            width: Set(0),
            height: Set(0),
            probabilities: Set(serde_json::Value::Array(Vec::new())),
            device: Set(None),
            scaled_from: Set(None),
            label_wait_since: Set(None),
            noisy_since: Set(None),
            clean_since: Set(None),
            spool_file: Set(None),
            spool_node: Set(None),
            erased_at: Set(Some(now())),
            ..Default::default()
        }
        .update(&transaction)
        .await?;
        super::placements::withdraw_tasks(&transaction, row.id).await?;
        super::outbox::enqueue(&transaction, row.id).await?;
        transaction.commit().await?;
        Ok(row.spool_file.zip(row.spool_node).map(|(file, node)| Spooled { file, node }))
    }

    /// Every step of feedback on a prediction, oldest first.
    pub async fn history(&self, id: PredictionId) -> Result<Vec<Feedback>, CatalogError> {
        let rows = feedback::Entity::find()
            .filter(feedback::Column::PredictionId.eq(id.as_uuid()))
            .order_by_asc(feedback::Column::Id)
            .all(&self.read)
            .await?;
        rows.into_iter().map(to_feedback).collect()
    }

    /// Which of these predictions exist and are not erased.
    pub async fn living_among(&self, ids: Vec<Uuid>) -> Result<Vec<Uuid>, CatalogError> {
        Ok(prediction::Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Id.is_in(ids))
            .filter(Column::ErasedAt.is_null())
            .into_tuple()
            .all(&self.read)
            .await?)
    }

    /// Names of all files that predictions still need from this node's spool.
    pub async fn spooled_files(&self, node: Uuid) -> Result<Vec<String>, CatalogError> {
        let files: Vec<Option<String>> = prediction::Entity::find()
            .select_only()
            .column(Column::SpoolFile)
            .filter(Column::SpoolNode.eq(node))
            .filter(Column::SpoolFile.is_not_null())
            .into_tuple()
            .all(&self.read)
            .await?;
        Ok(files.into_iter().flatten().collect())
    }
}

/// Applies feedback to a locked row, with its history and the order to mirror it; part of a transaction. Answers the row as
/// it is then.
pub(super) async fn apply(
    transaction: &DatabaseTransaction,
    row: prediction::Model,
    change: &Change,
    actor: Actor,
    at: DateTime<Utc>,
) -> Result<prediction::Model, CatalogError> {
    let mut changed = row.clone();
    let (kind, value) = match change {
        Change::Flag(reason) => {
            changed.flag = Some(reason.as_str().to_owned());
            ("flagged", Some(reason.as_str().to_owned()))
        }
        Change::Unflag => {
            changed.flag = None;
            ("unflagged", None)
        }
        Change::Correct(label) => {
            changed.corrected_class = Some(label.clone());
            ("corrected", Some(label.clone()))
        }
        Change::Uncorrect => {
            changed.corrected_class = None;
            ("uncorrected", None)
        }
    };
    if changed == row {
        return Ok(row);
    }
    prediction::ActiveModel {
        id: Set(row.id),
        flag: Set(changed.flag.clone()),
        corrected_class: Set(changed.corrected_class.clone()),
        ..Default::default()
    }
    .update(transaction)
    .await?;
    feedback::ActiveModel {
        prediction_id: Set(row.id),
        kind: Set(kind.to_owned()),
        value: Set(value),
        actor: Set(actor.as_str().to_owned()),
        at: Set(at),
        ..Default::default()
    }
    .insert(transaction)
    .await?;
    super::outbox::enqueue(transaction, row.id).await?;
    Ok(changed)
}

/// A row of records that were written before devices' answers were compared, compared.
pub(super) fn with_device_compared(row: prediction::Model) -> prediction::Model {
    if row.device_comparison.is_some() {
        return row;
    }
    let device: Option<DeviceAnswer> = row.device.clone().and_then(|json| serde_json::from_value(json).ok());
    let comparison = device.map(|device| DeviceComparison::of(&device, &row.predicted_class, &row.model_version));
    prediction::Model { device_comparison: comparison.map(|it| it.as_str().to_owned()), ..row }
}

fn to_row(received: &Received, spooled: Option<&Spooled>) -> Result<prediction::Model, CatalogError> {
    let corrupt = |error: serde_json::Error| CatalogError::Corrupt(error.to_string());
    let comparison = received
        .device
        .as_ref()
        .map(|device| DeviceComparison::of(device, &received.predicted_class, &received.model_version));
    Ok(prediction::Model {
        id: received.id.as_uuid(),
        created_at: received.created_at,
        visitor: received.owner.visitor.clone(),
        idempotency: received.owner.idempotency.clone(),
        image_sha256: received.image_sha256.clone(),
        object_key: received.object_key.clone(),
        content_type: received.content_type.clone(),
        bytes: i64::try_from(received.bytes).unwrap_or(i64::MAX),
        width: i32::try_from(received.width).unwrap_or(i32::MAX),
        height: i32::try_from(received.height).unwrap_or(i32::MAX),
        class_index: i32::from(received.class_index.0),
        predicted_class: received.predicted_class.clone(),
        confidence: received.confidence.get(),
        probabilities: serde_json::to_value(&received.probabilities).map_err(corrupt)?,
        model_version: received.model_version.clone(),
        device: received.device.as_ref().map(serde_json::to_value).transpose().map_err(corrupt)?,
        flag: None,
        corrected_class: None,
        annotated_class: None,
        annotated_by: None,
        annotated_at: None,
        label_wait_since: None,
        noisy_since: None,
        clean_since: None,
        stored_at: None,
        spool_file: spooled.map(|spooled| spooled.file.clone()),
        spool_node: spooled.map(|spooled| spooled.node),
        erased_at: None,
        source: received.source.clone(),
        device_comparison: comparison.map(|it| it.as_str().to_owned()),
        scaled_from: received.scaled_from.map(|size| size.to_string()),
    })
}

/// A catalog row as the API shows it.
pub fn to_api(row: prediction::Model, history: Vec<Feedback>) -> Result<Prediction, CatalogError> {
    let corrupt = |what: &str| CatalogError::Corrupt(format!("prediction {}: {what}", row.id));
    Ok(Prediction {
        id: row.id.try_into().map_err(|_| corrupt("id"))?,
        key: row.object_key.clone(),
        created_at: row.created_at,
        predicted_class: row.predicted_class.clone(),
        class_index: ClassIndex(u16::try_from(row.class_index).map_err(|_| corrupt("class_index"))?),
        confidence: Confidence::new(row.confidence).map_err(|_| corrupt("confidence"))?,
        probabilities: serde_json::from_value(row.probabilities.clone()).map_err(|_| corrupt("probabilities"))?,
        model_version: row.model_version.clone(),
        device: row.device.clone().map(serde_json::from_value).transpose().map_err(|_| corrupt("device"))?,
        device_comparison: row
            .device_comparison
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_| corrupt("device_comparison"))?,
        content_type: row.content_type.clone(),
        bytes: u64::try_from(row.bytes).map_err(|_| corrupt("bytes"))?,
        width: u32::try_from(row.width).map_err(|_| corrupt("width"))?,
        height: u32::try_from(row.height).map_err(|_| corrupt("height"))?,
        scaled_from: row.scaled_from.as_deref().map(str::parse).transpose().map_err(|_| corrupt("scaled_from"))?,
        storage: if row.stored_at.is_some() { StorageState::Stored } else { StorageState::Spooled },
        source: row.source.clone(),
        flag: row.flag.as_deref().map(str::parse).transpose().map_err(|_| corrupt("flag"))?,
        corrected_class: row.corrected_class.clone(),
        annotation: annotation(&row),
        places: places(&row),
        history,
    })
}

fn annotation(row: &prediction::Model) -> Option<Annotation> {
    let label = row.annotated_class.clone()?;
    Some(Annotation { label, by: row.annotated_by.clone().unwrap_or_default(), at: row.annotated_at? })
}

fn places(row: &prediction::Model) -> Vec<Place> {
    let since = |place: Place| match place {
        Place::Production => row.stored_at,
        Place::LabelWait => row.label_wait_since,
        Place::Noisy => row.noisy_since,
        Place::Clean => row.clean_since,
    };
    Place::ALL.into_iter().filter(|place| since(*place).is_some()).collect()
}

/// What the uploader is told: how a photo is labelled, and by whom, is the operators' business.
pub fn without_labelling(prediction: Prediction) -> Prediction {
    Prediction { annotation: None, places: Vec::new(), ..prediction }
}

fn to_feedback(row: feedback::Model) -> Result<Feedback, CatalogError> {
    let corrupt = || CatalogError::Corrupt(format!("feedback {}: {} {:?}", row.id, row.kind, row.value));
    let kind = match (row.kind.as_str(), row.value.as_deref()) {
        ("flagged", Some(reason)) => FeedbackKind::Flagged { reason: reason.parse().map_err(|_| corrupt())? },
        ("unflagged", None) => FeedbackKind::Unflagged,
        ("corrected", Some(label)) => FeedbackKind::Corrected { label: label.to_owned() },
        ("uncorrected", None) => FeedbackKind::Uncorrected,
        _ => return Err(corrupt()),
    };
    Ok(Feedback { kind, at: row.at, by: row.actor.clone() })
}
