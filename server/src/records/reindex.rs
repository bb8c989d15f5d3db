//! Rebuilds a catalog from its records.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram_object_store::{ObjectKey, ObjectStore};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Envelope, LineError, RecordKind, RecordsError, RecordsSource, read_row};
use crate::catalog::{Catalog, CatalogError, Import, ImportError, entity::prediction};

/// Photos that changed so shortly before the last record are looked at by the outbox: what was recorded may not have
/// been carried over before the catalog was lost.
const LOOK_BACK: TimeDelta = TimeDelta::hours(1);

/// Why a catalog cannot be rebuilt. Nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum ReindexError {
    /// There is something in the catalog that would be lost.
    #[error("the catalog is not empty: name another one, or give --overwrite to put the records in its place")]
    NotEmpty,
    /// Nobody has written there.
    #[error("the bucket {0} holds no records: is it the right one (s3.buckets.records)?")]
    NoRecords(String),
    /// Objects are missing between others.
    #[error(
        "{count} objects of the records are missing, the first has number {first}: look for them in the bucket's \
             older versions or its backup, or give --despite-gaps to take what is there"
    )]
    Gaps {
        /// How many.
        count: i64,
        /// The smallest number among them.
        first: i64,
    },
    /// What batches have considered is missing.
    #[error(
        "batch {batch} has considered {said} photos, and the records have {there} of them: objects of the folder \
         selections are missing; look for them in the bucket's older versions or its backup, or give --despite-gaps"
    )]
    Incomplete {
        /// Number of the first such batch.
        batch: i64,
        /// How many it says it has considered.
        said: u64,
        /// How many were found.
        there: u64,
    },
    /// A line that cannot be taken in.
    #[error("{key}, {why}")]
    Object {
        /// The object.
        key: String,
        /// What is wrong, with the number of the line where it is known.
        why: String,
    },
    /// The object store does not answer, say.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The catalog does not.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// What is allowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReindexOptions {
    /// Put the records in the place of what the catalog holds.
    pub overwrite: bool,
    /// Take what is there where objects are missing.
    pub despite_gaps: bool,
    /// Leave out what was written after the object of this number.
    pub until: Option<i64>,
}

/// What a catalog was rebuilt from, and what it holds now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reindexed {
    /// Objects that were read.
    pub objects: u64,
    /// Lines that were read.
    pub lines: u64,
    /// Rows there are now, by the word for them.
    pub rows: BTreeMap<&'static str, u64>,
    /// When the last of the records was written: what happened later is not among them.
    pub recorded_until: Option<DateTime<Utc>>,
    /// Objects that are missing.
    pub missing: i64,
    /// Rows that were left out because others that they refer to are missing.
    pub orphans: u64,
    /// Objects in our folders whose names we do not know; they were left alone.
    pub ignored: u64,
}

/// An object of the records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    /// 0 for selections, which have their batch's number.
    number: i64,
    key: ObjectKey,
    /// Number and lines of what it is made of, where it was made of others; the last one is itself.
    parts: Vec<(i64, usize)>,
}

/// Rebuilds the catalog from the bucket `records`. `progress` is told how many of all objects are read.
pub async fn reindex(
    catalog: &Catalog,
    store: &ObjectStore,
    options: ReindexOptions,
    progress: impl FnMut(u64, u64),
) -> Result<Reindexed, ReindexError> {
    reindex_from(catalog, &RecordsSource::Bucket(Box::new(store.clone())), options, progress).await
}

