//! Properties of collecting, over made-up projects.

use std::{collections::BTreeSet, time::Duration};

use chrono::TimeZone;
use proptest::prelude::*;

use super::*;

const LABELS: [&str; 3] = ["Bread", "Soup", "Sushi"];

/// The model knows the first two.
fn classes() -> Classes {
    Classes::new(vec!["Bread".to_owned(), "Soup".to_owned()]).unwrap()
}

fn users() -> Vec<User> {
    [(1, "ann"), (2, "bob")].map(|(id, email)| User { id: UserId(id), email: email.to_owned() }).to_vec()
}

fn answers() -> impl Strategy<Value = Answer> {
    let class = (0..LABELS.len()).prop_map(|label| Seen::Class { label: LABELS[label].to_owned() });
    prop_oneof![
        6 => class.prop_map(Answer::Seen),
        1 => Just(Answer::Seen(Seen::NotFood)),
        1 => Just(Answer::Seen(Seen::Unreadable)),
        1 => Just(Answer::Unusable(Unusable::Empty)),
    ]
}

fn annotations() -> impl Strategy<Value = Annotation> {
    let by = prop_oneof![Just(None), (1..4_i64).prop_map(|id| Some(UserId(id)))];
    (answers(), by, any::<bool>(), 0..5_i64).prop_map(|(answer, by, cancelled, second)| {
        let at = Utc.timestamp_opt(second, 0).unwrap();
        let took = Some(Duration::from_secs(1));
        Annotation { id: AnnotationId(0), by, cancelled, created_at: at, updated_at: at, took, answer }
    })
}

/// Tasks with numbers of their own; a few are copies of one task of ours, a few are none of ours. Annotations have numbers
/// from 1 to 30, so that two projects share some.
fn projects() -> impl Strategy<Value = Vec<RemoteTask>> {
    let numbers = Just((1..=30).collect::<Vec<i64>>()).prop_shuffle();
    let tasks = prop::collection::vec(
        (prop::option::weighted(0.8, 0..4_u128), prop::collection::vec(annotations(), 0..4)),
        0..7,
    );
    (numbers, tasks).prop_map(|(numbers, tasks)| {
        let mut numbers = numbers.into_iter();
        let made = (1..).zip(tasks).map(|(id, (task, mut annotations))| {
            for annotation in &mut annotations {
                annotation.id = AnnotationId(numbers.next().unwrap());
            }
            RemoteTask { id: RemoteTaskId(id), task: task.map(Uuid::from_u128), photo: None, annotations }
        });
        made.collect()
    })
}

fn collect(tasks: &[RemoteTask]) -> Collected {
    Collected::new(tasks, &users(), &classes())
}

/// What a record says, by annotation, after changes were written into it.
fn after(mut record: BTreeMap<AnnotationId, Standing>, changes: &Changes) -> BTreeMap<AnnotationId, Standing> {
    for id in &changes.withdrawn {
        assert!(record.remove(id).is_some(), "{id} was not there to be withdrawn");
    }
    for changed in &changes.changed {
        assert!(record.insert(changed.annotation, changed.clone()).is_some(), "a change of what was not there");
    }
    for added in &changes.added {
        assert!(record.insert(added.annotation, added.clone()).is_none(), "added what was there");
    }
    record
}

/// Everything but when and how long.
fn said(record: &BTreeMap<AnnotationId, Standing>) -> Vec<(AnnotationId, Uuid, &str, &Seen)> {
    record.values().map(|one| (one.annotation, one.task, one.annotator.as_str(), &one.seen)).collect()
}

proptest! {
    #[test]
    fn each_annotator_has_one_standing_annotation_a_task(tasks in projects()) {
        let collected = collect(&tasks);
        let places: BTreeSet<_> = collected.standing.values().map(|one| (one.task, &one.annotator)).collect();
        prop_assert_eq!(places.len(), collected.standing.len());
    }

    #[test]
    fn the_one_changed_last_stands(tasks in projects()) {
        let collected = collect(&tasks);
        let all = tasks.iter().flat_map(|task| task.annotations.iter().map(move |annotation| (task.task, annotation)));
        for (task, annotation) in all {
            let usable = matches!(&annotation.answer, Answer::Seen(seen) if seen.label() != Some("Sushi"));
            let Some(task) = task.filter(|_| usable && !annotation.cancelled) else {
                prop_assert!(!collected.standing.contains_key(&annotation.id), "{:?} stands", annotation);
                continue;
            };
            let names = users().iter().map(|user| (user.id, user.email.clone())).collect::<BTreeMap<_, _>>();
            let names = names.iter().map(|(&id, email)| (id, email.as_str())).collect();
            let annotator = name(annotation.by, &names);
            let stands = collected.standing.values().find(|one| one.task == task && one.annotator == annotator).unwrap();
            prop_assert!((stands.at, stands.annotation) >= (annotation.updated_at, annotation.id));
        }
    }

    #[test]
    fn nothing_is_dropped_silently(tasks in projects()) {
        let collected = collect(&tasks);
        let foreign: Vec<_> = tasks.iter().filter(|task| task.task.is_none()).map(|task| task.id).collect();
        prop_assert_eq!(&collected.foreign, &foreign);
        let ours = tasks.iter().filter(|task| task.task.is_some()).flat_map(|task| &task.annotations);
        let useless = ours.filter(|one| !one.cancelled).filter(|one| match &one.answer {
            Answer::Seen(seen) => seen.label() == Some("Sushi"),
            Answer::Unusable(_) => true,
        });
        let mut useless: Vec<_> = useless.map(|one| one.id).collect();
        useless.sort();
        prop_assert_eq!(collected.useless.iter().map(|one| one.annotation).collect::<Vec<_>>(), useless);
    }

    #[test]
    fn the_order_in_which_tasks_come_does_not_matter(tasks in projects()) {
        let mut reversed = tasks.clone();
        reversed.reverse();
        for task in &mut reversed {
            task.annotations.reverse();
        }
        prop_assert_eq!(collect(&tasks), collect(&reversed));
    }

    #[test]
    fn the_changes_written_into_what_was_known_give_what_stands(before in projects(), now in projects()) {
        let (before, now) = (collect(&before).standing, collect(&now).standing);
        let changes = Changes::between(&before, &now);
        let record = after(before.clone(), &changes);
        prop_assert_eq!(said(&record), said(&now));
        prop_assert!(Changes::between(&record, &now).is_empty(), "collecting again changes something");
        prop_assert!(Changes::between(&now, &now).is_empty());
    }
}
