//! The way of a photo: classify, make durable, record, answer.
//!
//! First of all the metadata goes: what is hashed, classified, kept and handed out is the photo without it.
//!
//! The order is the promise: the photo's bytes are on a disk (or in S3) before the catalog's row, the row is on a disk
//! before the answer. A request that is sent again finds its row and gets the same answer.

use bytes::Bytes;
use chrono::TimeDelta;
use gourmetgram_api::{
    ClassProbability, Confidence, DeviceAnswer, NewPrediction, PixelSize, PredictionId, ProblemKind, TutorialAnswer,
    UploadLimits,
};
use gourmetgram_classifier::{PhotoError, probe, strip};
use gourmetgram_object_store::ObjectKey;
use uuid::Uuid;

use crate::{
    app::App,
    catalog::{self, Owner, Received, Recorded, Spooled, entity::prediction},
    http::{Caller, Refusal, Simulation, sha256_hex},
    inference::Classified,
    outbox,
};

/// Longer than any request and any attempt at S3: after this, an upload that was not acknowledged never will be.
const GIVE_UP_AFTER: TimeDelta = TimeDelta::minutes(15);

/// Longer than it takes from the time at which a photo counts as received until it is acknowledged, or never will be:
/// with five minutes for a database that has others write first, and for clocks of servers that differ.
pub const ACKNOWLEDGED_WITHIN: TimeDelta = TimeDelta::minutes(15 + 5);

/// A photo as it was sent.
#[derive(Debug)]
pub struct Submission {
    /// The file.
    pub image: Bytes,
    /// The id the client made, if it did.
    pub id: Option<PredictionId>,
    /// The request's `Idempotency-Key`, if it has one.
    pub idempotency_key: Option<String>,
    /// What the client's own classifier said.
    pub device: Option<DeviceAnswer>,
    /// How large the photo was before the client made it smaller, if it did.
    pub scaled_from: Option<PixelSize>,
    /// Where a simulated photo comes from, and of when; recorded as what it is.
    pub simulation: Option<Simulation>,
}

/// An answer, and whether it was given before.
#[derive(Debug)]
pub struct Accepted {
    /// The answer.
    pub prediction: NewPrediction,
    /// Whether the request had been answered before and only its answer was repeated.
    pub replayed: bool,
}

/// Classifies a photo and records it. What it answers is durable.
pub async fn accept(app: &App, caller: &Caller, mut submission: Submission) -> Result<Accepted, Refusal> {
    let owner = Owner {
        visitor: caller.visitor().map(str::to_owned),
        idempotency: submission.idempotency_key.as_deref().map(|key| scoped_key(caller, key)),
    };
    let (image, limits) = (std::mem::take(&mut submission.image), app.settings().server.upload_limits());
    let read = tokio::task::spawn_blocking(move || without_metadata(&image, &limits)).await;
    let (stripped, image_sha256) = read.map_err(|error| Refusal::internal(&error))?;
    if let Some(earlier) = find_earlier(app, submission.id, &owner).await? {
        return replay(app, earlier, submission.id, &owner, &image_sha256);
    }
    submission.image = stripped?;
    let classified = app.inference().classify(submission.image.clone()).await?;
    let id = match submission.id {
        Some(id) => id,
        None => {
            let new = submission.simulation.as_ref().map_or_else(Uuid::now_v7, Simulation::new_id);
            PredictionId::try_from(new).map_err(|error| Refusal::internal(&error))?
        }
    };
    let received = describe(id, owner.clone(), image_sha256.clone(), &submission, &classified)?;

    // A task of its own, because the client may hang up at any time, and half of this must not happen.
    let task = tokio::spawn(make_durable(app.clone(), received.clone(), submission.image));
    let recorded = task.await.map_err(|error| Refusal::internal(&error))??;
    match recorded {
        Recorded::New => {
            metrics::counter!("gourmetgram_predictions_total", "model_version" => received.model_version.clone())
                .increment(1);
            Ok(Accepted { prediction: answer(app, received), replayed: false })
        }
        // Two requests with one id or key at the same time: the other was first.
        Recorded::Taken => match find_earlier(app, Some(id), &owner).await? {
            Some(earlier) => replay(app, earlier, submission.id, &owner, &image_sha256),
            None => Err(Refusal::try_again("the same request is being answered just now; try again", 1)),
        },
    }
}

