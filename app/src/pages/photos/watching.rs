//! Tells when an element comes near what is seen, and when it leaves.

use js_sys::Array;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

/// How far beyond the window an element counts as near: about a screen, so that it is there before it is seen.
const MARGIN: &str = "1200px 0px";

/// Watches one element until it is dropped. It may be stored where the server stores things (which never makes one): its
/// inside is of one thread, the browser's.
pub(super) struct Watcher(SendWrapper<Watching>);

struct Watching {
    observer: IntersectionObserver,
    _told: Closure<dyn Fn(Array)>,
}

impl Watcher {
    /// Calls `on_change` with whether the element is near, and how high it is now, in pixels.
    pub(super) fn new(element: &Element, on_change: impl Fn(bool, f64) + 'static) -> Option<Self> {
        let told = Closure::<dyn Fn(Array)>::new(move |entries: Array| {
            // Only the last word counts.
            if let Ok(entry) = entries.pop().dyn_into::<IntersectionObserverEntry>() {
                on_change(entry.is_intersecting(), entry.bounding_client_rect().height());
            }
        });
        let options = IntersectionObserverInit::new();
        options.set_root_margin(MARGIN);
        let observer = IntersectionObserver::new_with_options(told.as_ref().unchecked_ref(), &options).ok()?;
        observer.observe(element);
        Some(Self(SendWrapper::new(Watching { observer, _told: told })))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.0.observer.disconnect();
    }
}
