//! A list that was left for one of its photos, until somebody comes back to it.

use std::cell::RefCell;

use gourmetgram_api::{Cursor, PredictionId, Total};
use leptos::prelude::*;

use super::{list::List, shelf::Shelf};
use crate::explore::{Card, LIST};

/// The list as it was: gone back to, it stands where it stood.
struct Left {
    search: String,
    shelves: Vec<Shelf>,
    next: Option<Cursor>,
    total: Option<Total>,
    scrolled: f64,
}

thread_local! {
    /// In the browser only: nothing on the server runs what writes it.
    static LEFT: RefCell<Option<Left>> = const { RefCell::new(None) };
}

/// Changes what a list that was left shows of one photo, or takes the photo out.
pub(super) fn changed_elsewhere(id: PredictionId, card: Option<Card>) {
    LEFT.with_borrow_mut(|left| {
        for shelf in left.iter_mut().flat_map(|left| &mut left.shelves) {
            match &card {
                Some(card) => shelf.change(id, |known| *known = card.clone()),
                None => shelf.remove(id),
            }
        }
    });
}

impl List {
    /// Notes how far the list is scrolled. Not once another page has the address: the router scrolls to its top while
    /// the list is still drawn, and a browser that goes back or forth scrolls before anything is drawn.
    pub(super) fn note_scrolling(self) {
        let is_here = window().location().pathname().is_ok_and(|path| path == LIST);
        if let (true, Ok(scrolled)) = (is_here, window().scroll_y()) {
            self.scrolled.set_value(scrolled);
        }
    }

    /// Keeps the list as it is, for who comes back to it.
    pub(super) fn leave(self) {
        let left = Left {
            search: self.asked.get_untracked().search(),
            shelves: self.shelves.get_untracked(),
            next: self.next.get_untracked(),
            total: self.total.get_untracked(),
            scrolled: self.scrolled.get_value(),
        };
        LEFT.set(Some(left));
    }

    /// Takes up the list that was left, if it is the one asked for.
    pub(super) fn return_to(self) {
        let Some(left) = LEFT.take() else { return };
        if left.search != self.asked.get_untracked().search() {
            return;
        }
        self.total.set(left.total);
        self.next.set(left.next);
        self.shelves.set(left.shelves);
        request_animation_frame(move || window().scroll_to_with_x_and_y(0.0, left.scrolled));
    }
}
