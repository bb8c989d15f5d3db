//! Projects: one for each campaign that is labelled in Label Studio.

use gourmetgram_api::Classes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{LabelStudio, LabelStudioError, LabellingInterface, ProjectId, Showing, call::Call};

/// Label Studio's own bounds, in characters.
const TITLE_CHARACTERS: std::ops::RangeInclusive<usize> = 3..=50;
/// Its list of projects comes in pages of at most so many.
const PROJECTS_PER_PAGE: usize = 100;
/// What we read of a project.
const FIELDS: &str = "id,title,description,label_config,sampling,show_collab_predictions,maximum_annotations,\
                      task_number,num_tasks_with_annotations";

/// A text that cannot be the title of a project.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a project's title in Label Studio has 3 to 50 characters; this has {0}")]
pub struct UnusableTitle(usize);

/// The title of a project. Several projects may have the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ProjectTitle(String);

impl ProjectTitle {
    /// Takes a title as it is.
    ///
    /// # Errors
    /// [`UnusableTitle`], where Label Studio would not take it.
    pub fn new(title: &str) -> Result<Self, UnusableTitle> {
        let title = title.trim();
        match title.chars().count() {
            length if TITLE_CHARACTERS.contains(&length) => Ok(Self(title.to_owned())),
            length => Err(UnusableTitle(length)),
        }
    }

