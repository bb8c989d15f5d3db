//! The tasks of a project, with what was said about them.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Annotation, Imported, LabelStudio, LabelStudioError, ProjectId, RemoteTaskId, call::Call, projects::gone};

/// What walking through tasks is for.
const WALK: &str = "list the tasks of a project";
/// So many tasks are asked for by name at a time: their names have to fit into an address.
const NAMES_PER_REQUEST: usize = 50;

/// A task.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteTask {
    /// Names it in Label Studio.
    pub id: RemoteTaskId,
    /// The task of ours it stands for, if it is one of those we imported.
    pub task: Option<Uuid>,
    /// The photo, as `s3://bucket/key` or whatever somebody else gave it.
    pub photo: Option<String>,
    /// Everything that was said about it.
    pub annotations: Vec<Annotation>,
}

/// A task as one page of the list has it.
#[derive(Deserialize)]
struct Listed {
    id: RemoteTaskId,
    data: Data,
    /// `null` is what Label Studio says where it was not asked for them.
    annotations: Option<Vec<Annotation>>,
}

/// What we read of a task's data; others may have anything in theirs.
#[derive(Default, Deserialize)]
#[serde(from = "Value")]
pub(crate) struct Data {
    pub(crate) task: Option<Uuid>,
    photo: Option<String>,
}

impl From<Value> for Data {
    fn from(data: Value) -> Self {
        let text = |name: &str| data[name].as_str().map(str::to_owned);
        Self { task: text("task").and_then(|id| id.parse().ok()), photo: text(crate::interface::PHOTO) }
    }
}

/// A task of the list without annotations. What Label Studio says about their number is not read: its counters stop
/// counting for good when two projects are deleted at once, until it is started anew.
#[derive(Deserialize)]
pub(crate) struct Brief {
    pub(crate) id: RemoteTaskId,
    pub(crate) data: Data,
}

/// What has a number by which the list is walked.
trait Numbered {
    fn number(&self) -> RemoteTaskId;
}

impl Numbered for Listed {
    fn number(&self) -> RemoteTaskId {
        self.id
    }
}

impl Numbered for Brief {
    fn number(&self) -> RemoteTaskId {
        self.id
    }
}

impl LabelStudio {
    /// The tasks of a project with their annotations, to the last one.
    ///
    /// # Errors
    /// [`LabelStudioError::Missing`], where the project is not there; [`LabelStudioError::Unexpected`], where fewer come than
    /// Label Studio says there are; and as every call. It is all of them or an error.
    pub async fn tasks(&self, project: ProjectId) -> Result<Vec<RemoteTask>, LabelStudioError> {
        let listed: Vec<Listed> = self.walk(project, None, "all").await?;
        let tasks = listed.into_iter().map(|Listed { id, data, annotations }| {
            let annotations =
                annotations.ok_or_else(|| self.unexpected(WALK, format!("task {id} came without annotations")))?;
            Ok(RemoteTask { id, task: data.task, photo: data.photo, annotations })
        });
        tasks.collect()
    }

    /// Those tasks of a project that stand for one of these of ours, without annotations.
    pub(crate) async fn tasks_for(&self, project: ProjectId, tasks: &[Uuid]) -> Result<Vec<Brief>, LabelStudioError> {
        let mut found = Vec::new();
        for some in tasks.chunks(NAMES_PER_REQUEST) {
            let ours =
                json!({ "filter": "filter:tasks:data.task", "operator": "in_list", "type": "String", "value": some });
            found.extend(self.walk::<Brief>(project, Some(ours), "task_only").await?);
        }
        Ok(found)
    }

    /// Walks through the list by the tasks' numbers, so that tasks that come or go meanwhile shift nothing, and a page that is
    /// shorter than asked for is no end. Each page says how many are left: the walk ends when they have all come.
    async fn walk<T: DeserializeOwned + Numbered>(
        &self,
        project: ProjectId,
        filter: Option<Value>,
        fields: &'static str,
    ) -> Result<Vec<T>, LabelStudioError> {
        #[derive(Deserialize)]
        struct Page<T> {
            tasks: Vec<T>,
            total: usize,
        }
        let mut found: Vec<T> = Vec::new();
        loop {
            let after = found.last().map(Numbered::number);
            let greater = after.map(|RemoteTaskId(number)| {
                json!({ "filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": number })
            });
            let filters: Vec<_> = greater.iter().chain(&filter).collect();
            let query = json!({
                "filters": { "conjunction": "and", "items": filters },
                "ordering": ["tasks:id"],
            });
            let call = Call::get(WALK, "api/tasks/")
                .query("project", project)
                .query("fields", fields)
                .query("resolve_uri", "false")
                .query("page_size", self.tasks_per_request())
                .query("query", query);
            let page: Page<T> = self.ask(call).await?;
            let came = page.tasks.len();
            for task in page.tasks {
                if found.last().is_some_and(|last| task.number() <= last.number()) {
                    return Err(self.unexpected(WALK, format!("task {} is out of order", task.number())));
                }
                found.push(task);
            }
            if came >= page.total {
                return Ok(found);
            }
            if came == 0 {
                return Err(self.unexpected(WALK, format!("{} tasks are left, and none comes", page.total)));
            }
        }
    }

    /// Deletes a task with everything that was said about it. One that is not there is no error.
    ///
    /// A Label Studio on SQLite gives the number of a deleted task to the next one it makes. So whether the number still
    /// stands for our task is looked at first, and what stands for another stays.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call.
    pub async fn delete_task(&self, project: ProjectId, imported: Imported) -> Result<(), LabelStudioError> {
        #[derive(Deserialize)]
        struct There {
            project: ProjectId,
            data: Data,
        }
        let Imported { task, remote } = imported;
        let look = Call::get("look at a task", format!("api/tasks/{remote}/")).query("resolve_uri", "false");
        match self.ask::<There>(look).await {
            Ok(there) if there.project == project && there.data.task == Some(task) => {
                gone(self.order(Call::delete("delete a task", format!("api/tasks/{remote}/"))).await)
            }
            Ok(_) => Ok(()),
            Err(error) if error.is_missing() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether anybody said anything about a task.
    pub(crate) async fn is_annotated(&self, id: RemoteTaskId) -> Result<bool, LabelStudioError> {
        let call = Call::get("look at a task's annotations", format!("api/tasks/{id}/annotations/"));
        Ok(!self.ask::<Vec<Annotation>>(call).await?.is_empty())
    }
}
