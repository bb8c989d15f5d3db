//! Makes few large objects of many small ones. Nothing that the records say is changed by it.
//!
//! Objects of one kind and one day become the last of them: its lines are those of all, in their order. What it is made of is
//! written beside it first (`_compacted/`), with the lines that each part has, so that a reader can still take it apart: up to
//! any number, for one. Then, in one transaction, the catalog freezes what the object is to hold, and it is put like any
//! other; an erasure finds it from there on. Its parts go when it is there. Whoever dies in between leaves an object that the
//! next compaction finds and finishes, or one that nothing has happened to.
//!
//! One at a time, by a lease in the catalog: two at once would each take the other's objects for parts of their own, and one
//! might put an object anew that the other has just removed, which nobody would ever clean again.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use gourmetgram_object_store::{Bucket, ObjectKey, ObjectStore, ObjectStoreError};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    RecordKind, RecordsError, SCHEMA, redact,
    writer::{ensure_ours, write},
};
use crate::catalog::{Catalog, CatalogError, entity::record_object};

/// The folder that says what objects are made of.
pub(super) const FOLDER: &str = "_compacted";
/// Most lines of an object that is made of others.
const LINES: usize = 10_000;
/// Most bytes of one.
const BYTES: usize = 8 * 1024 * 1024;
/// Longest description of what an object is made of.
const MAX_PARTS_FILE: u64 = 8 * 1024 * 1024;
/// How long a compaction may be silent before it is thought dead.
const LEASE: Duration = Duration::from_secs(60);
/// How often it says that it is not.
const RENEWAL: Duration = Duration::from_secs(15);

/// What an object is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Version of the records.
    pub schema: u32,
    /// The kind of its lines.
    pub record: String,
    /// Number and lines of each part, in their order; the last one is the object itself.
    pub parts: Vec<(i64, usize)>,
}

impl Parts {
    /// The object's number.
    pub(super) fn number(&self) -> i64 {
        self.parts.last().map_or(0, |(number, _)| *number)
    }

    /// Lines of all parts.
    pub(super) fn lines(&self) -> usize {
        self.parts.iter().map(|(_, lines)| lines).sum()
    }

    fn key(number: i64) -> String {
        format!("{FOLDER}/{number:012}.json")
    }
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Objects that are gone, their lines in others.
    pub merged: u64,
    /// Objects that they went into.
    pub into: u64,
}

/// An object with what it says.
struct Read {
    object: record_object::Model,
    body: String,
    parts: Vec<(i64, usize)>,
}

/// The right to compact, which one has at a time.
struct Turn<'a> {
    catalog: &'a Catalog,
    holder: Uuid,
    renewed: Instant,
}

impl<'a> Turn<'a> {
    async fn begin(catalog: &'a Catalog) -> Result<Self, RecordsError> {
        let turn = Self { catalog, holder: Uuid::now_v7(), renewed: Instant::now() };
        turn.lease().await.map(|()| turn)
    }

    async fn lease(&self) -> Result<(), RecordsError> {
        match self.catalog.lease_compaction(self.holder, LEASE).await? {
            true => Ok(()),
            false => Err(RecordsError::BeingCompacted),
        }
    }

    /// To be called before whatever takes its time, and before anything is changed.
    async fn keep(&mut self) -> Result<(), RecordsError> {
        if self.renewed.elapsed() < RENEWAL {
            return Ok(());
        }
        self.renewed = Instant::now();
        self.lease().await
    }
}

/// Merges objects that were planned before a time. Servers may work meanwhile.
///
/// # Errors
/// [`RecordsError::BeingCompacted`] where another one is at it, or died within the last minute; and what the catalog and the
/// object store answer.
pub async fn compact(catalog: &Catalog, store: &ObjectStore, before: DateTime<Utc>) -> Result<Compacted, RecordsError> {
    ensure_ours(catalog, store).await?;
    let mut turn = Turn::begin(catalog).await?;
    let done = merge_all(&mut turn, store, before).await;
    catalog.end_compaction(turn.holder).await?;
    done
}

async fn merge_all(turn: &mut Turn<'_>, store: &ObjectStore, before: DateTime<Utc>) -> Result<Compacted, RecordsError> {
    let catalog = turn.catalog;
    let mut done = Compacted::default();
    let mut known: HashMap<i64, Parts> = HashMap::new();
    for parts in read_all(store).await? {
        done.merged += finish(turn, store, &parts).await?;
        known.insert(parts.number(), parts);
    }
    let mut days: BTreeMap<(String, String), Vec<record_object::Model>> = BTreeMap::new();
    for object in catalog.written_records(before).await? {
        let day = object.object_key.rsplit_once('/').map_or("", |(day, _)| day).to_owned();
        days.entry((object.kind.clone(), day)).or_default().push(object);
    }
    for objects in days.into_values().filter(|objects| objects.len() > 1) {
        let (mut group, mut lines, mut bytes) = (Vec::new(), 0, 0);
        for object in objects {
            turn.keep().await?;
            let body = body_of(store, &object.object_key).await?;
            let own = body.lines().count();
            let parts = match known.get(&object.number) {
                Some(parts) if parts.lines() == own => parts.parts.clone(),
                _ => vec![(object.number, own)],
            };
            if lines + own > LINES || bytes + body.len() > BYTES {
                merge(turn, store, std::mem::take(&mut group), &mut done).await?;
                (lines, bytes) = (0, 0);
            }
            (lines, bytes) = (lines + own, bytes + body.len());
            group.push(Read { object, body, parts });
        }
        merge(turn, store, group, &mut done).await?;
    }
    Ok(done)
}

