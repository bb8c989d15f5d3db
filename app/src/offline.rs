//! What waits for reception, as `offline.js` keeps it on the visitor's device: photos on their way, and what is done with
//! photos that are recorded. Where the script is missing, or the device has no room, nothing is kept, and says so.

use gourmetgram_api::PredictionId;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::File;

use crate::{device::ask, judgement::Judgement, trouble::Trouble};

/// What `offline.js` puts into the page.
const INTERFACE: &str = "gourmetgramOffline";

/// So many seconds the queue waits after the page has tried in vain, where the server does not say how long.
const USUAL_PAUSE: u64 = 60;

/// What the page is told when something that waited has arrived; its detail is the photo's id.
pub const ARRIVED: &str = "gourmetgram-arrived";

/// What is sent of a photo, and how large it was where that is smaller. It is decided once for each photo: every try sends the
/// same bytes.
pub async fn to_send(photo: &File) -> (File, Option<String>) {
    let smaller: Option<File> = ask(INTERFACE, "toSend", &[photo]).await.and_then(|file| file.dyn_into().ok());
    let Some(file) = smaller else { return (photo.clone(), None) };
    let scaled_from = Reflect::get(&file, &"scaledFrom".into()).ok().and_then(|size| size.as_string());
    (file, scaled_from)
}

/// Where the browser keeps that its visitor wants smaller photos sent; `offline.js` looks there.
const SMALLER: &str = "gourmetgram-smaller";

fn kept_by_browser() -> Option<JsValue> {
    Reflect::get(&js_sys::global(), &"localStorage".into()).ok()
}

/// Whether the visitor wants smaller photos sent from this browser.
pub fn sends_smaller() -> bool {
    kept_by_browser().and_then(|kept| Reflect::get(&kept, &SMALLER.into()).ok()).is_some_and(|word| word == "yes")
}

/// Keeps whether they do. Where the browser keeps nothing, it holds for nothing: the box says so when the page is next opened.
pub fn send_smaller(is_wanted: bool) {
    let Some(kept) = kept_by_browser() else { return };
    let _ = Reflect::set(&kept, &SMALLER.into(), &if is_wanted { "yes" } else { "" }.into());
}

/// Keeps a photo that is about to be sent. Whether it is kept: then it survives the page.
pub async fn keep(id: PredictionId, photo: &File) -> bool {
    say("keep", &[&name(id), photo]).await
}

/// Keeps a photo whose turn is still to come, once those chosen before it are kept. Whether that kept it.
pub async fn keep_soon(id: PredictionId, photo: &File) -> bool {
    say("keepSoon", &[&name(id), photo]).await
}

/// The photo has arrived, or nobody wants it any more.
pub async fn drop(id: PredictionId) {
    say("drop", &[&name(id)]).await;
}

/// The page sends the photo no longer; it stays in the queue, if it is there.
pub async fn let_go(id: PredictionId) {
    say("letGo", &[&name(id)]).await;
}

/// The page cannot send the photo for now, and goes on to show it: the queue sends it once the server takes it again.
pub async fn hand_over(id: PredictionId, trouble: &Trouble) {
    let (seconds, why): (_, JsValue) = match trouble {
        Trouble::Refused(problem) => (problem.retry_after.unwrap_or(USUAL_PAUSE), problem.status.into()),
        Trouble::Unexpected { status } => (USUAL_PAUSE, (*status).into()),
        Trouble::Unreachable => (0, "unreachable".into()),
    };
    say("handOver", &[&name(id), &(seconds as f64).into(), &why]).await;
}

/// What was sent of the photo went with the visitor's cookie: it stays in the queue under another id, and is sent when there
/// is a cookie again. Whether it is kept.
pub async fn renew(id: PredictionId) -> bool {
    say("renew", &[&name(id)]).await
}

/// Whether something about this photo waits. What is said next waits behind it.
pub async fn waits(id: PredictionId) -> bool {
    say("waits", &[&name(id)]).await
}

/// Keeps what the visitor says about a photo, until it can be sent. Whether it is kept.
pub async fn judge(id: PredictionId, judgement: &Judgement) -> bool {
    let (method, part, body) = judgement.request();
    let words = judgement.words();
    say("say", &[&name(id), &method.into(), &part.into(), &body.into(), &words.into()]).await
}

/// Keeps the wish that a photo be erased, until it can be sent. Whether it is kept.
pub async fn erase(id: PredictionId) -> bool {
    let (method, nothing, words) = ("DELETE".into(), "".into(), "Erase a photo".into());
    say("say", &[&name(id), &method, &nothing, &nothing, &words]).await
}

fn name(id: PredictionId) -> JsValue {
    id.to_string().into()
}

async fn say(what: &str, about: &[&JsValue]) -> bool {
    ask(INTERFACE, what, about).await.is_some_and(|answer| answer.is_truthy())
}
