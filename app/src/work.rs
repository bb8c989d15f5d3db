//! What the pages about pipelines show.

use gourmetgram_api::{Pipelines, Run, RunPage};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What `/pipelines` shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkShown {
    /// The pipelines there are.
    pub pipelines: Pipelines,
    /// The runs of all pipelines, newest first.
    pub runs: RunPage,
    /// The campaigns a run can be about.
    pub campaigns: Vec<NamedCampaign>,
}

/// What `/pipelines/{run}` shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunShown {
    /// The run, with its steps and its log.
    pub run: Run,
    /// What the campaign it is about is called, where there is one.
    pub campaign: Option<String>,
}

/// A campaign by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCampaign {
    /// Names it for us.
    pub id: Uuid,
    /// Names it for people.
    pub name: String,
    /// Whether it selects no more.
    pub archived: bool,
}

impl WorkShown {
    /// What the campaign of a run is called.
    pub fn campaign_of(&self, run: &Run) -> Option<&str> {
        let id = run.campaign?;
        self.campaigns.iter().find(|campaign| campaign.id == id).map(|campaign| campaign.name.as_str())
    }

    /// Whether the page will look different soon.
    pub fn is_moving(&self) -> bool {
        self.runs.items.iter().any(|run| !run.state.is_over())
    }
}
