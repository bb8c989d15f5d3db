//! One photo on its way from the visitor's device to its answer.
//!
//! An upload keeps its id through every try, and the id is the idempotency key: whatever breaks and however often it is
//! sent again, it becomes one prediction. Where the server says when to come back, the page waits and goes on by itself,
//! a few times; otherwise the visitor is asked.

use std::cell::Cell;

use futures::future::{AbortHandle, abortable};
use gourmetgram_api::{Prediction, PredictionId};
use js_sys::Promise;
use leptos::{prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;
use uuid::Uuid;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, Url};

use crate::{client, trouble::Trouble};

/// How often a busy server is asked again before the visitor has to.
const PATIENCE: u32 = 4;

/// The longest wait, in seconds, that is worth showing a countdown for.
const LONGEST_COUNTDOWN: u64 = 60;

/// How far an upload has got.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Bytes are on their way.
    Sending {
        /// Whole percent sent.
        percent: u8,
    },
    /// All is sent; the server decodes, classifies and stores.
    Answering,
    /// The server is busy; the next try comes by itself.
    Waiting {
        /// Seconds left.
        seconds: u64,
        /// Why.
        trouble: Trouble,
    },
    /// It will not go on by itself.
    Failed(Trouble),
}

/// A photo on its way. A handle: clones share the state, and are equal where they mean the same upload.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The id its prediction will have.
    pub id: PredictionId,
    /// Object URL of the file.
    pub preview: String,
    /// How far it has got.
    pub phase: ArcRwSignal<Phase>,
    file: SendWrapper<File>,
    running: ArcStoredValue<Option<AbortHandle>>,
}

impl PartialEq for Upload {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Upload {
    /// Names the file and makes its preview; nothing is sent yet. `None` where the browser lacks what that takes.
    pub fn new(file: File) -> Option<Self> {
        Some(Self {
            id: PredictionId::try_from(Uuid::now_v7()).ok()?,
            preview: Url::create_object_url_with_blob(&file).ok()?,
            phase: ArcRwSignal::new(Phase::Sending { percent: 0 }),
            file: SendWrapper::new(file),
            running: ArcStoredValue::new(None),
        })
    }

    /// Sends it, again if it was sent before. `on_answer` is called once, with what was recorded.
    pub fn start(&self, on_answer: impl Fn(Prediction) + 'static) {
        self.stop();
        let (delivery, handle) = abortable(self.clone().deliver());
        self.running.set_value(Some(handle));
        spawn_local(async move {
            if let Ok(Some(prediction)) = delivery.await {
                on_answer(prediction);
            }
        });
    }

    /// Stops sending. What the server already has, it keeps.
    pub fn stop(&self) {
        if let Some(handle) = self.running.try_update_value(Option::take).flatten() {
            handle.abort();
        }
    }

    /// Stops, and frees the preview.
    pub fn discard(&self) {
        self.stop();
        let _ = Url::revoke_object_url(&self.preview);
    }

    /// Whether it waits for the visitor.
    pub fn has_failed(&self) -> bool {
        matches!(self.phase.get_untracked(), Phase::Failed(_))
    }

    async fn deliver(self) -> Option<Prediction> {
        for tries_left in (0..PATIENCE).rev() {
            self.phase.set(Phase::Sending { percent: 0 });
            let trouble = match client::predict(self.id, &self.file, self.progress()).await {
                Ok(prediction) => return Some(prediction),
                Err(trouble) => trouble,
            };
            let wait = trouble.retry_after().filter(|seconds| *seconds <= LONGEST_COUNTDOWN && tries_left > 0);
            let Some(wait) = wait else {
                self.phase.set(Phase::Failed(trouble));
                return None;
            };
            for seconds in (1..=wait).rev() {
                self.phase.set(Phase::Waiting { seconds, trouble: trouble.clone() });
                one_second().await;
            }
        }
        None
    }

    /// Shows progress in whole percent, and only forward steps: fewer redraws than the browser sends events.
    fn progress(&self) -> impl Fn(f64) + 'static {
        let phase = self.phase.clone();
        let shown = Cell::new(0_u8);
        move |share| {
            let percent = (share.clamp(0.0, 1.0) * 100.0) as u8;
            if percent > shown.get() {
                shown.set(percent);
                phase.set(if percent == 100 { Phase::Answering } else { Phase::Sending { percent } });
            }
        }
    }
}

async fn one_second() {
    let elapsed = Promise::new(&mut |resolve, _| {
        // Without a timer the wait is over at once.
        let timer = web_sys::window()
            .and_then(|window| window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, 1000).ok());
        if timer.is_none() {
            let _ = resolve.call0(&wasm_bindgen::JsValue::NULL);
        }
    });
    let _ = JsFuture::from(elapsed).await;
}
