//! Brings tasks to Label Studio, each once, however often it takes.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use gourmetgram_api::Seen;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    LabelStudio, LabelStudioError, ProjectId, RemoteTaskId,
    annotations::choice,
    call::Call,
    interface::{PHOTO, QUESTION},
};

const IMPORT: &str = "import tasks";

/// What is shown of the model's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelAnswer {
    /// The label.
    pub predicted_class: String,
    /// Its probability, 0 to 1.
    pub confidence: f64,
    /// The label a visitor gave instead, if one did.
    pub corrected_class: Option<String>,
    /// Which model answered.
    pub model_version: String,
    /// Whether annotators can choose the label: then it is filled in already. A model of another time may have answered
    /// with a class that the present one does not have, and Label Studio refuses to fill that in.
    pub is_a_choice: bool,
}

/// A task to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTask {
    /// Our name for it. It must say nothing about the photo.
    pub id: Uuid,
    /// The photo: `s3://bucket/key`, in a bucket the project has a storage for. In a blind campaign the key must say nothing.
    pub photo: String,
    /// What is shown of the model's answer; `None` in blind campaigns.
    pub shown: Option<ModelAnswer>,
    /// How many people are to label it, at least 1.
    pub people: u32,
}

/// A task that is in Label Studio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Our name for it.
    pub task: Uuid,
    /// Label Studio's.
    pub remote: RemoteTaskId,
}

impl NewTask {
    /// As Label Studio takes it. A blind one has two fields, whatever else is known.
    fn order(&self) -> Value {
        let Self { id, photo, shown, people: _ } = self;
        let Some(shown) = shown else {
            return json!({ "data": { PHOTO: photo, "task": id } });
        };
        let ModelAnswer { predicted_class, confidence, corrected_class, model_version, is_a_choice } = shown;
        let answer = Seen::Class { label: predicted_class.clone() };
        let mut order = json!({
            "data": {
                PHOTO: photo,
                "task": id,
                "predicted_class": predicted_class,
                // Always as many digits: Label Studio sorts what is in a task as text.
                "confidence": format!("{confidence:.3}"),
                "corrected_class": corrected_class.as_deref().unwrap_or_default(),
                "model_version": model_version,
            },
        });
        if *is_a_choice {
            order["predictions"] = json!([{
                "model_version": model_version,
                "score": confidence,
                "result": [{
                    "from_name": QUESTION,
                    "to_name": PHOTO,
                    "type": "choices",
                    "value": { "choices": [choice(&answer)] },
                }],
            }]);
        }
        order
    }
}

