//! Photos dropped anywhere on the page, or pasted into it.

use leptos::{ev, prelude::*};
use web_sys::{DragEvent, FileList};

use crate::visit::Visit;

/// Sends the first file that is dropped or pasted. `dragging` tells whether one hovers above the page.
pub(super) fn take_dropped_and_pasted(visit: Visit, dragging: RwSignal<bool>) {
    let send = move |files: Option<FileList>| {
        if let Some(photo) = files.and_then(|files| files.get(0)) {
            visit.send(photo);
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
                send(event.data_transfer().and_then(|transfer| transfer.files()));
            }
        }),
        window_event_listener(ev::paste, move |event| {
            send(event.clipboard_data().and_then(|clipboard| clipboard.files()));
        }),
    ];
    on_cleanup(move || listeners.into_iter().for_each(WindowListenerHandle::remove));
}

/// Text or a link dragged over the page is none of our business.
fn carries_files(event: &DragEvent) -> bool {
    event.data_transfer().is_some_and(|transfer| transfer.types().includes(&"Files".into(), 0))
}
