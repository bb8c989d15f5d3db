//! One page of the list, as it lies in the browser.

use gourmetgram_api::PredictionId;
use leptos::prelude::*;

use crate::explore::Card;

/// A page's photos. Copies are handles to the same page.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    number: usize,
    /// One signal a photo, so that a change of one redraws one.
    cards: Vec<(PredictionId, ArcRwSignal<Card>)>,
    /// Whether it is near what is seen: only then it is drawn.
    pub(super) near: ArcRwSignal<bool>,
    /// How high it was when it was last drawn, in pixels.
    pub(super) height: ArcRwSignal<f64>,
}

impl Shelf {
    pub(super) fn new(number: usize, cards: Vec<Card>) -> Self {
        Self {
            number,
            cards: cards.into_iter().map(|card| (card.id, ArcRwSignal::new(card))).collect(),
            near: ArcRwSignal::new(true),
            height: ArcRwSignal::new(0.0),
        }
    }

    /// Names the page among those of all lists that were shown: another list's first page is another page.
    pub(super) fn key(&self) -> (usize, Option<PredictionId>, usize) {
        (self.number, self.cards.first().map(|(id, _)| *id), self.cards.len())
    }

    /// The number of its first photo, from 1, and of its last; every page before it is full.
    pub(super) fn drawn_range(&self) -> (usize, usize) {
        let before = self.number * usize::from(crate::explore::PHOTOS_PER_SHELF);
        (before + 1, before + self.cards.len())
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = PredictionId> {
        self.cards.iter().map(|(id, _)| *id)
    }

    pub(super) fn signals(&self) -> Vec<ArcRwSignal<Card>> {
        self.cards.iter().map(|(_, card)| card.clone()).collect()
    }

    pub(super) fn change(&self, id: PredictionId, change: impl Fn(&mut Card)) {
        for (_, card) in self.cards.iter().filter(|(known, _)| *known == id) {
            card.update(&change);
        }
    }

    pub(super) fn remove(&mut self, id: PredictionId) {
        self.cards.retain(|(known, _)| *known != id);
    }
}
