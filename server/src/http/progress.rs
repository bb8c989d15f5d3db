//! Requests that do not get on: bodies that trickle, and work that takes too long.
//!
//! A phone on a bad line needs minutes for a photo, and gets them as long as bytes keep coming. A peer that sends a
//! byte now and then, only to keep its place, does not.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use gourmetgram_api::ProblemKind;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::{Refusal, limits::Budget};
use crate::app::App;

/// What a body must bring in every window, in bytes: a twentieth of the slowest mobile net.
const LEAST_PROGRESS: u64 = 1024;

/// A body came more slowly than any line.
#[derive(Debug, thiserror::Error)]
#[error("the request's body came too slowly")]
pub struct TooSlow;

impl TooSlow {
    /// Whether this is why reading a body failed.
    pub fn caused(error: &(dyn Error + 'static)) -> bool {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.is::<Self>() {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// What its sender is told.
    pub fn refusal() -> Refusal {
        Refusal::new(ProblemKind::Timeout, "the request stopped coming: send it again, on a better line if you can")
    }
}

/// Middleware: bounds how slowly a request may come, and how long it may take altogether.
pub async fn bound(State(app): State<App>, request: Request, next: Next) -> Response {
    let settings = app.settings();
    let is_upload = Budget::of(request.method(), request.uri().path()) == Some(Budget::Uploads);
    let patience =
        if is_upload { settings.server.upload_timeout_seconds } else { settings.server.request_timeout_seconds };
    let window = Duration::from_secs(settings.limits.progress_seconds);
    let request = request.map(|body| Body::new(SteadyBody { body, window, deadline: None, received: 0 }));
    match tokio::time::timeout(Duration::from_secs(patience), next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            Refusal::new(ProblemKind::Timeout, "the request was not complete in time; send it again").into_response()
        }
    }
}

/// A body that fails when it brings too little in a window of time.
struct SteadyBody {
    body: Body,
    window: Duration,
    /// The end of the present window; the first begins when somebody waits for the body.
    deadline: Option<Pin<Box<Sleep>>>,
    /// Bytes in the present window.
    received: u64,
}

impl HttpBody for SteadyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if let Some(Ok(frame)) = &frame {
                self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            return Poll::Ready(frame);
        }
        let window = self.window;
        loop {
            let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(window)));
            ready!(deadline.as_mut().poll(context));
            if self.received < LEAST_PROGRESS {
                return Poll::Ready(Some(Err(axum::Error::new(TooSlow))));
            }
            self.received = 0;
            if let Some(deadline) = &mut self.deadline {
                deadline.as_mut().reset(Instant::now() + window);
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    /// Reads a body that brings `bytes` every `pause`, `times` times, and must make progress in every `window`.
    async fn read(bytes: usize, pause: Duration, times: u32, window: Duration) -> Result<Bytes, axum::Error> {
        let chunks = stream::unfold(0, move |sent| async move {
            (sent < times).then_some(())?;
            tokio::time::sleep(pause).await;
            Some((Ok::<_, std::io::Error>(vec![0; bytes]), sent + 1))
        });
        let body = Body::from_stream(chunks);
        let steady = SteadyBody { body, window, deadline: None, received: 0 };
        axum::body::to_bytes(Body::new(steady), usize::MAX).await
    }

    const MOMENT: Duration = Duration::from_millis(20);
    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_slow_but_steady_body_arrives() {
        // Three windows long, with fifty times the progress that is asked for.
        assert_eq!(read(1500, MOMENT, 150, SECOND).await.unwrap().len(), 225_000);
        assert_eq!(read(10, MOMENT, 3, SECOND).await.unwrap().len(), 30);
    }

    #[tokio::test]
    async fn a_body_that_trickles_or_stands_still_fails() {
        for (bytes, pause) in [(1, MOMENT), (100_000, Duration::from_secs(3600))] {
            let error = read(bytes, pause, u32::MAX, MOMENT * 10).await.unwrap_err();
            assert!(TooSlow::caused(&error), "{error}");
        }
    }
}
