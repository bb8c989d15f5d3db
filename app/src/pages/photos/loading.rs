//! Where the pages' content comes from: on the server from its backend, in the browser over HTTP.

use gourmetgram_api::PredictionId;

use crate::{
    explore::{Browse, CardPage, Explored, PhotoDetails},
    trouble::Trouble,
};

/// What the page of one photo finds.
pub(super) type Found = Result<Option<PhotoDetails>, Trouble>;

/// The list as it opens.
#[cfg(feature = "ssr")]
pub(super) fn list(asked: Browse) -> impl Future<Output = Result<Explored, Trouble>> + Send {
    let request = on_server::Request::take();
    async move {
        let (query, unusable) = match asked.query() {
            Ok(query) => (Some(query), None),
            Err(problem) => (None, Some(problem)),
        };
        let answer = request.ask(async |backend| backend.explore(query).await).await;
        let answer = answer.map(|explored| Explored { unusable, ..explored });
        match &answer {
            Ok(Explored { unusable: Some(problem), .. }) | Err(problem) => request.status(problem.status),
            Ok(_) => request.status_of_form(),
        }
        answer.map_err(Trouble::from)
    }
}

/// One photo.
#[cfg(feature = "ssr")]
pub(super) fn one(id: Option<PredictionId>, asked: Browse) -> impl Future<Output = Found> + Send {
    let request = on_server::Request::take();
    async move {
        let Some(id) = id else {
            request.status(404);
            return Ok(None);
        };
        let query = asked.query().unwrap_or_default();
        let answer = request.ask(async |backend| backend.photo(id, query).await).await;
        match &answer {
            Ok(Some(_)) => request.status_of_form(),
            Ok(None) => request.status(404),
            Err(problem) => request.status(problem.status),
        }
        answer.map_err(Trouble::from)
    }
}

#[cfg(feature = "ssr")]
mod on_server {
    use std::sync::Arc;

    use gourmetgram_api::{Problem, ProblemKind};
    use leptos::prelude::use_context;

    use crate::backend::{Backend, PageStatus, PostedProblem};

    /// The contexts of the request being answered, taken before the future runs: they belong to the request.
    pub(super) struct Request {
        backend: Option<Arc<dyn Backend>>,
        status: Option<PageStatus>,
        posted: Option<PostedProblem>,
    }

    impl Request {
        pub(super) fn take() -> Self {
            Self { backend: use_context(), status: use_context(), posted: use_context() }
        }

        pub(super) async fn ask<T, F>(&self, question: impl FnOnce(Arc<dyn Backend>) -> F) -> Result<T, Problem>
        where
            F: Future<Output = Result<T, Problem>> + Send,
        {
            match &self.backend {
                Some(backend) => question(Arc::clone(backend)).await,
                None => Err(Problem::new(ProblemKind::Internal, "The page was rendered without a backend.")),
            }
        }

        pub(super) fn status(&self, status: u16) {
            if let Some(page) = &self.status {
                page.set(status);
            }
        }

        /// A page that answers a refused form has the refusal's status.
        pub(super) fn status_of_form(&self) {
            if let Some(PostedProblem(problem)) = &self.posted {
                self.status(problem.status);
            }
        }
    }
}

/// The list as it opens.
#[cfg(not(feature = "ssr"))]
pub(super) fn list(asked: Browse) -> impl Future<Output = Result<Explored, Trouble>> + Send {
    // A browser's page has one thread, and never moves this to another.
    send_wrapper::SendWrapper::new(async move {
        let facets = crate::client::facets().await?;
        Ok(match asked.query() {
            Ok(query) => Explored { facets, page: first_page(query).await?, unusable: None },
            Err(problem) => Explored { facets, unusable: Some(problem), ..Explored::default() },
        })
    })
}

/// One photo.
#[cfg(not(feature = "ssr"))]
pub(super) fn one(id: Option<PredictionId>, asked: Browse) -> impl Future<Output = Found> + Send {
    use gourmetgram_api::ProblemKind;

    use crate::client;

    send_wrapper::SendWrapper::new(async move {
        let Some(id) = id else { return Ok(None) };
        let prediction = match client::prediction(id).await {
            Ok(prediction) => prediction,
            Err(Trouble::Refused(problem)) if matches!(problem.kind, ProblemKind::NotFound | ProblemKind::Erased) => {
                return Ok(None);
            }
            Err(trouble) => return Err(trouble),
        };
        let query = asked.query().unwrap_or_default();
        let (objects, neighbours, facets) =
            futures::join!(client::objects(id), client::neighbours(id, &query), client::facets());
        let (objects, neighbours, classes) = (objects?, neighbours?, facets?.classes);
        Ok(Some(PhotoDetails { prediction, classes, objects, neighbours }))
    })
}

/// The first page of a list, counted.
pub(super) async fn first_page(query: gourmetgram_api::PredictionQuery) -> Result<CardPage, Trouble> {
    let query = gourmetgram_api::PredictionQuery { count: Some(true), ..query };
    crate::client::search(&query).await.map(CardPage::from)
}