/// The photo without its metadata, and the hash by which it is known again: of the stripped file, so that the same photo
/// is the same whatever was written on its back; of the file as it came, where it cannot be stripped and so matches none.
fn without_metadata(image: &[u8], limits: &UploadLimits) -> (Result<Bytes, PhotoError>, String) {
    let stripped = probe(image, limits).and_then(|info| strip(image, &info));
    let sha256 = sha256_hex(stripped.as_deref().unwrap_or(image));
    (stripped.map(Bytes::from), sha256)
}

/// Classifies a photo and records nothing: the tutorial's inference contract.
pub async fn classify_only(app: &App, image: Bytes) -> Result<TutorialAnswer, Refusal> {
    let classified = app.inference().classify(image).await?;
    let (prediction, probability) = top(&classified)?;
    Ok(TutorialAnswer { prediction, probability })
}

fn scoped_key(caller: &Caller, key: &str) -> String {
    sha256_hex(format!("{}\0{key}", caller.visitor().unwrap_or_default()).as_bytes())
}

async fn find_earlier(
    app: &App,
    id: Option<PredictionId>,
    owner: &Owner,
) -> Result<Option<prediction::Model>, Refusal> {
    if let Some(id) = id
        && let Some(row) = app.catalog().prediction(id).await?
    {
        return Ok(Some(row));
    }
    match &owner.idempotency {
        Some(key) => Ok(app.catalog().prediction_by_idempotency(key).await?),
        None => Ok(None),
    }
}

/// Repeats an answer to whoever got it first, for the same photo; anybody else learns only that the id is taken.
fn replay(
    app: &App,
    row: prediction::Model,
    id: Option<PredictionId>,
    owner: &Owner,
    image_sha256: &str,
) -> Result<Accepted, Refusal> {
    if row.erased_at.is_some() {
        return Err(catalog::CatalogError::Erased.into());
    }
    let same_photo = row.image_sha256 == image_sha256;
    let same_id = id.is_none_or(|id| id.as_uuid() == row.id);
    let same = |ours: &Option<String>, theirs: &Option<String>| ours.is_some() && ours == theirs;
    let had_no_owner = row.visitor.is_none() && row.idempotency.is_none();
    let same_owner = same(&owner.visitor, &row.visitor) || same(&owner.idempotency, &row.idempotency) || had_no_owner;
    if !(same_photo && same_id && same_owner) {
        return Err(Refusal::new(
            ProblemKind::Conflict,
            "this id or Idempotency-Key was used for another photo, or by somebody else: make a new one",
        ));
    }
    if row.spool_file.is_none() && row.stored_at.is_none() {
        return Err(Refusal::try_again("the same request is being answered just now; try again", 2));
    }
    let row = catalog::to_api(row, Vec::new())?;
    let prediction = NewPrediction {
        feedback_token: app.feedback_tokens().issue(row.id),
        id: row.id,
        key: row.key,
        predicted_class: row.predicted_class,
        confidence: row.confidence,
        probabilities: row.probabilities,
        model_version: row.model_version,
    };
    Ok(Accepted { prediction, replayed: true })
}

fn top(classified: &Classified) -> Result<(String, Confidence), Refusal> {
    let label = classified.model.classes().label(classified.answer.top).unwrap_or_default().to_owned();
    let confidence = Confidence::new(classified.answer.confidence()).map_err(|error| Refusal::internal(&error))?;
    Ok((label, confidence))
}

