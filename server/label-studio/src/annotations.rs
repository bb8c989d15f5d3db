//! Annotations: who saw what, when.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gourmetgram_api::Seen;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    AnnotationId, UserId,
    interface::{NOT_FOOD, QUESTION, UNREADABLE},
};

/// Why an annotation says nothing we can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Submitted without an answer.
    #[error("it has no answer")]
    Empty,
    /// More than one answer to one question.
    #[error("it has {0} answers")]
    Several(usize),
    /// An answer the model's classes do not have.
    #[error("{0:?} is none of the answers")]
    Unknown(String),
    /// Made with another interface than ours.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

/// What an annotation says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What its annotator sees. A class is named as the annotator chose it: whether a model has it is not known here.
    Seen(Seen),
    /// Nothing that can be used.
    Unusable(Unusable),
}

/// An annotation.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Raw")]
pub struct Annotation {
    /// Names it.
    pub id: AnnotationId,
    /// Who gave it; nobody, where the user was deleted.
    pub by: Option<UserId>,
    /// Whether the task was skipped: it says nothing then.
    pub cancelled: bool,
    /// When it was first given.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// How long its annotator took, as far as known.
    pub took: Option<Duration>,
    /// What it says.
    pub answer: Answer,
}

/// As Label Studio says it.
#[derive(Deserialize)]
struct Raw {
    id: AnnotationId,
    #[serde(default)]
    completed_by: Option<CompletedBy>,
    #[serde(default)]
    was_cancelled: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[serde(default)]
    lead_time: Option<f64>,
    #[serde(default)]
    result: Value,
}

/// Lists name the user, single tasks describe them.
#[derive(Deserialize)]
#[serde(untagged)]
enum CompletedBy {
    Named(UserId),
    Described { id: UserId },
}

impl From<Raw> for Annotation {
    fn from(raw: Raw) -> Self {
        Self {
            id: raw.id,
            by: raw.completed_by.map(|by| match by {
                CompletedBy::Named(id) | CompletedBy::Described { id } => id,
            }),
            cancelled: raw.was_cancelled,
            created_at: raw.created_at,
            updated_at: raw.updated_at,
            took: raw.lead_time.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            answer: answer(&raw.result),
        }
    }
}

/// Reads the result of an annotation: one choice to our question.
fn answer(result: &Value) -> Answer {
    let items = match result {
        Value::Array(items) => items.as_slice(),
        Value::Null => &[],
        _ => return Answer::Unusable(Unusable::Unreadable("its result is no list".to_owned())),
    };
    let mut choices = Vec::new();
    for item in items.iter().filter(|item| item["from_name"] == QUESTION) {
        let Some(chosen) = item["value"]["choices"].as_array() else {
            return Answer::Unusable(Unusable::Unreadable("it has no choices".to_owned()));
        };
        choices.extend(chosen);
    }
    match choices[..] {
        [] if items.is_empty() => Answer::Unusable(Unusable::Empty),
        [] => Answer::Unusable(Unusable::Unreadable(format!("it does not answer {QUESTION:?}"))),
        [Value::String(choice)] => Answer::Seen(seen(choice)),
        [_] => Answer::Unusable(Unusable::Unreadable("its choice is no text".to_owned())),
        _ => Answer::Unusable(Unusable::Several(choices.len())),
    }
}

fn seen(choice: &str) -> Seen {
    match choice {
        NOT_FOOD => Seen::NotFood,
        UNREADABLE => Seen::Unreadable,
        label => Seen::Class { label: label.to_owned() },
    }
}

/// The choice that says what was seen.
pub(crate) fn choice(seen: &Seen) -> &str {
    match seen {
        Seen::Class { label } => label,
        Seen::NotFood => NOT_FOOD,
        Seen::Unreadable => UNREADABLE,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chosen(choices: Value) -> Value {
        json!({ "from_name": "label", "to_name": "image", "type": "choices", "value": { "choices": choices } })
    }

    #[test]
    fn each_answer_is_read_as_it_was_chosen() {
        let class = Seen::Class { label: "Noodles/Pasta".to_owned() };
        for seen in [class, Seen::NotFood, Seen::Unreadable] {
            assert_eq!(answer(&json!([chosen(json!([choice(&seen)]))])), Answer::Seen(seen));
        }
    }

    #[test]
    fn what_says_nothing_is_named_and_not_dropped() {
        let unusable = |result: Value| match answer(&result) {
            Answer::Unusable(unusable) => unusable,
            Answer::Seen(seen) => panic!("{seen:?} was read from {result}"),
        };
        assert_eq!(unusable(json!([])), Unusable::Empty);
        assert_eq!(unusable(Value::Null), Unusable::Empty);
        assert_eq!(unusable(json!([chosen(json!(["Bread", "Soup"]))])), Unusable::Several(2));
        assert_eq!(unusable(json!([chosen(json!(["Bread"])), chosen(json!(["Soup"]))])), Unusable::Several(2));
        for strange in [
            json!("Bread"),
            json!([{ "from_name": "box", "value": { "x": 1 } }]),
            json!([{ "from_name": "label", "value": { "text": ["Bread"] } }]),
            json!([chosen(json!([7]))]),
            json!([7]),
        ] {
            assert!(matches!(unusable(strange.clone()), Unusable::Unreadable(_)), "{strange}");
        }
    }

    #[test]
    fn an_annotation_is_read_in_both_of_label_studios_shapes() {
        let listed = json!({
            "id": 7, "completed_by": 3, "was_cancelled": false, "lead_time": 2.5, "result": [chosen(json!(["Soup"]))],
            "created_at": "2026-11-24T20:30:00.123456Z", "updated_at": "2026-11-24T20:31:00Z", "ground_truth": false,
        });
        let mut single = listed.clone();
        single["completed_by"] = json!({ "id": 3, "email": "ann@example.com", "first_name": "" });
        let read = |value| serde_json::from_value::<Annotation>(value).unwrap();
        let annotation = read(listed);
        assert_eq!(annotation, read(single));
        assert_eq!(annotation.by, Some(UserId(3)));
        assert_eq!(annotation.took, Some(Duration::from_millis(2500)));
        assert_eq!(annotation.answer, Answer::Seen(Seen::Class { label: "Soup".to_owned() }));
    }
}
