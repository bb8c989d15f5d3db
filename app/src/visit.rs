//! What one visitor does on the page `/`: the state its components share.

use gourmetgram_api::{LiveModel, PredictionId};
use leptos::{html, prelude::*};
use web_sys::{File, Url};

use crate::{
    album::{Album, Photo},
    forms,
    home::Home,
    trouble::Trouble,
    upload::{Phase, Upload},
};

/// The page's state. Copies are handles to the same state; components find it by context.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// The model that answers: its classes, its limits.
    pub model: StoredValue<LiveModel>,
    /// The visitor's photos.
    pub album: Album,
    /// The photo on its way, if there is one.
    pub upload: RwSignal<Option<Upload>>,
    /// Why a file was not even sent.
    pub refusal: RwSignal<Option<Trouble>>,
    /// The latest confirmation, read out by screen readers and shown for a while.
    pub confirmation: RwSignal<Option<String>>,
    /// Whether the page has come alive and settled: from then on, what is new on it takes the focus.
    pub settled: StoredValue<bool>,
    /// Goes to another address within the page.
    go: Callback<String>,
}

impl Visit {
    /// The state as the page came. `go` moves to another address without loading a document.
    pub fn new(home: Home, go: Callback<String>) -> Self {
        Self {
            model: StoredValue::new(home.model),
            album: Album::new(home.mine, home.shown),
            upload: RwSignal::new(None),
            refusal: RwSignal::new(None),
            confirmation: RwSignal::new(None),
            settled: StoredValue::new(false),
            go,
        }
    }

    /// Sends a file the visitor chose, took, dropped or pasted, unless it is plain that the server would refuse it.
    pub fn send(self, file: File) {
        if self.upload.with_untracked(|upload| upload.as_ref().is_some_and(|upload| !upload.has_failed())) {
            self.confirm("One photo at a time: the one before is still on its way.");
            return;
        }
        self.cancel_upload();
        self.refusal.set(self.refuse(&file));
        if self.refusal.with_untracked(Option::is_some) {
            return;
        }
        let Some(upload) = Upload::new(file) else {
            self.refusal.set(Some(Trouble::Unreachable));
            return;
        };
        self.upload.set(Some(upload.clone()));
        self.start(&upload);
    }

    /// Sends the photo on its way again, at once.
    pub fn retry(self) {
        if let Some(upload) = self.upload.get_untracked() {
            self.start(&upload);
        }
    }

    /// Sends it again once the connection is back. For the page to call when the browser says so.
    pub fn resume(self) {
        let broke_off = self.upload.with_untracked(|upload| {
            upload.as_ref().is_some_and(|upload| upload.phase.get_untracked() == Phase::Failed(Trouble::Unreachable))
        });
        if broke_off {
            self.retry();
        }
    }

    /// Gives up on the photo on its way.
    pub fn cancel_upload(self) {
        if let Some(upload) = self.upload.get_untracked() {
            upload.discard();
            self.upload.set(None);
        }
    }

    /// Moves the focus to `heading` when it appears, unless it came with the document: whoever does not see the page
    /// change is told, and the next Tab goes on from there.
    pub fn focus_when_new(self, heading: NodeRef<html::H1>) {
        Effect::new(move |_| {
            if let Some(heading) = heading.get().filter(|_| self.settled.get_value()) {
                // An element that cannot be focused is no reason to stop.
                let _ = heading.focus();
            }
        });
    }

    /// Confirms what was done.
    pub fn confirm(self, text: impl Into<String>) {
        self.confirmation.set(Some(text.into()));
    }

    /// Forgets an erased photo, and leaves its page where that is open.
    pub fn forget(self, photo: &Photo, is_shown: bool) {
        self.album.remove(photo.id);
        if let Some(preview) = &photo.preview {
            let _ = Url::revoke_object_url(preview);
        }
        self.confirm("Your photo is erased.");
        if is_shown {
            self.go.run("/".to_owned());
        }
    }

    /// Shows a photo.
    pub fn open(self, id: PredictionId) {
        self.go.run(forms::page_of(id));
    }

    fn start(self, upload: &Upload) {
        let preview = upload.preview.clone();
        upload.start(move |prediction| {
            let id = prediction.id;
            self.album.add(Photo::just_sent(prediction, preview.clone()));
            // The page shows the upload until the address names its photo.
            self.open(id);
        });
    }

    fn refuse(self, file: &File) -> Option<Trouble> {
        let kind = file.type_();
        if !kind.is_empty() && !kind.starts_with("image/") {
            return Some(Trouble::not_a_picture(&file.name()));
        }
        let bytes = file.size() as u64;
        self.model.with_value(|model| (bytes > model.limits.max_bytes).then(|| Trouble::too_large(bytes, model)))
    }
}
