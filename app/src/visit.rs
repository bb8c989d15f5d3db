//! What one visitor does on the page `/`: the state its components share.

use gourmetgram_api::{LiveModel, Prediction, PredictionId, Problem, ProblemKind};
use leptos::{html, prelude::*, task::spawn_local};
use web_sys::{File, Url};

use crate::{
    album::{Album, Photo},
    client,
    components::is_alive,
    forms,
    home::Home,
    line::Line,
    trouble::Trouble,
    upload::Upload,
};

/// The page's state. Copies are handles to the same state; components find it by context.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// The model that answers: its classes, its limits.
    pub model: StoredValue<LiveModel>,
    /// The visitor's photos.
    pub album: Album,
    /// The photos on their way.
    pub line: Line,
    /// Files that were handed over and not taken, until the visitor has read why.
    pub turned_away: RwSignal<Option<TurnedAway>>,
    /// The latest confirmation, read out by screen readers and shown for a while.
    pub confirmation: RwSignal<Option<String>>,
    /// Goes to another address within the page.
    go: Callback<String>,
}

/// Why files were not taken as they were handed over.
#[derive(Clone, Debug)]
pub enum TurnedAway {
    /// A folder, which a browser does not hand over as photos.
    Folder,
    /// More than there is room for.
    TooMany {
        /// How many were handed over.
        given: usize,
        /// Those there is room for, first come first.
        fitting: StoredValue<Vec<File>, LocalStorage>,
    },
}

impl Visit {
    /// The state as the page came. `go` moves to another address without loading a document.
    pub fn new(home: Home, go: Callback<String>) -> Self {
        Self {
            model: StoredValue::new(home.model),
            album: Album::new(home.mine, home.shown),
            line: Line::new(),
            turned_away: RwSignal::new(None),
            confirmation: RwSignal::new(None),
            go,
        }
    }

    /// Takes what the visitor chose, took, dropped or pasted, if there is room for all of it.
    pub fn take(self, mut files: Vec<File>, has_folder: bool) {
        let (given, room) = (files.len(), self.line.room());
        if has_folder {
            self.turned_away.set(Some(TurnedAway::Folder));
        } else if given > room {
            files.truncate(room);
            self.turned_away.set(Some(TurnedAway::TooMany { given, fitting: StoredValue::new_local(files) }));
        } else {
            self.send(files);
        }
    }

    /// Sends files, except those of which it is plain that the server would refuse them. The first takes the stage.
    pub fn send(self, files: Vec<File>) {
        let uploads = files.into_iter().filter_map(|file| {
            let trouble = self.refuse(&file);
            Some((Upload::new(file)?, trouble))
        });
        let uploads: Vec<(Upload, Option<Trouble>)> = uploads.collect();
        let coming: Vec<Upload> =
            uploads.iter().filter(|(_, trouble)| trouble.is_none()).map(|(upload, _)| upload.clone()).collect();
        coming.iter().for_each(Upload::keep);
        coming.iter().for_each(Upload::ask_device);
        self.line.join(uploads);
        self.give_up_places();
        self.album.expect(coming.into_iter());
        self.go_on();
    }

    /// Sends a photo again, at once.
    pub fn retry(self, upload: &Upload) {
        self.start(upload.clone());
    }

    /// Sends what waits for a connection. For the page to call when the browser has one again.
    pub fn resume(self) {
        self.line.waiting_for_connection().into_iter().for_each(|upload| self.start(upload));
    }

    /// Gives up on a photo on its way.
    pub fn cancel(self, upload: &Upload) {
        upload.give_up();
        self.close(upload);
    }

    /// Takes a photo out of the line. One that may still be sent stays in the queue.
    pub fn close(self, upload: &Upload) {
        self.line.remove(upload);
        self.give_up_places();
        self.go_on();
    }

    /// Gives up on all photos on their way that are not answered yet.
    pub fn cancel_the_rest(self) {
        self.line.cancel_unanswered();
        self.give_up_places();
    }

