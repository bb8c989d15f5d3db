//! Where a photo comes in: from the camera or from the device. Dropping and pasting is the page's own matter.

use leptos::{html, prelude::*};
use web_sys::{File, FileList};

use super::{Icon, once_alive};
use crate::{forms, visit::Visit};

/// The buttons to take or to choose a photo.
///
/// Each is a form of its own around a file input. Alive, it sends as soon as a photo is chosen. Not yet alive, or with
/// scripts off, its "Send" button is a plain submit; the style sheet shows that button once a file is chosen.
#[component]
pub fn PhotoPicker(
    /// An answer is on the page already, and this is for one more.
    #[prop(optional)]
    another: bool,
) -> impl IntoView {
    view! {
        <div class="picker" class:picker--another=another>
            <Source camera=true label="Take a photo"/>
            <Source camera=false label=if another { "More photos" } else { "Choose photos" }/>
        </div>
    }
}

/// The files of a browser's list.
pub fn files_of(list: Option<FileList>) -> Vec<File> {
    let list = list.as_ref();
    let length = list.map_or(0, FileList::length);
    (0..length).filter_map(|index| list.and_then(|list| list.get(index))).collect()
}

#[component]
fn Source(camera: bool, label: &'static str) -> impl IntoView {
    let visit = expect_context::<Visit>();
    let input = NodeRef::<html::Input>::new();
    let send_chosen = move || {
        let Some(input) = input.get_untracked() else { return };
        let files = files_of(input.files());
        if !files.is_empty() {
            // So that the same file can be chosen again.
            input.set_value("");
            visit.take(files, false);
        }
    };
    // Whoever was faster than the script is not made to choose twice.
    once_alive(send_chosen);

    let icon = if camera { Icon::Camera } else { Icon::Picture };
    view! {
        <form
            class="source"
            class:source--camera=camera
            method="post"
            action=forms::UPLOAD
            enctype="multipart/form-data"
        >
            <label class="button source__choose">
                {icon.view()}
                <span>{label}</span>
                <input
                    node_ref=input
                    class="source__input"
                    type="file"
                    name=forms::PHOTO_FIELD
                    accept=forms::ACCEPTED_TYPES
                    capture=camera.then_some("environment")
                    multiple=!camera
                    required
                    on:change=move |_| send_chosen()
                />
            </label>
            <button class="button button--primary source__send" type="submit">"Send"</button>
        </form>
    }
}
