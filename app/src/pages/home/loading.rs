//! Where the page's content comes from: on the server from its backend, in the browser over HTTP.

use super::Asked;
use crate::{home::Home, trouble::Trouble};

impl Asked {
    fn id(self) -> Option<gourmetgram_api::PredictionId> {
        match self {
            Self::Photo(id) => Some(id),
            Self::Nothing | Self::Nonsense => None,
        }
    }
}

/// Asks the backend of this request, and sets the status where the page will say that something is missing.
///
/// The contexts are read before the future runs: they belong to the request.
#[cfg(feature = "ssr")]
pub(super) fn load(asked: Asked) -> impl Future<Output = Result<Home, Trouble>> + Send {
    use std::sync::Arc;

    use gourmetgram_api::{Problem, ProblemKind};
    use leptos::prelude::use_context;

    use crate::backend::{Backend, PageStatus, PostedProblem};

    let backend = use_context::<Arc<dyn Backend>>();
    let status = use_context::<PageStatus>();
    let posted = use_context::<PostedProblem>();
    async move {
        let answer = match backend {
            Some(backend) => backend.home(asked.id()).await,
            None => Err(Problem::new(ProblemKind::Internal, "The page was rendered without a backend.")),
        };
        if let Some(status) = status {
            match (&answer, &posted) {
                (Err(problem), _) => status.set(problem.status),
                (Ok(_), Some(PostedProblem(problem))) => status.set(problem.status),
                (Ok(home), None) if asked != Asked::Nothing && home.shown.is_none() => status.set(404),
                (Ok(_), None) => {}
            }
        }
        answer.map_err(Trouble::from)
    }
}

/// Asks the API.
#[cfg(not(feature = "ssr"))]
pub(super) fn load(asked: Asked) -> impl Future<Output = Result<Home, Trouble>> + Send {
    // A browser's page has one thread, and never moves this to another.
    send_wrapper::SendWrapper::new(crate::client::home(asked.id()))
}
