//! Brings what a campaign chose to Label Studio. Each step can be done twice: what is there is found again by our marks.

use gourmetgram_api::Campaign;
use gourmetgram_label_studio::{Imported, ModelAnswer, NewTask, ProjectId, RemoteTaskId};
use uuid::Uuid;

use super::{Progress, StepError, Work};
use crate::{
    catalog::{Catalog, ToImport},
    label_studio::{Ready, Studio},
};

/// Tasks that are imported and noted at a time.
const PORTION: u64 = 200;

/// Sees to it that the campaign has its project, with everything that belongs to it.
pub(super) async fn project(
    catalog: &Catalog,
    studio: &Studio,
    campaign: &Campaign,
    work: &Work,
) -> Result<Progress, StepError> {
    let project = studio.ensure_project(campaign).await?;
    catalog.set_project(campaign.id, project).await?;
    let Ready { project, without_hints } = studio.furnish(campaign.id, project).await?;
    work.say(format!("labelled at {}", studio.page_of(project))).await;
    if let Some(why) = without_hints {
        work.warn(format!("Label Studio does not hint when somebody labels, so labels come by schedule only: {why}"))
            .await;
    }
    Ok(Progress::done([]))
}

/// Imports every open task of the campaign that is not in Label Studio yet, of this interval or another.
pub(super) async fn tasks(
    catalog: &Catalog,
    studio: &Studio,
    campaign: &Campaign,
    work: &Work,
) -> Result<Progress, StepError> {
    let project = catalog.project_of(campaign.id).await?;
    let project =
        project.ok_or_else(|| StepError::last("the campaign has no project in Label Studio: run select again"))?;
    let mut after = None;
    let mut brought: u64 = 0;
    loop {
        let (some, last) = catalog.tasks_to_import(campaign.id, after, PORTION).await?;
        if !some.is_empty() {
            bring(catalog, studio, campaign, project, &some).await?;
            brought += some.len() as u64;
        }
        if last.is_none() {
            break;
        }
        after = last;
    }
    if brought > 0 {
        work.say(format!("{brought} tasks brought to Label Studio")).await;
    }
    Ok(Progress::done([("imported", brought)]))
}

async fn bring(
    catalog: &Catalog,
    studio: &Studio,
    campaign: &Campaign,
    project: ProjectId,
    some: &[ToImport],
) -> Result<(), StepError> {
    let wanted: Vec<NewTask> = some.iter().map(|one| order(studio, campaign, one)).collect();
    let imported = studio.client().import_tasks(project, &wanted).await?;
    let noted: Vec<(Uuid, RemoteTaskId)> = imported.iter().map(|one| (one.task, one.remote)).collect();
    catalog.note_imported(&noted).await?;
    // Erased while it was brought: it goes again at once.
    let ids: Vec<Uuid> = noted.iter().map(|(task, _)| *task).collect();
    for task in catalog.erased_among(&ids).await? {
        for &Imported { remote, .. } in imported.iter().filter(|one| one.task == task) {
            take_away(catalog, studio, project, task, remote).await?;
        }
    }
    Ok(())
}

/// Removes a task from Label Studio, and notes that it is gone.
pub(super) async fn take_away(
    catalog: &Catalog,
    studio: &Studio,
    project: ProjectId,
    task: Uuid,
    remote: RemoteTaskId,
) -> Result<(), StepError> {
    studio.client().delete_task(project, Imported { task, remote }).await?;
    Ok(catalog.note_gone(&[(task, remote)]).await?)
}

/// What annotators are given: in a blind campaign the photo, and nothing else.
fn order(studio: &Studio, campaign: &Campaign, one: &ToImport) -> NewTask {
    let ToImport { task, photo, object_key } = one;
    let shown = (!campaign.asked.blind).then(|| ModelAnswer {
        predicted_class: photo.predicted_class.clone(),
        confidence: f64::from(photo.confidence),
        corrected_class: photo.corrected_class.clone(),
        model_version: photo.model_version.clone(),
        is_a_choice: studio.classes().index_of(&photo.predicted_class).is_some(),
    });
    NewTask {
        id: task.id,
        photo: studio.photo(object_key),
        shown,
        people: u32::try_from(task.wanted).unwrap_or(1).max(1),
    }
}
