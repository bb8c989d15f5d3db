//! Where the page's content comes from: on the server from its backend, in the browser over HTTP.

use gourmetgram_api::ReviewDesk;

use crate::{review::Asked, trouble::Trouble};

/// The contexts are read before the future runs: they belong to the request.
#[cfg(feature = "ssr")]
pub(super) fn load(asked: Asked) -> impl Future<Output = Result<ReviewDesk, Trouble>> + Send {
    use std::sync::Arc;

    use gourmetgram_api::{Problem, ProblemKind};
    use leptos::prelude::use_context;

    use crate::{
        backend::{Backend, PageStatus, PostedProblem},
        review::{Chosen, choose},
    };

    let backend = use_context::<Arc<dyn Backend>>();
    let status = use_context::<PageStatus>();
    let posted = use_context::<PostedProblem>();
    async move {
        let answer = match backend {
            Some(backend) => backend.review(asked.campaign).await,
            None => Err(Problem::new(ProblemKind::Internal, "The page was rendered without a backend.")),
        };
        let code = match (&answer, &posted) {
            (Err(problem), _) | (Ok(_), Some(PostedProblem(problem))) => Some(problem.status),
            (Ok(desk), None) => (choose(&desk.campaigns, asked.campaign) == Chosen::Unknown).then_some(404),
        };
        if let (Some(status), Some(code)) = (status, code) {
            status.set(code);
        }
        answer.map_err(Trouble::from)
    }
}

/// Asks the API.
#[cfg(not(feature = "ssr"))]
pub(super) fn load(asked: Asked) -> impl Future<Output = Result<ReviewDesk, Trouble>> + Send {
    // A browser's page has one thread, and never moves this to another.
    send_wrapper::SendWrapper::new(crate::client::review(asked.campaign))
}