/// The same from records that may lie elsewhere.
pub async fn reindex_from(
    catalog: &Catalog,
    source: &RecordsSource,
    options: ReindexOptions,
    mut progress: impl FnMut(u64, u64),
) -> Result<Reindexed, ReindexError> {
    if !options.overwrite && !catalog.is_empty().await? {
        return Err(ReindexError::NotEmpty);
    }
    let log = source.log().await?.ok_or_else(|| ReindexError::NoRecords(source.name()))?;
    let (mut found, ignored) = list(source).await?;
    if let Some(until) = options.until {
        let is_told = |object: &Found| object.number <= until || object.parts.iter().any(|(part, _)| *part <= until);
        found.values_mut().for_each(|objects| objects.retain(is_told));
    }
    let missing = gaps(&found, options)?;
    let all: u64 = found.values().map(|objects| objects.len() as u64).sum();
    let mut taken = Taken {
        import: catalog.begin_import(options.despite_gaps).await?,
        lines: 0,
        last_seq: 0,
        recorded_until: None,
    };
    let (mut personal, mut recent) = (HashSet::new(), Vec::new());
    let mut done = 0;
    progress(done, all);
    let mut batches = BTreeSet::new();
    for (kind, objects) in &found {
        if *kind == RecordKind::Selection {
            batches = taken.import.batches().await?;
        }
        for object in objects {
            if *kind == RecordKind::Selection && options.until.is_some() && !is_of(&object.key, &batches) {
                // Of a batch that was drawn later.
                continue;
            }
            let named = |why: String| ReindexError::Object { key: object.key.to_string(), why };
            let read = source.read(&object.key).await?;
            let body = std::str::from_utf8(&read).map_err(|error| named(error.to_string()))?;
            let about = taken.object(*kind, object, body, options.until).await;
            let about = about.map_err(|error| named(error.to_string()))?;
            personal.extend(about.personal);
            recent.push((about.recorded_at, about.mentions));
            if let Some(until) = taken.recorded_until {
                recent.retain(|(at, _)| at.is_some_and(|at| at >= until - LOOK_BACK));
            }
            done += 1;
            progress(done, all);
        }
        // Before what refers to them.
        if *kind == RecordKind::Selection
            && !options.despite_gaps
            && let Some(&(batch, said, there)) = taken.import.incomplete_batches().await?.first()
        {
            return Err(ReindexError::Incomplete { batch, said, there });
        }
    }
    let Taken { import, lines, last_seq, recorded_until } = taken;
    let mut rows = BTreeMap::new();
    for kind in RecordKind::ALL {
        rows.insert(kind.as_str(), import.count(kind).await?);
    }
    let personal: Vec<Uuid> = personal.into_iter().collect();
    let mut look_at: HashSet<Uuid> = recent.into_iter().flat_map(|(_, ids)| ids).collect();
    // An erasure that did not come to its end.
    look_at.extend(import.erased_among(&personal).await?);
    let mut look_at: Vec<Uuid> = look_at.into_iter().collect();
    look_at.sort_unstable();
    let last_number = found.values().flatten().map(|object| object.number).max().unwrap_or_default();
    let orphans = import.orphans();
    import.finish(log.log, last_number, last_seq, &look_at).await?;
    catalog.take_stock().await?;
    Ok(Reindexed { objects: all, lines, rows, recorded_until, missing, orphans, ignored })
}

/// The greatest number among the objects; 0 where there are none.
pub async fn last_number(store: &ObjectStore) -> Result<i64, ReindexError> {
    let (found, _) = list(&RecordsSource::Bucket(Box::new(store.clone()))).await?;
    Ok(found.values().flatten().map(|object| object.number).max().unwrap_or_default())
}

/// Every object, those of a kind in the order in which they were written.
async fn list(source: &RecordsSource) -> Result<(BTreeMap<RecordKind, Vec<Found>>, u64), ReindexError> {
    let (mut found, mut ignored) = (BTreeMap::new(), 0);
    let mut compacted: BTreeMap<i64, Vec<(i64, usize)>> = BTreeMap::new();
    for parts in source.compactions().await? {
        compacted.insert(parts.number(), parts.parts);
    }
    for kind in RecordKind::ALL {
        let mut objects = Vec::new();
        for key in source.keys(kind).await? {
            match number_of(kind, key.as_str()) {
                Some(number) => {
                    let parts = compacted.remove(&number).unwrap_or_default();
                    objects.push(Found { number, key, parts });
                }
                None => ignored += 1,
            }
        }
        objects.sort_unstable();
        found.insert(kind, objects);
    }
    Ok((found, ignored))
}

/// Whether an object of selections is of one of these batches.
fn is_of(key: &ObjectKey, batches: &BTreeSet<i64>) -> bool {
    let file = key.as_str().rsplit('/').next().and_then(|file| file.strip_prefix("batch-"));
    let number = file.and_then(|file| file.split('-').next()).and_then(|number| number.parse().ok());
    number.is_some_and(|number| batches.contains(&number))
}

pub(super) fn number_of(kind: RecordKind, key: &str) -> Option<i64> {
    let file = key.rsplit('/').next()?.strip_suffix(".jsonl")?;
    match kind {
        RecordKind::Selection => file.starts_with("batch-").then_some(0),
        _ => file.parse().ok().filter(|number| *number > 0),
    }
}

/// How many numbers are missing between the first and the last.
fn gaps(found: &BTreeMap<RecordKind, Vec<Found>>, options: ReindexOptions) -> Result<i64, ReindexError> {
    let of_object = |object: &Found| {
        let parts = object.parts.iter().map(|(part, _)| *part);
        parts.chain([object.number]).collect::<Vec<_>>()
    };
    let within = |number: &i64| *number > 0 && options.until.is_none_or(|until| *number <= until);
    let mut numbers: Vec<i64> = found.values().flatten().flat_map(of_object).filter(within).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut expected = 1;
    let (mut count, mut first) = (0, None);
    for number in numbers {
        if number > expected {
            first.get_or_insert(expected);
            count += number - expected;
        }
        expected = number + 1;
    }
    match first {
        Some(first) if !options.despite_gaps => Err(ReindexError::Gaps { count, first }),
        _ => Ok(count),
    }
}

struct Taken {
    import: Import,
    lines: u64,
    last_seq: i64,
    recorded_until: Option<DateTime<Utc>>,
}

/// What an object tells.
#[derive(Default)]
struct About {
    recorded_at: Option<DateTime<Utc>>,
    /// The predictions that it tells of.
    mentions: Vec<Uuid>,
    /// Those of them that it tells something personal of.
    personal: Vec<Uuid>,
}