/// What all objects that were merged are made of.
async fn read_all(store: &ObjectStore) -> Result<Vec<Parts>, RecordsError> {
    let (mut all, mut go_on) = (Vec::new(), None);
    loop {
        let page = store.list(Bucket::Records, &format!("{FOLDER}/"), go_on).await?;
        for key in page.keys {
            let object = store.get_at_most(Bucket::Records, &key, MAX_PARTS_FILE).await?;
            all.push(read_parts(&store.bucket_names().records, &key, &object.bytes)?);
        }
        go_on = page.next;
        if go_on.is_none() {
            return Ok(all);
        }
    }
}

/// Reads what an object is made of.
pub(super) fn read_parts(bucket: &str, key: &ObjectKey, bytes: &[u8]) -> Result<Parts, RecordsError> {
    let unreadable = |why: String| RecordsError::Unreadable { bucket: bucket.to_owned(), key: key.to_string(), why };
    let parts: Parts = serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
    match parts.schema == SCHEMA && parts.record.parse::<RecordKind>().is_ok() {
        true => Ok(parts),
        false => Err(unreadable(format!("{:?} of schema {}", parts.record, parts.schema))),
    }
}

async fn body_of(store: &ObjectStore, key: &str) -> Result<String, RecordsError> {
    let object = store.get(Bucket::Records, &key.parse()?).await?;
    String::from_utf8(object.bytes.to_vec()).map_err(|error| RecordsError::Unreadable {
        bucket: store.bucket_names().records.clone(),
        key: key.to_owned(),
        why: error.to_string(),
    })
}

async fn merge(
    turn: &mut Turn<'_>,
    store: &ObjectStore,
    group: Vec<Read>,
    done: &mut Compacted,
) -> Result<(), RecordsError> {
    let Some(last) = group.last().filter(|_| group.len() > 1).map(|last| last.object.clone()) else { return Ok(()) };
    turn.keep().await?;
    let parts = Parts {
        schema: SCHEMA,
        record: last.kind.clone(),
        parts: group.iter().flat_map(|read| read.parts.iter().copied()).collect(),
    };
    let said = serde_json::to_vec(&parts).map_err(|error| CatalogError::Corrupt(error.to_string()))?;
    let key: ObjectKey = Parts::key(last.number).parse()?;
    store.put(Bucket::Records, &key, said, "application/json", &Default::default()).await?;
    let numbers: Vec<i64> = group.iter().map(|read| read.object.number).collect();
    let body: String = group.iter().map(|read| read.body.as_str()).collect();
    // What was erased since it was read is cleared.
    let clear = |erased: &HashSet<Uuid>| match last.kind == RecordKind::Prediction.as_str() {
        true => redact(&body, erased).map_err(CatalogError::Corrupt),
        false => Ok(body.clone()),
    };
    // It is no longer what was read: another time.
    if !turn.catalog.merge_records(turn.holder, last.number, last.revision, &numbers, clear).await? {
        return Ok(());
    }
    let merged = finish(turn, store, &parts).await?;
    done.merged += merged;
    done.into += u64::from(merged > 0);
    Ok(())
}

/// Takes the parts of an object away, if it holds them. Answers how many there were.
async fn finish(turn: &mut Turn<'_>, store: &ObjectStore, parts: &Parts) -> Result<u64, RecordsError> {
    turn.keep().await?;
    let catalog = turn.catalog;
    let number = parts.number();
    let Some(object) = catalog.record_object(number).await? else { return Ok(0) };
    let others: HashSet<i64> = parts.parts.iter().map(|(part, _)| *part).filter(|part| *part != number).collect();
    let others: Vec<i64> = others.into_iter().collect();
    let left = catalog.record_objects(&others).await?;
    if left.is_empty() {
        return Ok(0);
    }
    let key = object.object_key.clone();
    if object.written_at.is_none() {
        write(catalog, store, object).await?;
    }
    if body_of(store, &key).await?.lines().count() != parts.lines() {
        // Cut off before anything was merged.
        return Ok(0);
    }
    for part in &left {
        turn.keep().await?;
        for key in [part.object_key.clone(), Parts::key(part.number)] {
            match store.delete(Bucket::Records, &key.parse()?).await {
                Ok(()) | Err(ObjectStoreError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    catalog.remove_merged_records(&others).await?;
    Ok(left.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_object_is_made_of_reads_back_and_nothing_else_is_taken_for_it() {
        let parts = Parts { schema: SCHEMA, record: "task".to_owned(), parts: vec![(3, 10), (7, 2)] };
        let key: ObjectKey = Parts::key(7).parse().unwrap();
        assert_eq!((parts.number(), parts.lines(), key.to_string().as_str()), (7, 12, "_compacted/000000000007.json"));
        let bytes = serde_json::to_vec(&parts).unwrap();
        assert_eq!(read_parts("records", &key, &bytes).unwrap(), parts);
        for other in [Parts { schema: 2, ..parts.clone() }, Parts { record: "plate".to_owned(), ..parts }] {
            assert!(read_parts("records", &key, &serde_json::to_vec(&other).unwrap()).is_err());
        }
        assert!(read_parts("records", &key, b"{}").is_err());
    }
}
