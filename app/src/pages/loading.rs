//! Where the content of pages that only the server renders comes from.

use std::sync::Arc;

use gourmetgram_api::{LiveModel, Prediction, Problem, ProblemKind};
use leptos::prelude::use_context;

use crate::{
    backend::{Backend, PageStatus},
    campaigns::{CampaignForm, Campaigns},
    trouble::Trouble,
};

/// The newest photo that the viewer may see.
pub(super) fn newest_photo() -> impl Future<Output = Result<Option<Prediction>, Trouble>> + Send {
    ask(|backend| async move { backend.newest_photo().await })
}

/// The model that answers now.
pub(super) fn live_model() -> impl Future<Output = Result<LiveModel, Trouble>> + Send {
    ask(|backend| async move { Ok(backend.live_model()) })
}

/// The campaigns there are, and what the form's would choose.
pub(super) fn campaigns(form: CampaignForm) -> impl Future<Output = Result<Campaigns, Trouble>> + Send {
    ask(|backend| async move { backend.campaigns(form).await })
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
