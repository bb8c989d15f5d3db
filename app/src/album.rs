//! The visitor's photos as the page knows them.

use gourmetgram_api::{Cursor, Prediction, PredictionId, PredictionPage};
use leptos::prelude::*;

use crate::upload::Upload;

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

/// What stands at one place of the list "My photos".
#[derive(Clone, Debug)]
pub enum Entry {
    /// A photo with its answer.
    Here(Photo),
    /// The place of a photo on its way, taken when it is chosen: its answer moves nothing else.
    Coming(Upload),
}

impl Entry {
    /// Names the photo that is here, or will be.
    pub fn id(&self) -> PredictionId {
        match self {
            Self::Here(photo) => photo.id,
            Self::Coming(upload) => upload.id,
        }
    }

    /// The photo, where it is here.
    pub fn photo(&self) -> Option<&Photo> {
        match self {
            Self::Here(photo) => Some(photo),
            Self::Coming(_) => None,
        }
    }
}

/// The list "My photos", and the one photo that may be looked at without being on the list's loaded part.
#[derive(Clone, Copy, Debug)]
pub struct Album {
    listed: RwSignal<Vec<Entry>>,
    unlisted: RwSignal<Option<Photo>>,
    next: RwSignal<Option<Cursor>>,
}

impl Album {
    /// The album as the page came: its first page of photos, and the one shown.
    pub fn new(mine: PredictionPage, shown: Option<Prediction>) -> Self {
        let photos: Vec<Photo> = mine.items.into_iter().map(Photo::recorded).collect();
        let unlisted = shown.map(Photo::recorded).filter(|photo| !photos.contains(photo));
        let listed = photos.into_iter().map(Entry::Here).collect();
        Self { listed: RwSignal::new(listed), unlisted: RwSignal::new(unlisted), next: RwSignal::new(mine.next_cursor) }
    }

    /// The list, newest first.
    pub fn listed(&self) -> Vec<Entry> {
        self.listed.get()
    }

    /// How many photos of the list are here.
    pub fn number(&self) -> usize {
        self.listed.with(|entries| entries.iter().filter_map(Entry::photo).count())
    }

    /// Whether the list has neither photos nor places for them.
    pub fn is_empty(&self) -> bool {
        self.listed.with(Vec::is_empty)
    }

    /// Where the list goes on, if it does.
    pub fn next(&self) -> Option<Cursor> {
        self.next.get()
    }

    /// The photo `id`, if the page knows it.
    pub fn find(&self, id: PredictionId) -> Option<Photo> {
        let is_meant = |photo: &&Photo| photo.id == id;
        let listed = self.listed.with(|entries| entries.iter().filter_map(Entry::photo).find(is_meant).cloned());
        listed.or_else(|| self.unlisted.get().filter(|photo| photo.id == id))
    }

    /// Keeps places at the head of the list for photos on their way, the last chosen first.
    pub fn expect(&self, uploads: impl DoubleEndedIterator<Item = Upload>) {
        self.listed.update(|entries| {
            entries.splice(0..0, uploads.rev().map(Entry::Coming));
        });
    }

    /// Gives up the places of photos that do not come any more.
    pub fn keep_places(&self, still_comes: impl Fn(&Upload) -> bool) {
        self.listed.update(|entries| {
            entries.retain(|entry| match entry {
                Entry::Here(_) => true,
                Entry::Coming(upload) => still_comes(upload),
            });
        });
    }

    /// Puts a photo just sent at its place, or at the head of the list if it has none.
    pub fn add(&self, photo: Photo) {
        self.listed.update(|entries| match entries.iter_mut().find(|entry| entry.id() == photo.id) {
            Some(place) => *place = Entry::Here(photo),
            None => entries.insert(0, Entry::Here(photo)),
        });
    }

    /// Takes over what the server says of a photo now. Whether it is a photo that the album did not know.
    pub fn refresh(&self, prediction: Prediction) -> bool {
        let known = untrack(|| self.find(prediction.id));
        match &known {
            Some(photo) => photo.prediction.set(prediction),
            None => self.add(Photo::recorded(prediction)),
        }
        known.is_none()
    }

    /// Appends the list's next page.
    pub fn append(&self, page: PredictionPage) {
        self.next.set(page.next_cursor);
        self.listed.update(|entries| {
            for prediction in page.items {
                if entries.iter().all(|entry| entry.id() != prediction.id) {
                    entries.push(Entry::Here(Photo::recorded(prediction)));
                }
            }
        });
    }

    /// Forgets an erased photo.
    pub fn remove(&self, id: PredictionId) {
        self.listed.update(|entries| entries.retain(|entry| entry.id() != id));
        self.unlisted.update(|photo| {
            photo.take_if(|photo| photo.id == id);
        });
    }
}