impl Taken {
    async fn object(
        &mut self,
        kind: RecordKind,
        object: &Found,
        body: &str,
        until: Option<i64>,
    ) -> Result<About, ImportError> {
        let mut about = About::default();
        let mut rows: Vec<(usize, &str)> = Vec::new();
        // Each part has a row once at most, and is taken in for itself. One that was cut off before it was merged has its own
        // lines only.
        let all = body.lines().count();
        let is_merged = object.parts.iter().map(|(_, lines)| lines).sum::<usize>() == all;
        let parts = if is_merged { object.parts.clone() } else { vec![(object.number, all)] };
        let mut ends = HashSet::new();
        let (mut told, mut wanted) = (0, all);
        for (number, lines) in parts {
            if until.is_some_and(|until| number > until) {
                wanted = wanted.min(told);
            }
            told += lines;
            ends.insert(told);
        }
        for (at, line) in body.lines().enumerate().take(wanted) {
            if ends.contains(&at) {
                self.rows(kind, &std::mem::take(&mut rows), &mut about).await?;
            }
            let at = at + 1;
            let wrong = |error: LineError| ImportError::Line { line: at, why: error.to_string() };
            let envelope = Envelope::read(kind, line).map_err(wrong)?;
            self.lines += 1;
            self.last_seq = self.last_seq.max(envelope.seq);
            about.recorded_at = Some(envelope.recorded_at);
            if !envelope.deleted {
                rows.push((at, line));
                continue;
            }
            self.rows(kind, &std::mem::take(&mut rows), &mut about).await?;
            let key: Map<String, Value> = read_row(line).map_err(|error| wrong(error.into()))?;
            if !self.import.remove(kind, &key).await? {
                return Err(ImportError::Line { line: at, why: format!("a {kind} cannot be deleted") });
            }
        }
        self.rows(kind, &rows, &mut about).await?;
        self.recorded_until = self.recorded_until.max(about.recorded_at);
        about.mentions.sort_unstable();
        about.mentions.dedup();
        if object.number > 0 {
            let at = about.recorded_at.unwrap_or_default();
            self.import.object(kind, object.number, object.key.as_str(), at, &about.mentions).await?;
        }
        Ok(about)
    }

    async fn rows(&self, kind: RecordKind, lines: &[(usize, &str)], about: &mut About) -> Result<(), ImportError> {
        if kind != RecordKind::Prediction {
            return self.import.rows(kind, lines).await;
        }
        let mut rows: Vec<prediction::Model> = Vec::with_capacity(lines.len());
        for (at, line) in lines {
            let row: prediction::Model =
                read_row(line).map_err(|error| ImportError::Line { line: *at, why: error.to_string() })?;
            about.mentions.push(row.id);
            if !row.image_sha256.is_empty() {
                about.personal.push(row.id);
            }
            rows.push(row);
        }
        Ok(self.import.predictions(rows).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(numbers: &[i64]) -> BTreeMap<RecordKind, Vec<Found>> {
        let objects =
            numbers.iter().map(|number| Found { number: *number, key: "a".parse().unwrap(), parts: Vec::new() });
        BTreeMap::from([(RecordKind::Task, objects.collect())])
    }

    #[test]
    fn an_object_that_is_missing_is_noticed() {
        let strict = ReindexOptions::default();
        assert_eq!(gaps(&found(&[]), strict).unwrap(), 0);
        assert_eq!(gaps(&found(&[3, 1, 2]), strict).unwrap(), 0);
        assert!(matches!(gaps(&found(&[2, 3]), strict), Err(ReindexError::Gaps { count: 1, first: 1 })));
        assert!(matches!(gaps(&found(&[1, 4, 6]), strict), Err(ReindexError::Gaps { count: 3, first: 2 })));
        let lenient = ReindexOptions { despite_gaps: true, ..strict };
        assert_eq!(gaps(&found(&[1, 4, 6]), lenient).unwrap(), 3);
    }

    #[test]
    fn what_an_object_is_made_of_is_not_missing() {
        let mut merged = found(&[1, 5, 6]);
        merged.get_mut(&RecordKind::Task).unwrap()[1].parts = vec![(2, 10), (4, 1), (5, 3)];
        assert!(matches!(gaps(&merged, ReindexOptions::default()), Err(ReindexError::Gaps { count: 1, first: 3 })));
        let early = ReindexOptions { until: Some(2), ..ReindexOptions::default() };
        assert_eq!(gaps(&merged, early).unwrap(), 0);
    }

    #[test]
    fn names_of_our_objects_are_read_and_others_left_alone() {
        let at = Utc::now();
        assert_eq!(number_of(RecordKind::Task, &RecordKind::Task.object_key(at, 42)), Some(42));
        assert_eq!(number_of(RecordKind::Selection, &RecordKind::selections_key(at, 3, 1)), Some(0));
        for other in ["tasks/notes.txt", "tasks/date=2026-11-24/x.jsonl", "tasks/0.jsonl"] {
            assert_eq!(number_of(RecordKind::Task, other), None, "{other}");
        }
    }
}
