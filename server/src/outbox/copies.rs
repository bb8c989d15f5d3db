//! Copies of a photo in the buckets for labelling: a visit makes them like the catalog's rows.
//!
//! What is to be there is written before what is no longer to be there is removed. Every step can be done twice, and a
//! process that ends between two of them leaves a note of every object there may be.

use gourmetgram_api::{ClassIndex, ClassProbability, Place};
use gourmetgram_object_store::{Bucket, ObjectKey, TagChanges, Tags};

use super::{VisitError, key};
use crate::{
    app::App,
    catalog::{CopyWanted, Shows, entity::prediction},
};

/// Makes the copies of a photo that is in the object store like the catalog. `own` are the tags that we give it,
/// `standing` all that it has there.
pub(super) async fn arrange(
    app: &App,
    row: &prediction::Model,
    own: &TagChanges,
    standing: &Tags,
) -> Result<(), VisitError> {
    let noted = app.catalog().placements(row.id).await?;
    let mut wanted = Vec::new();
    for copy in app.catalog().copies_wanted(row).await? {
        wanted.push((key_of(app, row, &copy.shows)?, copy));
    }
    for (to, copy) in &wanted {
        // The pixels of a photo never change, and a copy that shows nothing else has nothing to follow.
        let is_there = |note: &crate::catalog::entity::placement::Model| {
            note.bucket == copy.place.as_str() && note.object_key == to.as_str() && note.placed_at.is_some()
        };
        if matches!(copy.shows, Shows::Nothing { .. }) && noted.iter().any(is_there) {
            continue;
        }
        let tags = tags_of(copy, own, standing)?;
        if !app.catalog().announce_copy(row.id, copy.place, to.as_str()).await? {
            // Erased meanwhile: the order to remove everything is there.
            return Ok(());
        }
        let from = key(&row.object_key)?;
        let (from, to) = ((Bucket::Production, &from), (Bucket::from(copy.place), to));
        app.object_store().copy_with_tags(from, to, &row.content_type, &tags).await?;
        if !app.catalog().confirm_copy(row.id, copy.place, to.1.as_str()).await? {
            app.object_store().delete(to.0, to.1).await?;
            return Ok(());
        }
    }
    for note in noted {
        let is_wanted =
            wanted.iter().any(|(to, copy)| note.bucket == copy.place.as_str() && note.object_key == to.as_str());
        if !is_wanted {
            app.object_store().delete(bucket_named(&note.bucket)?, &key(&note.object_key)?).await?;
            app.catalog().forget_copy(row.id, &note.bucket, &note.object_key).await?;
        }
    }
    Ok(())
}

/// Removes every copy of an erased photo. The notes of them stay until the last look, so that a write that was under way
/// is found then.
pub(super) async fn remove_all(app: &App, row: &prediction::Model, is_last_look: bool) -> Result<(), VisitError> {
    for note in app.catalog().placements(row.id).await? {
        app.object_store().delete(bucket_named(&note.bucket)?, &key(&note.object_key)?).await?;
        if is_last_look {
            app.catalog().forget_copy(row.id, &note.bucket, &note.object_key).await?;
        }
    }
    Ok(())
}

/// Where a copy lies. Of a blind task nothing but the task can be read from it.
fn key_of(app: &App, row: &prediction::Model, shows: &Shows) -> Result<ObjectKey, VisitError> {
    let file = row.object_key.rsplit('/').next().unwrap_or_default();
    let dot_extension = file.find('.').map_or("", |dot| &file[dot..]);
    let folder = |class: Option<ClassIndex>| {
        class.map(ClassIndex::folder).ok_or_else(|| VisitError::Row(format!("class_index {}", row.class_index)))
    };
    let answered = u16::try_from(row.class_index).ok().map(ClassIndex);
    match shows {
        Shows::Nothing { task } => key(&format!("blind/{task}{dot_extension}")),
        Shows::Task { task } => key(&format!("{}/{task}{dot_extension}", folder(answered)?)),
        Shows::Answer => key(&row.object_key),
        Shows::Label { label, .. } => {
            let class = class_of(app, row, label);
            let class = class.ok_or_else(|| VisitError::Row(format!("no model has a class {label:?}")))?;
            key(&format!("{}/{file}", class.folder()))
        }
    }
}

/// The number of a class: in the model that answered, or, where that did not know it, in the one that answers now.
fn class_of(app: &App, row: &prediction::Model, label: &str) -> Option<ClassIndex> {
    let answered: Vec<ClassProbability> = serde_json::from_value(row.probabilities.clone()).unwrap_or_default();
    let position = answered.iter().position(|class| class.label == label);
    let of_answer = position.and_then(|index| u16::try_from(index).ok()).map(ClassIndex);
    let model = app.model();
    of_answer.or_else(|| model.classes().iter().find(|(_, known)| *known == label).map(|(index, _)| index))
}

fn tags_of(copy: &CopyWanted, own: &TagChanges, standing: &Tags) -> Result<Tags, VisitError> {
    let tags = match &copy.shows {
        Shows::Nothing { .. } => return Ok(Tags::default()),
        Shows::Task { .. } | Shows::Answer => own.clone(),
        Shows::Label { label, by, at } => own
            .clone()
            .set_text("human_label", label)
            .set_text("annotator", by)
            .set("labelled_at", Some(&at.format("%Y-%m-%dT%H:%M:%SZ").to_string())),
    };
    Ok(standing.merge_as_fits(&tags).map_err(gourmetgram_object_store::ObjectStoreError::from)?)
}

fn bucket_named(name: &str) -> Result<Bucket, VisitError> {
    let place = Place::ALL.into_iter().find(|place| place.as_str() == name);
    place.map(Bucket::from).ok_or_else(|| VisitError::Row(format!("there is no bucket {name:?}")))
}