    /// Puts the line away once nothing more happens in it.
    pub fn close_line(self) {
        self.line.clear();
        self.give_up_places();
    }

    /// Photos that left the line without an answer need no place in the album.
    fn give_up_places(self) {
        self.album.keep_places(|upload| self.line.holds(upload));
    }

    /// Puts an upload on stage: the visitor asks for its answer before the others'.
    pub fn ask_for(self, upload: Upload) {
        self.line.on_stage.set(Some(upload));
        self.go_on();
    }

    /// Moves the focus to `heading` when it appears, unless it came with the document: whoever does not see the page
    /// change is told, and the next Tab goes on from there.
    pub fn focus_when_new(self, heading: NodeRef<html::H1>) {
        let is_new = is_alive();
        Effect::new(move |_| {
            if let Some(heading) = heading.get().filter(|_| is_new) {
                // An element that cannot be focused is no reason to stop.
                let _ = heading.focus();
            }
        });
    }

    /// Confirms what was done.
    pub fn confirm(self, text: impl Into<String>) {
        self.confirmation.set(Some(text.into()));
    }

    /// Shows a photo as the server has it: something that waited for reception has arrived there.
    pub fn refresh(self, id: PredictionId) {
        spawn_local(async move {
            match client::prediction(id).await {
                Ok(prediction) => {
                    if let Some(upload) = self.line.given_up(id) {
                        upload.arrived(&prediction);
                        self.answered(&upload, prediction);
                        self.line.settle();
                    } else if self.album.refresh(prediction) {
                        self.confirm("A photo that waited has arrived: see My photos.");
                    }
                }
                // An erased photo is nobody's.
                Err(Trouble::Refused(Problem { kind: ProblemKind::NotFound | ProblemKind::Erased, .. })) => {
                    self.album.remove(id);
                }
                // It stands there when the page is loaded again.
                Err(_) => {}
            }
        });
    }

    /// Forgets an erased photo, says so, and leaves its page where that is open.
    pub fn forget(self, photo: &Photo, is_shown: bool, confirmation: &str) {
        self.album.remove(photo.id);
        self.line.forget(photo.id);
        if let Some(preview) = &photo.preview {
            let _ = Url::revoke_object_url(preview);
        }
        self.confirm(confirmation);
        if is_shown {
            self.go.run("/".to_owned());
        }
    }

    /// Shows a photo.
    pub fn open(self, id: PredictionId) {
        self.go.run(forms::page_of(id));
    }

    /// Starts what there is a place for.
    fn go_on(self) {
        while let Some(upload) = self.line.next_to_start() {
            self.start(upload);
        }
    }

    fn start(self, upload: Upload) {
        let sent = upload.clone();
        upload.start(move |prediction| {
            if let Some(mut prediction) = prediction {
                if prediction.device.is_none() {
                    // Beside the answer at once, so that nothing moves once the record has it too.
                    prediction.device = sent.send_what_was_shown();
                }
                self.answered(&sent, prediction);
            }
            self.line.settle();
            self.go_on();
        });
    }

    fn answered(self, upload: &Upload, prediction: Prediction) {
        let id = prediction.id;
        self.album.add(Photo::just_sent(prediction, upload.preview.clone()));
        if self.line.is_on_stage(upload) {
            // The page shows the upload until the address names its photo.
            self.open(id);
        } else if !self.line.is_crowd() {
            self.confirm("Your other photo is answered: see My photos.");
        }
    }

    fn refuse(self, file: &File) -> Option<Trouble> {
        let kind = file.type_();
        if !kind.is_empty() && !kind.starts_with("image/") {
            return Some(Trouble::not_a_picture(&file.name()));
        }
        let bytes = file.size() as u64;
        if bytes == 0 {
            return Some(Trouble::empty(&file.name()));
        }
        self.model.with_value(|model| (bytes > model.limits.max_bytes).then(|| Trouble::too_large(bytes, model)))
    }
}