    /// Makes a title of any name, by cutting or lengthening it.
    pub fn of(name: &str) -> Self {
        Self::new(name).unwrap_or_else(|UnusableTitle(length)| {
            let name = name.trim();
            if length < *TITLE_CHARACTERS.start() {
                return Self(format!("Campaign {name}").trim_end().to_owned());
            }
            let cut: String = name.chars().take(TITLE_CHARACTERS.end() - 1).collect();
            Self(format!("{}…", cut.trim_end()))
        })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A project as we want it.
#[derive(Clone, Debug)]
pub struct NewProject {
    /// What people call it.
    pub title: ProjectTitle,
    /// What we know it by, for example a campaign's id: stands in its description, so that it is found again under any title.
    pub mark: String,
    /// What can be answered.
    pub classes: Classes,
    /// What annotators see.
    pub showing: Showing,
}

/// A project as it is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Project {
    /// Names it.
    pub id: ProjectId,
    /// What people call it.
    pub title: String,
    /// Contains our mark, where it is ours.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub description: String,
    /// What annotators see.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub label_config: String,
    /// In which order annotators get tasks.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub sampling: String,
    /// Whether predictions are filled in.
    #[serde(default)]
    pub show_collab_predictions: bool,
    /// How many people label a task, unless it says otherwise.
    #[serde(default)]
    pub maximum_annotations: u32,
    /// How many tasks it has.
    #[serde(default)]
    pub task_number: Option<u64>,
    /// How many of them have annotations.
    #[serde(default)]
    pub num_tasks_with_annotations: Option<u64>,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl NewProject {
    /// As Label Studio takes it.
    fn order(&self) -> Value {
        json!({
            "title": self.title,
            "description": format!("Made by GourmetGram, which finds it again by this line: {}", self.mark),
            "label_config": LabellingInterface::new(&self.classes, self.showing).xml(),
            // Tasks in the order of their making would let the first hour stand for the whole day.
            "sampling": "Uniform sampling",
            // Without it, annotators of shown campaigns would have to look for the model's answer.
            "show_collab_predictions": self.showing == Showing::Shown,
            // No answer at all is a skip, and has its own button.
            "enable_empty_annotation": false,
            // How many people label a task is said with each task. Label Studio would choose others than we did.
            "maximum_annotations": 1,
        })
    }

    /// What has to change for `there` to be as we want it.
    fn changes(&self, there: &Project) -> Value {
        let there = json!({
            "title": there.title,
            "description": there.description,
            "label_config": there.label_config,
            "sampling": there.sampling,
            "show_collab_predictions": there.show_collab_predictions,
            "maximum_annotations": there.maximum_annotations,
        });
        let mut changes = self.order();
        if let Value::Object(changes) = &mut changes {
            changes.retain(|name, wanted| there.get(name).is_some_and(|known| !is_same(known, wanted)));
        }
        changes
    }
}

/// Label Studio trims what it keeps.
fn is_same(known: &Value, wanted: &Value) -> bool {
    match (known, wanted) {
        (Value::String(known), Value::String(wanted)) => known.trim() == wanted.trim(),
        _ => known == wanted,
    }
}

impl LabelStudio {
    /// Every project.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call.
    pub async fn projects(&self) -> Result<Vec<Project>, LabelStudioError> {
        #[derive(Deserialize)]
        struct Page {
            next: Option<String>,
            results: Vec<Project>,
        }
        let mut projects = Vec::new();
        for page in 1.. {
            let call = Call::get("list projects", "api/projects/")
                .query("page", page)
                .query("page_size", PROJECTS_PER_PAGE)
                .query("include", FIELDS)
                // New ones come last, so that none is passed over while pages are turned.
                .query("ordering", "id");
            let Page { next, results } = self.ask(call).await?;
            projects.extend(results);
            if next.is_none() {
                break;
            }
        }
        Ok(projects)
    }

    /// A project.
    ///
    /// # Errors
    /// [`LabelStudioError::Missing`], where it is not there, and as every call.
    pub async fn project(&self, id: ProjectId) -> Result<Project, LabelStudioError> {
        self.ask(Call::get("look at a project", format!("api/projects/{id}/"))).await
    }

    /// The project that has a mark of ours; of several, the oldest.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call.
    pub async fn find_project(&self, mark: &str) -> Result<Option<Project>, LabelStudioError> {
        let found = self.projects().await?.into_iter().filter(|project| project.description.contains(mark));
        Ok(found.min_by_key(|project| project.id))
    }

    /// Sees to it that the project is there, once, and as we want it.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call; nothing is made twice by asking again.
    pub async fn ensure_project(&self, wanted: &NewProject) -> Result<Project, LabelStudioError> {
        let mut attempt = 1;
        loop {
            if let Some(there) = self.find_project(&wanted.mark).await? {
                return self.update_project(&there, wanted).await;
            }
            match self.ask(Call::post("make a project", "api/projects/", wanted.order())).await {
                // It may have been made all the same: look again.
                Err(error) if error.is_retryable() && attempt < self.attempts() => {
                    self.rest(attempt).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    /// Changes a project where it is not as we want it. Labels that were given stay, also those of classes taken away.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call.
    pub async fn update_project(&self, there: &Project, wanted: &NewProject) -> Result<Project, LabelStudioError> {
        let changes = wanted.changes(there);
        if changes.as_object().is_none_or(|changes| changes.is_empty()) {
            return Ok(there.clone());
        }
        self.ask(Call::patch("change a project", format!("api/projects/{}/", there.id), changes)).await
    }

    /// Deletes a project with everything in it. One that is not there is no error.
    ///
    /// Not while people label: Label Studio switches off its own bookkeeping for all projects while it deletes one, and two
    /// deletions at once leave it off until it is started anew. What we read does not depend on it; its pages do.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call.
    pub async fn delete_project(&self, id: ProjectId) -> Result<(), LabelStudioError> {
        gone(self.order(Call::delete("delete a project", format!("api/projects/{id}/"))).await)
    }
}

/// What is not there has been deleted.
pub(crate) fn gone(result: Result<(), LabelStudioError>) -> Result<(), LabelStudioError> {
    result.or_else(|error| if error.is_missing() { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_becomes_a_title_label_studio_takes() {
        for name in ["", "A", "Continuous", &"Suppen ".repeat(12), &"ü".repeat(80), "  Random Sample  "] {
            let title = ProjectTitle::of(name);
            assert_eq!(ProjectTitle::new(title.as_str()), Ok(title.clone()), "{name:?}");
        }
        assert_eq!(ProjectTitle::of(" Random Sample ").as_str(), "Random Sample");
    }
}
