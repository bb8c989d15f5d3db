//! Takes out of the records what is an erased photo's.
//!
//! What stays is what the catalog's tombstone keeps. The objects that tell of the photo are known; each is read, its
//! lines about erased photos are cleared, and it is put back under its key. The outbox asks for this twice, ten minutes
//! apart, as for the photo itself: a write that was under way may have brought an older object back.

use std::collections::HashSet;

use gourmetgram_object_store::{Bucket, ObjectStoreError};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{RecordsError, writer::put};
use crate::app::App;

/// Clears everything personal that was recorded of an erased prediction.
pub async fn forget(app: &App, prediction: Uuid) -> Result<(), RecordsError> {
    let catalog = app.catalog();
    for number in catalog.records_of(prediction).await? {
        let erased = catalog.erased_in(number).await?;
        while let Some(object) = catalog.record_object(number).await? {
            match object.body {
                Some(body) => {
                    let clean = redact(&body, &erased).map_err(|why| unreadable(app, &object.object_key, why))?;
                    if clean == body || catalog.change_record(number, object.revision, clean).await? {
                        break;
                    }
                }
                None => {
                    clean_object(app, &object.object_key, &erased).await?;
                    break;
                }
            }
        }
    }
    Ok(())
}

async fn clean_object(app: &App, key: &str, erased: &HashSet<Uuid>) -> Result<(), RecordsError> {
    let store = app.object_store();
    let object = match store.get(Bucket::Records, &key.parse()?).await {
        Ok(object) => object,
        // Somebody has removed it: nothing is left to clean.
        Err(ObjectStoreError::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let body = std::str::from_utf8(&object.bytes).map_err(|error| unreadable(app, key, error.to_string()))?;
    let clean = redact(body, erased).map_err(|why| unreadable(app, key, why))?;
    if clean != body {
        put(store, key, clean).await?;
    }
    Ok(())
}

fn unreadable(app: &App, key: &str, why: String) -> RecordsError {
    let bucket = app.object_store().bucket_names().records.clone();
    RecordsError::Unreadable { bucket, key: key.to_owned(), why }
}

/// Lines of predictions, with everything cleared in those about erased ones that their tombstones do not have.
pub fn redact(body: &str, erased: &HashSet<Uuid>) -> Result<String, String> {
    let mut clean = String::with_capacity(body.len());
    for (number, line) in body.lines().enumerate() {
        let at = |why: &dyn std::fmt::Display| format!("line {}: {why}", number + 1);
        let mut fields: Map<String, Value> = serde_json::from_str(line).map_err(|error| at(&error))?;
        let id = fields.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        if id.is_some_and(|id: Uuid| erased.contains(&id)) && clear(&mut fields) {
            clean.push_str(&serde_json::to_string(&fields).map_err(|error| at(&error))?);
        } else {
            clean.push_str(line);
        }
        clean.push('\n');
    }
    Ok(clean)
}

/// Answers whether there was something to clear.
fn clear(fields: &mut Map<String, Value>) -> bool {
    let mut changed = false;
    for (name, cleared) in [
        ("visitor", Value::Null),
        ("idempotency", Value::Null),
        ("image_sha256", json!("")),
        ("bytes", json!(0)),
        ("width", json!(0)),
        ("height", json!(0)),
        ("probabilities", json!([])),
        ("device", Value::Null),
        ("spool_file", Value::Null),
        ("spool_node", Value::Null),
    ] {
        if let Some(value) = fields.get_mut(name)
            && *value != cleared
        {
            *value = cleared;
            changed = true;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erased_photos_lines_are_cleared_and_all_others_stay_as_they_are() {
        let (gone, stays) = (Uuid::now_v7(), Uuid::now_v7());
        let line = |id: Uuid| {
            json!({"id": id, "visitor": "v", "idempotency": "i", "image_sha256": "s", "bytes": 1, "width": 2, "height": 3,
                "probabilities": [0.5], "device": {}, "spool_file": "f", "spool_node": "n", "predicted_class": "Soup",
                "confidence": 0.1234})
            .to_string()
        };
        let body = format!("{}\n{}\n{}\n", line(gone), line(stays), line(gone));
        let clean = redact(&body, &HashSet::from([gone])).unwrap();
        let lines: Vec<&str> = clean.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], line(stays));
        for cleared in [lines[0], lines[2]] {
            let cleared: Value = serde_json::from_str(cleared).unwrap();
            assert_eq!(
                cleared,
                json!({"id": gone, "visitor": null, "idempotency": null, "image_sha256": "", "bytes": 0, "width": 0,
                    "height": 0, "probabilities": [], "device": null, "spool_file": null, "spool_node": null,
                    "predicted_class": "Soup", "confidence": 0.1234})
            );
        }
        assert_eq!(redact(&clean, &HashSet::from([gone])).unwrap(), clean, "once more changes nothing");
        assert!(redact("{\n", &HashSet::new()).unwrap_err().starts_with("line 1: "));
    }
}
