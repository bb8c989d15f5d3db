//! Photos in the catalog and in the bucket, as the tests of labelling want them: said in full, without a classifier.

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram::{
    app::App,
    catalog::{Actor, Change, Owner, Received, Recorded, entity},
    outbox,
};
use gourmetgram_api::{
    Campaign, CampaignRule, ClassIndex, ClassProbability, Confidence, Interval, LabelledIn, NewCampaign, PredictionId,
    Seen,
};
use gourmetgram_object_store::{Bucket, ObjectKey};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter};
use uuid::{Builder, Uuid};

/// The classes of the model that has answered.
pub const CLASSES: [&str; 3] = ["Bread", "Soup", "Rice"];

/// When the photos of a test come in: the minute of that day.
pub fn minute(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 / 86_400 * 86_400, 0).unwrap() + TimeDelta::minutes(minute)
}

/// From a minute to another.
pub fn interval(from: i64, to: i64) -> Interval {
    Interval { start: minute(from), end: minute(to) }
}

/// A photo that was received at a minute, and answered with Bread.
pub fn received(at: DateTime<Utc>, number: u64, confidence: f32) -> Received {
    let milliseconds = u64::try_from(at.timestamp_millis()).unwrap();
    let mut random = [0_u8; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    let id: PredictionId = Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid().try_into().unwrap();
    let rest = (1.0 - confidence) / 2.0;
    let probability = |(index, label): (usize, &str)| ClassProbability {
        label: label.to_owned(),
        probability: if index == 0 { confidence } else { rest },
    };
    Received {
        id,
        created_at: at,
        source: None,
        owner: Owner::default(),
        image_sha256: String::new(),
        object_key: ObjectKey::production(ClassIndex(0), id, "jpg").to_string(),
        content_type: "image/jpeg".to_owned(),
        bytes: 5,
        width: 1,
        height: 1,
        scaled_from: None,
        class_index: ClassIndex(0),
        predicted_class: "Bread".to_owned(),
        confidence: Confidence::new(confidence).unwrap(),
        probabilities: CLASSES.into_iter().enumerate().map(probability).collect(),
        model_version: "food64-1".to_owned(),
        device: None,
    }
}

/// Has a photo received, and stored in the bucket `production`.
pub async fn photo(app: &App, minutes: i64, number: u64, confidence: f32) -> PredictionId {
    let received = received(minute(minutes), number, confidence);
    let tags = outbox::tags_of(received.created_at, "Bread", received.confidence, "food64-1");
    let later = Some(Utc::now() + TimeDelta::hours(1));
    assert!(matches!(app.catalog().record(&received, None, later).await.unwrap(), Recorded::New));
    outbox::put_photo(app.object_store(), &received.object_key, "photo".into(), "image/jpeg", &tags).await.unwrap();
    app.catalog().mark_stored(received.id).await.unwrap();
    received.id
}

/// Photos that are in the catalog alone, for tests of which photos are chosen: of every ten one is unsure, one flagged,
/// one corrected.
pub async fn photos(app: &App, minutes: i64, numbers: std::ops::Range<u64>) -> Vec<PredictionId> {
    let mut ids = Vec::new();
    let catalog = app.catalog();
    for number in numbers {
        let received = received(minute(minutes), number, if number % 10 == 0 { 0.5 } else { 0.9 });
        catalog.record(&received, None, Some(Utc::now() + TimeDelta::hours(1))).await.unwrap();
        catalog.mark_stored(received.id).await.unwrap();
        let feedback = match number % 10 {
            1 => Some(Change::Flag(gourmetgram_api::FlagReason::WrongLabel)),
            2 => Some(Change::Correct("Soup".to_owned())),
            _ => None,
        };
        if let Some(change) = feedback {
            catalog.give_feedback(received.id, &change, Actor::Visitor).await.unwrap();
        }
        ids.push(received.id);
    }
    ids
}

/// A campaign that is asked for: blind, nothing labelled twice, with a seed.
pub fn asked(name: &str, rule: CampaignRule) -> NewCampaign {
    NewCampaign {
        name: name.to_owned(),
        rule,
        blind: true,
        labelled_in: LabelledIn::Review,
        double_share: 0.0,
        starts_at: None,
        ends_at: None,
        seed: Some(7),
        schedule: None,
    }
}

/// Makes a campaign.
pub async fn campaign(app: &App, asked: &NewCampaign) -> Campaign {
    app.catalog().add_campaign(asked).await.unwrap().unwrap()
}

/// The tasks of a campaign, in the order in which they are shown.
pub async fn tasks(connection: &DatabaseConnection, campaign: Uuid) -> Vec<entity::task::Model> {
    let tasks = entity::task::Entity::find().filter(entity::task::Column::CampaignId.eq(campaign));
    let mut tasks = tasks.all(connection).await.unwrap();
    tasks.sort_by_key(|task| task.position);
    tasks
}

/// Somebody labels a task: what the page for labels and Label Studio's answers come to. `None` takes it back.
pub async fn label(connection: &DatabaseConnection, task: &entity::task::Model, seen: Option<Seen>, at: DateTime<Utc>) {
    let resolved = seen.as_ref().map(|seen| serde_json::to_value(seen).unwrap());
    entity::task::ActiveModel {
        id: Set(task.id),
        closed_at: Set(seen.is_some().then_some(at)),
        resolved: Set(resolved),
        ..Default::default()
    }
    .update(connection)
    .await
    .unwrap();
    let class = seen.as_ref().and_then(Seen::label).map(str::to_owned);
    entity::prediction::ActiveModel {
        id: Set(task.prediction_id),
        annotated_at: Set(class.is_some().then_some(at)),
        annotated_by: Set(class.is_some().then(|| "zoë@example.org".to_owned())),
        annotated_class: Set(class),
        ..Default::default()
    }
    .update(connection)
    .await
    .unwrap();
}

/// The bucket, the key and the tags of an object.
pub type Found = (Bucket, String, Vec<(String, String)>);

/// What lies in the buckets for labelling.
pub async fn copies(app: &App) -> Vec<Found> {
    let mut found = Vec::new();
    for bucket in [Bucket::LabelWait, Bucket::Noisy, Bucket::Clean] {
        for key in app.object_store().list(bucket, "", None).await.unwrap().keys {
            let tags = app.object_store().read_tags(bucket, &key).await.unwrap();
            let tags = tags.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            found.push((bucket, key.to_string(), tags));
        }
    }
    found
}
