//! Photos dropped anywhere on the page, or pasted into it.

use js_sys::{Function, Reflect};
use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DataTransfer, DragEvent};

use crate::{components::files_of, visit::Visit};

/// Takes the files that are dropped or pasted. `dragging` tells whether some hover above the page.
pub(super) fn take_dropped_and_pasted(visit: Visit, dragging: RwSignal<bool>) {
    let take = move |transfer: Option<DataTransfer>| {
        let Some(transfer) = transfer else { return };
        let files = files_of(transfer.files());
        if !files.is_empty() {
            visit.take(files, holds_folder(&transfer));
        }
    };
    let listeners = [
        // Without this the browser would refuse the drop.
        window_event_listener(ev::dragover, move |event| {
            if carries_files(&event) {
                event.prevent_default();
                dragging.set(true);
            }
        }),
        window_event_listener(ev::dragleave, move |event| {
            // Leaving one element for another is not leaving the page.
            if event.related_target().is_none() {
                dragging.set(false);
            }
        }),
        window_event_listener(ev::drop, move |event| {
            if carries_files(&event) {
                event.prevent_default();
                dragging.set(false);
                take(event.data_transfer());
            }
        }),
        window_event_listener(ev::paste, move |event| take(event.clipboard_data())),
    ];
    on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
}

/// Text or a link dragged over the page is none of our business.
fn carries_files(event: &DragEvent) -> bool {
    event.data_transfer().is_some_and(|transfer| transfer.types().includes(&"Files".into(), 0))
}

/// A folder stands among the files like a file that cannot be read. What tells it from one is no standard everywhere,
/// so whatever is missing of it means "no folder".
fn holds_folder(transfer: &DataTransfer) -> bool {
    let read = |from: &JsValue, name: &str| Reflect::get(from, &name.into()).unwrap_or_default();
    let items = read(transfer, "items");
    let number = read(&items, "length").as_f64().unwrap_or_default() as u32;
    (0..number).any(|index| {
        let item = Reflect::get_u32(&items, index).unwrap_or_default();
        let ask: Option<Function> = read(&item, "webkitGetAsEntry").dyn_into().ok();
        let entry = ask.and_then(|ask| ask.call0(&item).ok()).unwrap_or_default();
        read(&entry, "isDirectory").is_truthy()
    })
}
