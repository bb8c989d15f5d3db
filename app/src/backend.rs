//! What the pages need from the server while they are rendered there.
//!
//! The app does not know axum, the catalog or the object store. For each request the server provides, by Leptos
//! context, before it renders [`shell`](crate::shell):
//!
//! | context | when |
//! |---|---|
//! | `Arc<dyn Backend>` | always: bound to the visitor who asks |
//! | [`PageStatus`] | always: how a page sets the response's status |
//! | [`PostedProblem`] | when a form was posted and refused, and the page is rendered as the answer |
//! | [`DeviceScript`] | when the front end has a classifier for devices |
//! | [`PostedFlags`] | when a form flagged many photos, and the list is rendered as the answer |
//!
//! Pages are rendered in async mode (the whole document, then the response), so that a status set late still counts
//! and nothing on the page needs a script.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use gourmetgram_api::{
    EvaluationQuery, FlagsAnswer, LiveModel, PredictionId, PredictionQuery, Problem, ReviewDesk, SuspectLabels, Viewer,
};
use uuid::Uuid;

use crate::{
    campaigns::{CampaignForm, Campaigns},
    explore::{Explored, PhotoDetails},
    home::Home,
    measured::Measured,
    work::{RunShown, WorkShown},
};

/// The server's side of a page, already bound to the visitor of the request.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Who asks.
    fn viewer(&self) -> Viewer;

    /// What `/` shows. `shown` is the photo asked for by `?photo={id}`.
    ///
    /// # Errors
    /// Only what keeps the page from being useful at all (the catalog is down, say). A photo that this visitor cannot
    /// see is not an error: [`Home::shown`] is `None`, and the page answers 404.
    async fn home(&self, shown: Option<PredictionId>) -> Result<Home, Problem>;

    /// The model that answers now.
    fn live_model(&self) -> LiveModel;

    /// What `/photos` shows, its total counted; without a question, only what its filters offer.
    ///
    /// # Errors
    /// What keeps the list from being shown; for anybody but an operator, that it is not for them.
    async fn explore(&self, query: Option<PredictionQuery>) -> Result<Explored, Problem>;

    /// What `/photos/{id}` shows, with its neighbours in the list of `query`. `None` where there is no such photo, or
    /// no more.
    ///
    /// # Errors
    /// What keeps it from being shown; for anybody but an operator, that it is not for them.
    async fn photo(&self, id: PredictionId, query: PredictionQuery) -> Result<Option<PhotoDetails>, Problem>;

    /// What `/campaigns` shows, with a look ahead where the form asks for one.
    ///
    /// # Errors
    /// What keeps it from being shown; for anybody but an operator, that it is not for them.
    async fn campaigns(&self, form: CampaignForm) -> Result<Campaigns, Problem>;

    /// What `/review` shows: every campaign, and the first photo of the one that [`choose`](crate::review::choose)
    /// chooses. It is kept for who asks, so that a page without scripts has something to answer.
    ///
    /// # Errors
    /// What keeps it from being shown; for operators without an account, that labels carry a name.
    async fn review(&self, campaign: Option<Uuid>) -> Result<ReviewDesk, Problem>;
    /// What `/pipelines` shows; of runs, those asked for before `before`.
    ///
    /// # Errors
    /// What keeps it from being shown; for anybody but an operator, that it is not for them.
    async fn work(&self, before: Option<Uuid>) -> Result<WorkShown, Problem>;

    /// What `/pipelines/{run}` shows. `None` where there is no such run.
    ///
    /// # Errors
    /// What keeps it from being shown; for anybody but an operator, that it is not for them.
    async fn run(&self, id: Uuid) -> Result<Option<RunShown>, Problem>;

    /// What `/dashboard` shows.
    ///
    /// # Errors
    /// What keeps it from being shown: a question that has no answer (400) among others; for anybody but an operator, that
    /// it is not for them.
    async fn measured(&self, query: EvaluationQuery) -> Result<Measured, Problem>;

    /// What `/dashboard/suspects` shows.
    ///
    /// # Errors
    /// Like [`Backend::measured`].
    async fn suspects(&self, query: EvaluationQuery) -> Result<SuspectLabels, Problem>;
}

/// Sets the HTTP status of the response being rendered. Provided by the server as a context.
///
/// With leptos_axum: `PageStatus::new(move |status| response_options.set_status(status))`.
#[derive(Clone)]
pub struct PageStatus(Arc<dyn Fn(u16) + Send + Sync>);

impl PageStatus {
    /// `set` is called with the status, at most a few times per request; the last one counts.
    pub fn new(set: impl Fn(u16) + Send + Sync + 'static) -> Self {
        Self(Arc::new(set))
    }

    /// Sets the response's status.
    pub fn set(&self, status: u16) {
        (self.0)(status);
    }
}

impl fmt::Debug for PageStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PageStatus(..)")
    }
}

/// Address of the script that loads the classifier for the visitor's own device, for the page that photos are sent from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceScript(pub String);

/// Why the form just posted was refused. The page shows it as an alert, sets its status, and leaves the hydration
/// scripts out: its address in the browser is the form's, which only the server knows how to answer, and everything on
/// it works by plain forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedProblem(pub Problem);

/// What became of the photos that a form has just flagged. The list says so and offers to undo it; like a page with a
/// [`PostedProblem`], it stands at the form's address and gets no scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedFlags(pub FlagsAnswer);
