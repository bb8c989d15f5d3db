//! What people saw, out of what was pulled; and what that changes. Nothing here reads or writes anything.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gourmetgram_api::{Classes, Seen};
use uuid::Uuid;

use crate::{Annotation, AnnotationId, Answer, RemoteTask, RemoteTaskId, Unusable, User, UserId};

/// What one annotator sees in one task's photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The annotation that says so.
    pub annotation: AnnotationId,
    /// Our task.
    pub task: Uuid,
    /// Who: the user's email, where Label Studio still knows it.
    pub annotator: String,
    /// What.
    pub seen: Seen,
    /// When: its last change.
    pub at: DateTime<Utc>,
    /// How long they looked, in milliseconds, as far as known.
    pub took_ms: Option<i64>,
}

impl Standing {
    /// Whether the other is of the same annotator about the same task.
    fn is_in_the_place_of(&self, other: &Self) -> bool {
        (&self.task, &self.annotator) == (&other.task, &other.annotator)
    }
}

/// An annotation that was not cancelled and says nothing we can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Useless {
    /// The annotation.
    pub annotation: AnnotationId,
    /// Our task.
    pub task: Uuid,
    /// Why.
    pub why: Unusable,
}

/// What stands in a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// What each annotator sees in each task: one each, by annotation.
    pub standing: BTreeMap<AnnotationId, Standing>,
    /// What says nothing we can use, to be told to somebody.
    pub useless: Vec<Useless>,
    /// Tasks that are none of ours, for example those of Label Studio's own "Sync storage".
    pub foreign: Vec<RemoteTaskId>,
}

impl Collected {
    /// Sorts what was pulled. Cancelled annotations say nothing. Of several that an annotator gave to one task (there may be
    /// two copies of it) the one changed last stands; classes the model does not have are useless.
    pub fn new(tasks: &[RemoteTask], users: &[User], classes: &Classes) -> Self {
        let names: BTreeMap<UserId, &str> = users.iter().map(|user| (user.id, user.email.as_str())).collect();
        let mut collected = Self::default();
        let mut latest: BTreeMap<(Uuid, String), Standing> = BTreeMap::new();
        for remote in tasks {
            let Some(task) = remote.task else {
                collected.foreign.push(remote.id);
                continue;
            };
            for annotation in remote.annotations.iter().filter(|annotation| !annotation.cancelled) {
                let seen = match known(annotation, classes) {
                    Ok(seen) => seen,
                    Err(why) => {
                        collected.useless.push(Useless { annotation: annotation.id, task, why });
                        continue;
                    }
                };
                let standing = Standing {
                    annotation: annotation.id,
                    task,
                    annotator: name(annotation.by, &names),
                    seen: seen.clone(),
                    at: annotation.updated_at,
                    took_ms: annotation.took.and_then(|took| i64::try_from(took.as_millis()).ok()),
                };
                let place = (task, standing.annotator.clone());
                let rank = |standing: &Standing| (standing.at, standing.annotation);
                if latest.get(&place).is_none_or(|known| rank(known) < rank(&standing)) {
                    latest.insert(place, standing);
                }
            }
        }
        collected.standing = latest.into_values().map(|standing| (standing.annotation, standing)).collect();
        collected.useless.sort_by_key(|useless| useless.annotation);
        collected.foreign.sort();
        collected
    }
}

fn known<'a>(annotation: &'a Annotation, classes: &Classes) -> Result<&'a Seen, Unusable> {
    match &annotation.answer {
        Answer::Unusable(why) => Err(why.clone()),
        Answer::Seen(Seen::Class { label }) if classes.index_of(label).is_none() => {
            Err(Unusable::Unknown(label.clone()))
        }
        Answer::Seen(seen) => Ok(seen),
    }
}

fn name(by: Option<UserId>, names: &BTreeMap<UserId, &str>) -> String {
    match by {
        Some(id) => names.get(&id).map_or_else(|| format!("label-studio-user-{id}"), |&email| email.to_owned()),
        None => "label-studio-user-deleted".to_owned(),
    }
}

/// What is different from what was known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Given since.
    pub added: Vec<Standing>,
    /// Given before, and says something else now.
    pub changed: Vec<Standing>,
    /// Stood before, and does no longer: deleted, cancelled, or replaced by another of the same annotator.
    pub withdrawn: Vec<AnnotationId>,
}

impl Changes {
    /// Compares what stood when last looked, by annotation, with what stands now. Both must be whole: what is missing now has
    /// been withdrawn. A later time alone is no change. A number that stands for another task or annotator than before is
    /// withdrawn and added: withdraw first.
    pub fn between(known: &BTreeMap<AnnotationId, Standing>, now: &BTreeMap<AnnotationId, Standing>) -> Self {
        let mut changes = Self::default();
        for (id, standing) in now {
            match known.get(id) {
                None => changes.added.push(standing.clone()),
                Some(known) if !standing.is_in_the_place_of(known) => {
                    changes.withdrawn.push(*id);
                    changes.added.push(standing.clone());
                }
                Some(known) if known.seen != standing.seen => changes.changed.push(standing.clone()),
                Some(_) => {}
            }
        }
        changes.withdrawn.extend(known.keys().filter(|id| !now.contains_key(id)));
        changes.withdrawn.sort();
        changes
    }

    /// Whether everything is as it was.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.withdrawn.is_empty()
    }
}

#[cfg(test)]
mod tests;
