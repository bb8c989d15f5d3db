//! Where the page's plain forms post to.
//!
//! With scripts off the browser posts these and the server answers with a redirect to the page; with scripts on the
//! same buttons call the API instead. All bodies but the photo's are `application/x-www-form-urlencoded`.

use gourmetgram_api::PredictionId;
use leptos_router::location::Url;

/// `multipart/form-data` with one part, [`PHOTO_FIELD`].
pub const UPLOAD: &str = "/photos";

/// The part of [`UPLOAD`] that is the photo's file.
pub const PHOTO_FIELD: &str = "image";

/// Types the server reads, for a file input's `accept`. Named one by one and not as `image/*`, so that an iPhone turns
/// its HEIC photos into JPEG by itself.
pub const ACCEPTED_TYPES: &str = "image/jpeg,image/png,image/webp,image/gif";

/// Ends the session; no fields.
pub const SIGN_OUT: &str = "/logout";

/// Where the server asks for the page that says "not now". Nobody else finds anything there.
pub const NOT_NOW: &str = "/not-now";

/// The same, where a form was posted.
pub const NOT_NOW_POSTED: &str = "/not-now?posted=1";

/// The sign-in page, which leads back to the page at `path` with the query `search` (with or without its `?`).
pub fn sign_in(path: &str, search: &str) -> String {
    if path == NOT_NOW {
        return "/login".to_owned();
    }
    let search = search.trim_start_matches('?');
    let back = if search.is_empty() { path.to_owned() } else { format!("{path}?{search}") };
    format!("/login?next={}", Url::escape(&back))
}

/// Flags the photo; field `reason`, a word of [`FlagReason`](gourmetgram_api::FlagReason).
pub fn flag(id: PredictionId) -> String {
    format!("/photos/{id}/flag")
}

/// Takes the flag back; no fields.
pub fn unflag(id: PredictionId) -> String {
    format!("/photos/{id}/unflag")
}

/// Relabels the photo; field `label`, one of the model's classes.
pub fn correct(id: PredictionId) -> String {
    format!("/photos/{id}/correct")
}

/// Takes the correction back; no fields.
pub fn uncorrect(id: PredictionId) -> String {
    format!("/photos/{id}/uncorrect")
}

/// Erases the photo; no fields.
pub fn erase(id: PredictionId) -> String {
    format!("/photos/{id}/erase")
}

/// The page on which a photo's answer is shown.
pub fn page_of(id: PredictionId) -> String {
    format!("/?photo={id}")
}

/// The photo itself.
pub fn image(id: PredictionId) -> String {
    format!("/api/v1/predictions/{id}/image")
}

/// The photo as a file to keep.
pub fn download(id: PredictionId) -> String {
    format!("{}?download=true", image(id))
}

/// A small picture of the photo, `side` pixels at its longer side: 96, 256, 512 or 1024.
pub fn thumbnail(id: PredictionId, side: u16) -> String {
    format!("/api/v1/predictions/{id}/thumbnail?size={side}")
}

/// The photo of a task as a JPEG, `side` pixels at its longer side: 96, 256, 512 or 1024.
pub fn task_image(task: uuid::Uuid, side: u16) -> String {
    format!("/api/v1/review/tasks/{task}/image?size={side}")
}

/// Flags many photos: fields `id`, as often as there are photos, and `reason`; or `was` (`{id}:{reason}`) to undo.
pub const FLAGS: &str = "/photos/flags";

/// A form's address with the page to go back to once it has done its work; only pages of `/photos` are gone back to.
pub fn then(action: &str, next: &str) -> String {
    match serde_urlencoded::to_string([("next", next)]) {
        Ok(query) => format!("{action}?{query}"),
        Err(_) => action.to_owned(),
    }
}
