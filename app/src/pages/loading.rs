//! Where the content of pages that only the server renders comes from.

use std::sync::Arc;

use gourmetgram_api::{EvaluationQuery, LiveModel, Problem, ProblemKind, SuspectLabels};
use leptos::prelude::{ReadUntracked, use_context};
use uuid::Uuid;

use crate::{
    backend::{Backend, PageStatus},
    campaigns::{CampaignForm, Campaigns},
    measured::Measured,
    trouble::Trouble,
    work::{RunShown, WorkShown},
};

/// What `/dashboard` shows; the answer to a question that cannot be meant is what is wrong with it.
pub(super) fn measured(
    question: Result<EvaluationQuery, Problem>,
) -> impl Future<Output = Result<Measured, Trouble>> + Send {
    ask(|backend| async move { backend.measured(question?).await })
}

/// What `/dashboard/suspects` shows.
pub(super) fn suspects(
    question: Result<EvaluationQuery, Problem>,
) -> impl Future<Output = Result<SuspectLabels, Trouble>> + Send {
    ask(|backend| async move { backend.suspects(question?).await })
}

/// The model that answers now.
pub(super) fn live_model() -> impl Future<Output = Result<LiveModel, Trouble>> + Send {
    ask(|backend| async move { Ok(backend.live_model()) })
}

/// The campaigns there are, and what the form's would choose.
pub(super) fn campaigns(form: CampaignForm) -> impl Future<Output = Result<Campaigns, Trouble>> + Send {
    ask(|backend| async move { backend.campaigns(form).await })
}

/// What `/pipelines` shows.
pub(super) fn work() -> impl Future<Output = Result<WorkShown, Trouble>> + Send {
    let before = leptos_router::hooks::use_query_map().read_untracked().get("before");
    ask(|backend| async move {
        let before = before.map(|id| id.parse()).transpose();
        let before = before.map_err(|_| Problem::new(ProblemKind::BadRequest, "before is not the id of a run"))?;
        backend.work(before).await
    })
}

/// What `/pipelines/{run}` shows.
pub(super) fn run(id: Option<Uuid>) -> impl Future<Output = Result<RunShown, Trouble>> + Send {
    ask(move |backend| async move {
        let run = match id {
            Some(id) => backend.run(id).await?,
            None => None,
        };
        run.ok_or_else(|| Problem::new(ProblemKind::NotFound, "there is no such run"))
    })
}

/// The contexts are read before the future runs: they belong to the request.
fn ask<T, F>(question: impl FnOnce(Arc<dyn Backend>) -> F) -> impl Future<Output = Result<T, Trouble>> + Send
where
    T: Send,
    F: Future<Output = Result<T, Problem>> + Send,
{
    let status = use_context::<PageStatus>();
    let answer = use_context::<Arc<dyn Backend>>().map(question);
    async move {
        let answer = match answer {
            Some(answer) => answer.await,
            None => Err(Problem::new(ProblemKind::Internal, "The page was rendered without a backend.")),
        };
        if let (Some(status), Err(problem)) = (status, &answer) {
            status.set(problem.status);
        }
        answer.map_err(Trouble::from)
    }
}
