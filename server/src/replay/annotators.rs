//! Simulated annotators: they label what a campaign chooses of a replay's photos, by the folders' names.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, SecondsFormat, Utc};
use gourmetgram_api::{
    Campaign, CampaignList, Classes, LabelledIn, MAX_TASKS, NewAnnotation, PredictionId, Problem, ProblemKind,
    ReviewTasks, Run, RunState, Seen, TaskPage, TaskRecord,
};
use reqwest::Method;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Truth,
    people::another,
    plan::Plan,
    server::{Server, Trouble},
    source::Source,
};

/// How often it is looked whether the campaign has chosen.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Who labels, and how well.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotators {
    /// Name of the campaign that chooses the photos. It is labelled in our own review.
    pub campaign: String,
    /// How much of what it chose is labelled, 0 to 1; the rest is left to people.
    pub share: f64,
    /// How often such a label names a wrong class.
    pub wrong: f64,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Labels {
    /// The campaign.
    pub campaign: String,
    /// Photos of this replay that it has chosen, now or earlier.
    pub chosen: usize,
    /// Labels that were given now.
    pub given: usize,
    /// Of those, the ones that name a wrong class.
    pub wrong: usize,
}

/// Has the campaign select among the photos of a run that began at `start`, and labels them.
///
/// The same again selects and labels nothing twice.
pub async fn label(
    annotators: &Annotators,
    (plan, source, start): (&Plan, &Source, DateTime<Utc>),
    server: &Server,
    classes: &Classes,
    stop: &CancellationToken,
) -> Result<Labels, Trouble> {
    let campaign = find(annotators, server, stop).await?;
    select(&campaign, (start, plan.length()), server, stop).await?;
    let truths: HashMap<PredictionId, Truth> =
        plan.visits.iter().filter_map(|visit| Some((plan.id(visit, start)?, source.truth(visit.picture)))).collect();
    let tasks: HashMap<Uuid, TaskRecord> = tasks_of(campaign.id, server, stop)
        .await?
        .into_iter()
        .filter(|task| truths.contains_key(&task.prediction))
        .map(|task| (task.id, task))
        .collect();
    let mut labels = Labels { campaign: campaign.asked.name, chosen: tasks.len(), ..Labels::default() };
    let wanted = (annotators.share * tasks.len() as f64).round() as usize;
    let mut left = wanted.saturating_sub(tasks.values().filter(|task| task.given > 0).count());
    while left > 0 {
        let path = format!("/review/next?campaign={}&count={}", campaign.id, left.min(usize::from(MAX_TASKS)));
        let next: ReviewTasks = server.read(stop, || server.api(Method::POST, &path)).await?;
        if next.tasks.is_empty() {
            break;
        }
        for given in next.tasks {
            let photo = tasks.get(&given.id).map(|task| task.prediction);
            let answer = photo.and_then(|photo| see(plan, photo, *truths.get(&photo)?, classes, annotators.wrong));
            let Some((seen, wrong)) = answer else {
                // What this replay did not send, or what nobody knows, is for people.
                let path = format!("/review/tasks/{}/skip", given.id);
                server.send(stop, || server.api(Method::POST, &path)).await?;
                continue;
            };
            let said = NewAnnotation { task: given.id, seen, took_ms: None };
            match server.send(stop, || server.api(Method::POST, "/annotations").json(&said)).await {
                Ok(_) => {
                    labels.given += 1;
                    labels.wrong += usize::from(wrong);
                }
                // Somebody else was faster, or the photo was erased.
                Err(Trouble::Refused(problem))
                    if matches!(problem.kind, ProblemKind::Conflict | ProblemKind::Erased) => {}
                Err(trouble) => return Err(trouble),
            }
            left = left.saturating_sub(1);
        }
    }
    Ok(labels)
}

async fn find(annotators: &Annotators, server: &Server, stop: &CancellationToken) -> Result<Campaign, Trouble> {
    let refused = |detail: String| Trouble::Refused(Box::new(Problem::new(ProblemKind::NotFound, detail)));
    let name = &annotators.campaign;
    let known: CampaignList = server.read(stop, || server.api(Method::GET, "/campaigns")).await?;
    let campaign = known.campaigns.into_iter().find(|campaign| campaign.asked.name == *name);
    let campaign = campaign.ok_or_else(|| {
        refused(format!("there is no campaign {name:?}: make one with `gourmetgram campaign create`, or on /campaigns"))
    })?;
    if campaign.asked.labelled_in != LabelledIn::Review {
        return Err(refused(format!("the campaign {name:?} is labelled elsewhere, where nobody can be simulated")));
    }
    Ok(campaign)
}