fn describe(
    id: PredictionId,
    owner: Owner,
    image_sha256: String,
    submission: &Submission,
    classified: &Classified,
) -> Result<Received, Refusal> {
    let (predicted_class, confidence) = top(classified)?;
    let probabilities = classified
        .model
        .classes()
        .iter()
        .zip(&classified.answer.probabilities)
        .map(|((_, label), probability)| ClassProbability { label: label.to_owned(), probability: *probability })
        .collect();
    let (info, simulation) = (&classified.info, submission.simulation.as_ref());
    let sent = PixelSize { width: info.width, height: info.height };
    if let Some(before) = submission.scaled_from.filter(|before| !before.scales_down_to(sent)) {
        return Err(Refusal::new(
            ProblemKind::Unprocessable,
            format!(
                "the part `scaled_from` says {before}, which does not become {sent}, the photo's size, by scaling it down"
            ),
        ));
    }
    Ok(Received {
        id,
        created_at: simulation.and_then(|simulation| simulation.created_at).unwrap_or_else(catalog::now),
        source: simulation.map(|simulation| simulation.source.clone()),
        owner,
        image_sha256,
        object_key: ObjectKey::production(classified.answer.top, id, info.format.extension()).to_string(),
        content_type: info.format.content_type().to_owned(),
        bytes: submission.image.len() as u64,
        width: info.width,
        height: info.height,
        scaled_from: submission.scaled_from,
        class_index: classified.answer.top,
        predicted_class,
        confidence,
        probabilities,
        model_version: classified.model.version().as_str().to_owned(),
        device: submission.device.clone(),
    })
}

fn answer(app: &App, received: Received) -> NewPrediction {
    NewPrediction {
        feedback_token: app.feedback_tokens().issue(received.id),
        id: received.id,
        key: received.object_key,
        predicted_class: received.predicted_class,
        confidence: received.confidence,
        probabilities: received.probabilities,
        model_version: received.model_version,
    }
}

async fn make_durable(app: App, received: Received, image: Bytes) -> Result<Recorded, Refusal> {
    if app.settings().spool_is_persistent() {
        through_the_spool(&app, &received, image).await
    } else {
        through_the_object_store(&app, &received, image).await
    }
}

async fn through_the_spool(app: &App, received: &Received, image: Bytes) -> Result<Recorded, Refusal> {
    let file = app.spool().store(received.id, image).await?;
    let spooled = Spooled { file, node: app.node() };
    let recorded = app.catalog().record(received, Some(&spooled), None).await;
    match &recorded {
        Ok(Recorded::New) => app.outbox_wakeup().notify_one(),
        Ok(Recorded::Taken) => remove_from_spool(app, &spooled.file).await,
        // A full disk says that nothing was written. After any other error the row may be there nevertheless (the
        // connection broke while the database committed), so the file stays; the next start sweeps what no row names.
        Err(catalog::CatalogError::Full(_)) => remove_from_spool(app, &spooled.file).await,
        Err(_) => {}
    }
    Ok(recorded?)
}

/// The row comes first here: it reserves the id, so that nobody else's upload can take the object's place.
async fn through_the_object_store(app: &App, received: &Received, image: Bytes) -> Result<Recorded, Refusal> {
    let give_up_at = catalog::now() + GIVE_UP_AFTER;
    if let Recorded::Taken = app.catalog().record(received, None, Some(give_up_at)).await? {
        return Ok(Recorded::Taken);
    }
    let tags =
        outbox::tags_of(received.created_at, &received.predicted_class, received.confidence, &received.model_version)
            .set("source", received.source.as_deref());
    let stored =
        outbox::put_photo(app.object_store(), &received.object_key, image, &received.content_type, &tags).await;
    if let Err(error) = stored {
        // The store may have it nevertheless (the answer was lost), so the outbox removes it before the row goes.
        if let Err(error) = app.catalog().abandon(received.id).await {
            tracing::warn!(%error, prediction = %received.id, "an upload that failed is cleaned up only later");
        }
        app.outbox_wakeup().notify_one();
        return Err(error.into());
    }
    app.catalog().mark_stored(received.id).await?;
    Ok(Recorded::New)
}

async fn remove_from_spool(app: &App, file: &str) {
    if let Err(error) = app.spool().remove(file).await {
        tracing::warn!(%error, file, "a file stays in the spool until the next start");
    }
}
