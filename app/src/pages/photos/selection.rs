//! Which photos are ticked, and how the keyboard walks over them.

use std::collections::HashSet;

use gourmetgram_api::{MAX_FLAGS, PredictionId};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement, KeyboardEvent, MouseEvent};

/// The ticked photos. Copies are handles to the same selection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selection {
    ticked: RwSignal<HashSet<PredictionId>>,
    /// The photo ticked last: where a range with Shift begins.
    last: StoredValue<Option<PredictionId>>,
}

impl Selection {
    pub(super) fn new() -> Self {
        Self { ticked: RwSignal::new(HashSet::new()), last: StoredValue::new(None) }
    }

    pub(super) fn number(self) -> usize {
        self.ticked.with(HashSet::len)
    }

    pub(super) fn has(self, id: PredictionId) -> bool {
        self.ticked.with(|ticked| ticked.contains(&id))
    }

    pub(super) fn ids(self) -> Vec<PredictionId> {
        self.ticked.with_untracked(|ticked| ticked.iter().copied().collect())
    }

    pub(super) fn clear(self) {
        self.last.set_value(None);
        if self.ticked.with_untracked(|ticked| !ticked.is_empty()) {
            self.ticked.set(HashSet::new());
        }
    }

    /// Takes over what was ticked in `part` of the page before it came alive.
    pub(super) fn adopt(self, part: &Element) {
        let Ok(boxes) = part.query_selector_all(".tick__box:checked") else { return };
        let boxes = (0..boxes.length()).filter_map(|index| boxes.item(index)?.dyn_into::<HtmlInputElement>().ok());
        let ids: Vec<PredictionId> = boxes.filter_map(|ticked| ticked.value().parse().ok()).collect();
        if !ids.is_empty() {
            self.ticked.update(|ticked| ticked.extend(ids.into_iter().take(MAX_FLAGS.saturating_sub(ticked.len()))));
        }
    }

    /// Ticks or unticks `id` as its box says; with Shift, all between it and the one before as well. `listed` is the list's
    /// order.
    pub(super) fn set(self, id: PredictionId, tick: bool, with_shift: bool, listed: &[PredictionId]) {
        let range = if with_shift { range(listed, self.last.get_value(), id) } else { None };
        self.ticked.update(|ticked| {
            for id in range.unwrap_or(&[id]) {
                if !tick {
                    ticked.remove(id);
                } else if ticked.len() < MAX_FLAGS {
                    ticked.insert(*id);
                }
            }
        });
        self.last.set_value(Some(id));
    }
}

/// What lies between two photos of a list, both included.
fn range(listed: &[PredictionId], from: Option<PredictionId>, to: PredictionId) -> Option<&[PredictionId]> {
    let place = |id: PredictionId| listed.iter().position(|known| *known == id);
    let (from, to) = (place(from?)?, place(to)?);
    listed.get(from.min(to)..=from.max(to))
}

/// Whether Shift was held: the browser tells it of clicks by mouse and by keyboard.
pub(super) fn with_shift(event: &MouseEvent) -> bool {
    event.shift_key()
}

/// Walks over the list's boxes by arrow keys, from a focused one.
pub(super) fn walk(event: &KeyboardEvent, list: &Element) {
    let Some(from) = event.target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else { return };
    if !from.matches(".tick__box").unwrap_or(false) {
        return;
    }
    let Ok(boxes) = list.query_selector_all(".tick__box") else { return };
    let boxes: Vec<HtmlElement> =
        (0..boxes.length()).filter_map(|index| boxes.item(index)?.dyn_into::<HtmlElement>().ok()).collect();
    let Some(here) = boxes.iter().position(|known| *known == from) else { return };
    let to = match event.key().as_str() {
        "ArrowRight" => here + 1,
        "ArrowLeft" => here.wrapping_sub(1),
        "ArrowDown" => here + columns(&boxes),
        "ArrowUp" => here.wrapping_sub(columns(&boxes)),
        _ => return,
    };
    if let Some(to) = boxes.get(to) {
        event.prevent_default();
        let _ = to.focus();
    }
}

/// How many boxes stand in a line.
fn columns(boxes: &[HtmlElement]) -> usize {
    let top = |of: &HtmlElement| of.get_bounding_client_rect().top();
    let first = boxes.first().map(top).unwrap_or_default();
    boxes.iter().take_while(|known| (top(known) - first).abs() < 1.0).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Vec<PredictionId> {
        (0..4_u8).map(|number| format!("01890a5d-ac96-774b-bcce-b3020000000{number}").parse().expect("an id")).collect()
    }

    #[test]
    fn a_range_runs_either_way_and_needs_a_beginning() {
        let ids = ids();
        assert_eq!(range(&ids, Some(ids[2]), ids[0]), Some(&ids[0..=2]));
        assert_eq!(range(&ids, Some(ids[1]), ids[3]), Some(&ids[1..=3]));
        assert_eq!(range(&ids, None, ids[3]), None);
        assert_eq!(range(&ids[..2], Some(ids[3]), ids[0]), None, "what is no longer listed begins nothing");
    }

    #[test]
    fn a_box_ticked_with_shift_takes_those_between_along() {
        Owner::new().with(|| {
            let (selection, ids) = (Selection::new(), ids());
            selection.set(ids[0], true, false, &ids);
            selection.set(ids[2], true, true, &ids);
            assert_eq!(selection.number(), 3);
            selection.set(ids[1], false, true, &ids);
            assert!(selection.has(ids[0]) && !selection.has(ids[1]) && !selection.has(ids[2]));
            selection.clear();
            assert_eq!(selection.number(), 0);
        });
    }
}
