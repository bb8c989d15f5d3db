//! The visitor's photos as the page knows them.

use gourmetgram_api::{Cursor, Prediction, PredictionId, PredictionPage};
use leptos::prelude::*;

/// One photo with its answer and what was said about it. A handle: clones share the state, and are equal where they
/// mean the same photo.
#[derive(Clone, Debug)]
pub struct Photo {
    /// Names it.
    pub id: PredictionId,
    /// What is known of it now.
    pub prediction: ArcRwSignal<Prediction>,
    /// Object URL of the file, where it was sent from this very page: shown instead of being fetched back.
    pub preview: Option<String>,
}

impl Photo {
    /// A photo the server told us about.
    pub fn recorded(prediction: Prediction) -> Self {
        Self { id: prediction.id, prediction: ArcRwSignal::new(prediction), preview: None }
    }

    /// A photo just sent from this page.
    pub fn just_sent(prediction: Prediction, preview: String) -> Self {
        Self { preview: Some(preview), ..Self::recorded(prediction) }
    }

    /// Where an `img` gets it from.
    pub fn source(&self) -> String {
        self.preview.clone().unwrap_or_else(|| crate::forms::image(self.id))
    }

    /// Where a small `img` gets it from.
    pub fn small_source(&self) -> String {
        self.preview.clone().unwrap_or_else(|| crate::forms::thumbnail(self.id, 512))
    }
}

impl PartialEq for Photo {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// The list "My photos", and the one photo that may be looked at without being on the list's loaded part.
#[derive(Clone, Copy, Debug)]
pub struct Album {
    listed: RwSignal<Vec<Photo>>,
    unlisted: RwSignal<Option<Photo>>,
    next: RwSignal<Option<Cursor>>,
}

impl Album {
    /// The album as the page came: its first page of photos, and the one shown.
    pub fn new(mine: PredictionPage, shown: Option<Prediction>) -> Self {
        let listed: Vec<Photo> = mine.items.into_iter().map(Photo::recorded).collect();
        let unlisted = shown.map(Photo::recorded).filter(|photo| !listed.contains(photo));
        Self { listed: RwSignal::new(listed), unlisted: RwSignal::new(unlisted), next: RwSignal::new(mine.next_cursor) }
    }

    /// The photos of the list, newest first.
    pub fn listed(&self) -> Vec<Photo> {
        self.listed.get()
    }

    /// Where the list goes on, if it does.
    pub fn next(&self) -> Option<Cursor> {
        self.next.get()
    }

    /// The photo `id`, if the page knows it.
    pub fn find(&self, id: PredictionId) -> Option<Photo> {
        let listed = self.listed.with(|photos| photos.iter().find(|photo| photo.id == id).cloned());
        listed.or_else(|| self.unlisted.get().filter(|photo| photo.id == id))
    }

    /// Puts a photo just sent at the head of the list. One sent again takes its old place.
    pub fn add(&self, photo: Photo) {
        self.listed.update(|photos| match photos.iter_mut().find(|known| **known == photo) {
            Some(known) => *known = photo,
            None => photos.insert(0, photo),
        });
    }

    /// Appends the list's next page.
    pub fn append(&self, page: PredictionPage) {
        self.next.set(page.next_cursor);
        self.listed.update(|photos| {
            for prediction in page.items {
                let photo = Photo::recorded(prediction);
                if !photos.contains(&photo) {
                    photos.push(photo);
                }
            }
        });
    }

    /// Forgets an erased photo.
    pub fn remove(&self, id: PredictionId) {
        self.listed.update(|photos| photos.retain(|photo| photo.id != id));
        self.unlisted.update(|photo| {
            photo.take_if(|photo| photo.id == id);
        });
    }
}
