//! One photo on its way from the visitor's device to its answer.
//!
//! An upload keeps its id through every try, and the id is the idempotency key: whatever breaks and however often it is
//! sent again, it becomes one prediction. What may pass by itself (a busy server, a broken connection, no connection at
//! all) is waited for and tried again; otherwise the visitor is asked.
//!
//! Before it is sent it is kept on the visitor's device, and it stays there until it is answered, refused for good or
//! cancelled: a page that dies leaves it to the [queue](crate::offline).

use std::{cell::Cell, rc::Rc};

use futures::future::{AbortHandle, Either, abortable, select};
use gourmetgram_api::{DeviceAnswer, Prediction, PredictionId};
use js_sys::Promise;
use leptos::{prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;
use uuid::Uuid;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, Url};

use crate::{client, device, offline, trouble::Trouble};

/// After so many seconds on one step the visitor is told what takes so long.
const SLOW_AFTER_SECONDS: u32 = 6;

/// How far an upload has got.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// It waits until one before it is answered.
    Queued,
    /// Bytes are on their way.
    Sending {
        /// Whole percent sent.
        percent: u8,
    },
    /// All is sent; the server decodes, classifies and stores.
    Answering,
    /// The next try comes by itself.
    Waiting {
        /// Seconds left.
        seconds: u64,
        /// Why.
        trouble: Trouble,
    },
    /// The device has no connection; it goes on by itself once it has.
    Offline,
    /// It will not go on by itself.
    Failed(Trouble),
    /// The answer is there.
    Answered {
        /// The class's label.
        label: String,
    },
}

impl Phase {
    /// Whether it takes one of the places of what is under way.
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Sending { .. } | Self::Answering | Self::Waiting { .. } | Self::Offline)
    }

    /// Whether nothing more happens by itself.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Answered { .. })
    }
}

