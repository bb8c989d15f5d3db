//! Where the content of pages that only the server renders comes from.
//!
//! Links to these pages load a document, so the browser finds the content in it. Should the browser come to one of
//! them by itself, its content is fetched over HTTP.

use gourmetgram_api::{LiveModel, Prediction};

use crate::trouble::Trouble;

#[cfg(feature = "ssr")]
mod from {
    use std::sync::Arc;

    use gourmetgram_api::{Problem, ProblemKind};
    use leptos::prelude::use_context;

    use super::{LiveModel, Prediction, Trouble};
    use crate::backend::{Backend, PageStatus};

    /// The contexts are read before the future runs: they belong to the request.
    fn ask<T, F>(question: impl FnOnce(Arc<dyn Backend>) -> F) -> impl Future<Output = Result<T, Trouble>> + Send
    where
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

    pub fn newest_photo() -> impl Future<Output = Result<Option<Prediction>, Trouble>> + Send {
        ask(|backend| async move { backend.newest_photo().await })
    }

    pub fn live_model() -> impl Future<Output = Result<LiveModel, Trouble>> + Send {
        ask(|backend| async move { Ok(backend.live_model()) })
    }
}

#[cfg(not(feature = "ssr"))]
mod from {
    use send_wrapper::SendWrapper;

    use super::{LiveModel, Prediction, Trouble};
    use crate::client;

    pub fn newest_photo() -> impl Future<Output = Result<Option<Prediction>, Trouble>> + Send {
        SendWrapper::new(async { Ok(client::predictions(None).await?.items.into_iter().next()) })
    }

    pub fn live_model() -> impl Future<Output = Result<LiveModel, Trouble>> + Send {
        SendWrapper::new(client::live_model())
    }
}

pub(super) use from::{live_model, newest_photo};