async fn select(
    campaign: &Campaign,
    (start, length): (DateTime<Utc>, chrono::TimeDelta),
    server: &Server,
    stop: &CancellationToken,
) -> Result<(), Trouble> {
    let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let asked = json!({ "start": written(start), "end": written((start + length).min(Utc::now())) });
    let path = format!("/campaigns/{}/select", campaign.id);
    let mut run: Run = server.read(stop, || server.api(Method::POST, &path).json(&asked)).await?;
    let path = format!("/pipelines/select/runs/{}", run.id);
    while !run.state.is_over() {
        tokio::select! {
            () = stop.cancelled() => return Err(Trouble::Stopped),
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
        run = server.read(stop, || server.api(Method::GET, &path)).await?;
    }
    if run.state == RunState::Succeeded {
        return Ok(());
    }
    let why = run.error.unwrap_or_else(|| format!("its run is {}", run.state));
    let detail = format!("the campaign {:?} could not select: {why}", campaign.asked.name);
    Err(Trouble::Refused(Box::new(Problem::new(ProblemKind::Conflict, detail))))
}

async fn tasks_of(campaign: Uuid, server: &Server, stop: &CancellationToken) -> Result<Vec<TaskRecord>, Trouble> {
    let mut found = Vec::new();
    let mut path = format!("/campaigns/{campaign}/tasks?limit=200");
    loop {
        let page: TaskPage = server.read(stop, || server.api(Method::GET, &path)).await?;
        found.extend(page.items);
        let Some(cursor) = page.next_cursor else { return Ok(found) };
        path = format!("/campaigns/{campaign}/tasks?limit=200&cursor={cursor}");
    }
}

/// What an annotator says of a photo, and whether that is wrong: a function of the plan and the photo.
fn see(plan: &Plan, photo: PredictionId, truth: Truth, classes: &Classes, wrong: f64) -> Option<(Seen, bool)> {
    let class = match truth {
        Truth::Unknown => return None,
        Truth::NotFood => return Some((Seen::NotFood, false)),
        Truth::Class(class) => class,
    };
    let digest = Sha256::new()
        .chain_update(b"annotator\0")
        .chain_update(plan.key.source())
        .chain_update(photo.as_uuid().as_bytes())
        .finalize();
    let share = |from: usize| {
        let bits = u32::from_be_bytes(std::array::from_fn(|index| digest[from + index]));
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    };
    let right = classes.label(class)?;
    let mistaken = (share(0) < wrong).then(|| another(share(4), classes, class, right)).flatten();
    Some((Seen::Class { label: mistaken.unwrap_or(right).to_owned() }, mistaken.is_some()))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use gourmetgram_api::ClassIndex;

    use super::*;
    use crate::replay::{Arrivals, Shares, Traffic};

    fn plan() -> Plan {
        let arrivals = Arrivals::Over(TimeDelta::days(7));
        let shares = Shares::default();
        Plan::new(
            4000,
            b"",
            Traffic { seed: 5, limit: None, visitors: None, arrivals, rhythm: false, shares, start: None },
        )
    }

    #[test]
    fn annotators_err_as_often_as_they_should_and_the_same_each_time() {
        let (plan, classes) = (plan(), Classes::new(["Bread", "Egg", "Soup"].map(str::to_owned).to_vec()).unwrap());
        let start = "2026-11-17T16:23:00Z".parse().unwrap();
        let photos: Vec<PredictionId> = plan.visits.iter().filter_map(|visit| plan.id(visit, start)).collect();
        let say = |photo: &PredictionId| see(&plan, *photo, Truth::Class(ClassIndex(1)), &classes, 0.1).unwrap();
        let said: Vec<(Seen, bool)> = photos.iter().map(say).collect();
        assert_eq!(said, photos.iter().map(say).collect::<Vec<_>>());
        let wrong = said.iter().filter(|(_, wrong)| *wrong).count();
        // Five standard deviations.
        assert!((wrong as f64 - 400.0).abs() < 95.0, "{wrong}");
        assert!(said.iter().all(|(seen, wrong)| (seen.label() == Some("Egg")) != *wrong));
        assert_eq!(see(&plan, photos[0], Truth::Unknown, &classes, 0.0), None);
        assert_eq!(see(&plan, photos[0], Truth::NotFood, &classes, 1.0), Some((Seen::NotFood, false)));
    }
}