/// A photo on its way. A handle: clones share the state, and are equal where they mean the same upload.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The id its prediction will have.
    pub id: PredictionId,
    /// Object URL of the file.
    pub preview: String,
    /// The file's name.
    pub name: String,
    /// The size of the file that is sent.
    pub bytes: ArcRwSignal<u64>,
    /// How far it has got.
    pub phase: ArcRwSignal<Phase>,
    /// Whether the step it is at takes long.
    pub is_slow: ArcRwSignal<bool>,
    /// What the visitor's own device says it shows, once it does.
    pub device: ArcRwSignal<Option<DeviceAnswer>>,
    /// Whether it is kept on the visitor's device, and so outlives the page.
    pub is_kept: ArcRwSignal<bool>,
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
            name: file.name(),
            bytes: ArcRwSignal::new(file.size() as u64),
            phase: ArcRwSignal::new(Phase::Queued),
            is_slow: ArcRwSignal::new(false),
            device: ArcRwSignal::new(None),
            is_kept: ArcRwSignal::new(false),
            file: SendWrapper::new(file),
            running: ArcStoredValue::new(None),
        })
    }

    /// Keeps it on the visitor's device, before it is its turn to be sent.
    pub fn keep(&self) {
        let upload = self.clone();
        spawn_local(async move {
            if offline::keep_soon(upload.id, &upload.file).await {
                upload.is_kept.set(true);
            }
        });
    }

    /// It has arrived without this page: the queue has sent it.
    pub fn arrived(&self, prediction: &Prediction) {
        self.enter(Phase::Answered { label: prediction.predicted_class.clone() });
    }

    /// Asks the device what it shows.
    pub fn ask_device(&self) {
        let (file, answer) = (self.file.clone(), self.device.clone());
        spawn_local(async move { answer.set(device::classify(&file).await) });
    }

    /// Sends it, again if it was sent before. `on_end` is called once, with what was recorded, or nothing where it
    /// failed.
    pub fn start(&self, on_end: impl Fn(Option<Prediction>) + 'static) {
        self.stop();
        // Now, and not once the task runs: whoever counts what is under way must see it at once.
        self.phase.set(Phase::Sending { percent: 0 });
        let (delivery, handle) = abortable(self.clone().deliver());
        self.running.set_value(Some(handle));
        spawn_local(async move {
            if let Ok(prediction) = delivery.await {
                on_end(prediction);
            }
        });
    }

    /// What people saw their device say before the answer came, and what is not in the record yet: it was not known when the
    /// photo left. It follows the photo there. What comes after the answer was shown to nobody, and stays out.
    pub fn send_what_was_shown(&self) -> Option<DeviceAnswer> {
        let answer = self.device.get_untracked()?;
        let (id, said) = (self.id, answer.clone());
        spawn_local(async move {
            let mut tries = 0;
            while let Err(trouble) = client::note_device(id, &said).await {
                tries += 1;
                let Some(wait) = trouble.next_try(tries) else { return };
                for _ in 0..wait {
                    one_second().await;
                }
            }
        });
        Some(answer)
    }

    /// Nobody wants it sent any more. What the server already has, it keeps.
    pub fn give_up(&self) {
        self.stop();
        let id = self.id;
        spawn_local(offline::drop(id));
    }

    /// Frees the preview and stops sending: what is still kept on the device is the queue's from now on.
    pub fn discard(&self) {
        self.stop();
        let id = self.id;
        spawn_local(offline::let_go(id));
        let _ = Url::revoke_object_url(&self.preview);
    }

    fn stop(&self) {
        if let Some(handle) = self.running.try_update_value(Option::take).flatten() {
            handle.abort();
        }
    }

    async fn deliver(self) -> Option<Prediction> {
        let mut tries = 0;
        let (sent, scaled_from) = offline::to_send(&self.file).await;
        self.bytes.set(sent.size() as u64);
        self.is_kept.set(offline::keep(self.id, &self.file).await);
        loop {
            while is_offline() {
                self.enter(Phase::Offline);
                one_second().await;
            }
            self.enter(Phase::Sending { percent: 0 });
            let trouble = match self.send_once(&sent, scaled_from.as_deref()).await {
                Ok(prediction) => {
                    offline::drop(self.id).await;
                    self.enter(Phase::Answered { label: prediction.predicted_class.clone() });
                    return Some(prediction);
                }
                Err(trouble) => trouble,
            };
            if trouble == Trouble::Unreachable && is_offline() {
                continue;
            }
            tries += 1;
            let Some(wait) = trouble.next_try(tries) else {
                self.leave_to_queue(&trouble).await;
                self.enter(Phase::Failed(trouble));
                return None;
            };
            for seconds in (1..=wait).rev() {
                self.enter(Phase::Waiting { seconds, trouble: trouble.clone() });
                one_second().await;
            }
        }
    }

    /// What becomes of it on the device where this page will not send it by itself any more.
    async fn leave_to_queue(&self, trouble: &Trouble) {
        if self.is_kept.get_untracked() {
            if trouble.may_pass() {
                return offline::hand_over(self.id, trouble).await;
            }
            if trouble.needs_reload() && offline::renew(self.id).await {
                return;
            }
        }
        self.is_kept.set(false);
        offline::drop(self.id).await;
    }

    /// One try, with an eye on the clock. The device looks at the photo as it was chosen, whatever is sent of it.
    async fn send_once(&self, sent: &File, scaled_from: Option<&str>) -> Result<Prediction, Trouble> {
        let still = Rc::new(Cell::new(0));
        let sending = Box::pin(async {
            let device = device::soon(&self.file).await;
            client::predict(self.id, sent, device.as_ref(), scaled_from, self.progress(Rc::clone(&still))).await
        });
        let watching = Box::pin(async {
            loop {
                one_second().await;
                still.set(still.get() + 1);
                if still.get() == SLOW_AFTER_SECONDS {
                    self.is_slow.set(true);
                }
            }
        });
        match select(sending, watching).await {
            Either::Left((answer, _)) => answer,
            Either::Right((never, _)) => never,
        }
    }

    fn enter(&self, phase: Phase) {
        self.is_slow.set(false);
        self.phase.set(phase);
    }

    /// Shows progress in whole percent, and only forward steps: fewer redraws than the browser sends events.
    fn progress(&self, still: Rc<Cell<u32>>) -> impl Fn(f64) + 'static {
        let upload = self.clone();
        let shown = Cell::new(0_u8);
        move |share| {
            let percent = (share.clamp(0.0, 1.0) * 100.0) as u8;
            if percent > shown.get() {
                shown.set(percent);
                if percent == 100 {
                    still.set(0);
                    upload.enter(Phase::Answering);
                } else {
                    upload.phase.set(Phase::Sending { percent });
                }
            }
        }
    }
}

/// Whether the browser knows that it has no connection. That it has one says little.
pub(crate) fn is_offline() -> bool {
    web_sys::window().is_some_and(|window| !window.navigator().on_line())
}

pub(crate) async fn one_second() {
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