impl LabelStudio {
    /// Sees to it that the tasks are in a project, each once, and says under which number. Those that are there are looked for
    /// first, so an import that stopped halfway, or whose answer got lost, goes on where it stopped.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call; the same call again goes on.
    pub async fn import_tasks(&self, project: ProjectId, tasks: &[NewTask]) -> Result<Vec<Imported>, LabelStudioError> {
        let wanted: BTreeSet<Uuid> = tasks.iter().map(|task| task.id).collect();
        let wanted: Vec<Uuid> = wanted.into_iter().collect();
        let mut trouble = None;
        for round in 0..=self.attempts() {
            let there = self.find_tasks(project, &wanted).await?;
            let missing: Vec<&NewTask> = tasks.iter().filter(|task| !there.contains_key(&task.id)).collect();
            if missing.is_empty() {
                self.ask_several(tasks, &there).await?;
                return Ok(there.into_iter().map(|(task, remote)| Imported { task, remote }).collect());
            }
            if round == self.attempts() {
                break;
            }
            match self.import_once(project, &missing).await {
                Ok(()) => trouble = None,
                // They may have been made all the same: look again.
                Err(error) if error.is_retryable() => {
                    self.rest(round + 1).await;
                    trouble = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(trouble.unwrap_or_else(|| self.unexpected(IMPORT, "tasks that were imported are not there")))
    }

    /// Says which tasks several people are to label: an import cannot.
    async fn ask_several(
        &self,
        tasks: &[NewTask],
        there: &BTreeMap<Uuid, RemoteTaskId>,
    ) -> Result<(), LabelStudioError> {
        for task in tasks.iter().filter(|task| task.people > 1) {
            let Some(remote) = there.get(&task.id) else { continue };
            let order = json!({ "overlap": task.people });
            self.order(Call::patch("have several people label a task", format!("api/tasks/{remote}/"), order)).await?;
        }
        Ok(())
    }

    async fn import_once(&self, project: ProjectId, tasks: &[&NewTask]) -> Result<(), LabelStudioError> {
        /// Other editions of Label Studio import behind our back and answer with a number only.
        #[derive(Deserialize)]
        struct Answer {
            task_count: Option<usize>,
        }
        let mut seen = BTreeSet::new();
        let tasks: Vec<_> = tasks.iter().filter(|task| seen.insert(task.id)).collect();
        for some in tasks.chunks(self.tasks_per_request()) {
            let orders: Vec<Value> = some.iter().map(|task| task.order()).collect();
            let path = format!("api/projects/{project}/import");
            let call = Call::post(IMPORT, path, orders.into()).query("return_task_ids", "true");
            let answer: Answer = self.ask(call).await?;
            if answer.task_count != Some(some.len()) {
                let reason = match answer.task_count {
                    Some(count) => format!("{count} of {} tasks were imported", some.len()),
                    None => "it imports in the background; import again to see whether it is done".to_owned(),
                };
                return Err(self.unexpected(IMPORT, reason));
            }
        }
        Ok(())
    }

    /// Those of the wanted tasks that are there. A second copy that nobody has labelled is removed: it is left of an import
    /// whose answer got lost. One that somebody has labelled stays, and its labels count for the same task.
    async fn find_tasks(
        &self,
        project: ProjectId,
        wanted: &[Uuid],
    ) -> Result<BTreeMap<Uuid, RemoteTaskId>, LabelStudioError> {
        let mut there = BTreeMap::new();
        for brief in self.tasks_for(project, wanted).await? {
            let Some(task) = brief.data.task else { continue };
            match there.entry(task) {
                Entry::Vacant(place) => {
                    place.insert(brief.id);
                }
                Entry::Occupied(_) if self.is_annotated(brief.id).await? => {}
                Entry::Occupied(_) => self.delete_task(project, Imported { task, remote: brief.id }).await?,
            }
        }
        Ok(there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> ModelAnswer {
        ModelAnswer {
            predicted_class: "Soup".to_owned(),
            confidence: 0.5,
            corrected_class: None,
            model_version: "food64".to_owned(),
            is_a_choice: true,
        }
    }

    #[test]
    fn a_blind_task_is_the_photo_and_a_name_and_nothing_else() {
        let id = Uuid::from_u128(7);
        let task = NewTask { id, photo: "s3://production-label-wait/blind/7.jpg".to_owned(), shown: None, people: 1 };
        let order = json!({ "data": { "image": "s3://production-label-wait/blind/7.jpg", "task": id } });
        assert_eq!(task.order(), order);
    }

    #[test]
    fn a_class_that_cannot_be_chosen_is_shown_and_not_filled_in() {
        let task = |is_a_choice| {
            let shown = Some(ModelAnswer { is_a_choice, ..answer() });
            NewTask { id: Uuid::nil(), photo: String::new(), shown, people: 1 }.order()
        };
        assert_eq!(task(false)["data"]["predicted_class"], "Soup");
        assert!(task(false).get("predictions").is_none());
        assert_eq!(task(true)["predictions"][0]["result"][0]["value"]["choices"], json!(["Soup"]));
    }

    #[test]
    fn confidences_sort_as_text_as_they_sort_as_numbers() {
        let text = |confidence| {
            let shown = Some(ModelAnswer { confidence, ..answer() });
            NewTask { id: Uuid::nil(), photo: String::new(), shown, people: 1 }.order()["data"]["confidence"].clone()
        };
        let texts = [0.0, 0.00004, 0.0994, 0.5, 0.9999, 1.0].map(|confidence| text(confidence).to_string());
        assert!(texts.is_sorted(), "{texts:?}");
    }
}
