//! The API's client in the browser: one typed function a call, one transport below them.
//!
//! `XMLHttpRequest` carries them all, because it is the only interface that reports an upload's progress. Calls go to
//! the page's own origin; the visitor is known by a cookie that scripts cannot read. A call whose future is dropped is
//! aborted.

use gourmetgram_api::{
    CorrectionRequest, Cursor, DeviceAnswer, Facets, FlagReason, FlagRequest, FlagsAnswer, FlagsRequest,
    GivenAnnotation, LiveModel, Neighbours, NewAnnotation, NewPrediction, Prediction, PredictionId, PredictionPage,
    PredictionQuery, Problem, ReviewDesk, ReviewTasks, Seen, StoredObjects,
};
use js_sys::Promise;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FormData, ProgressEvent, XmlHttpRequest};

use crate::{
    forms::PHOTO_FIELD,
    home::{Home, PHOTOS_PER_PAGE},
    trouble::Trouble,
};

const PREDICTIONS: &str = "/api/v1/predictions";
const REVIEW: &str = "/api/v1/review";
const ANNOTATIONS: &str = "/api/v1/annotations";

/// Sends a photo and answers with what is recorded of it.
///
/// `id` is also the idempotency key: sent again after a broken connection, the same photo stays one prediction.
/// `device` is what the visitor's own device said, `scaled_from` how large the photo was before it was made smaller.
/// `on_progress` is called with the share of bytes sent, from 0 to 1.
///
/// # Errors
/// Every [`Trouble`]; see there which are worth another try.
pub async fn predict(
    id: PredictionId,
    photo: &File,
    device: Option<&DeviceAnswer>,
    scaled_from: Option<&str>,
    on_progress: impl Fn(f64) + 'static,
) -> Result<Prediction, Trouble> {
    let form = upload_form(id, photo, device, scaled_from).map_err(|_| Trouble::Unreachable)?;
    let key = id.to_string();
    let headers = [("Idempotency-Key", key.as_str())];
    let call = Call { method: "POST", path: PREDICTIONS, headers: &headers, body: Body::Form(form) };
    let answer = call.send(Some(Box::new(on_progress))).await?;
    let recorded: NewPrediction = answer.json()?;
    let found = prediction(recorded.id).await;
    if found.as_ref().is_err_and(Trouble::needs_reload) {
        // The cookie went while the page was open, so the photo is nobody's: better gone than never to be erased.
        let bearer = format!("Bearer {}", recorded.feedback_token);
        let (path, headers) = (format!("{PREDICTIONS}/{id}"), [("Authorization", bearer.as_str())]);
        Call { method: "DELETE", path: &path, headers: &headers, body: Body::Empty }.send(None).await?;
    }
    found
}

/// One prediction with all that became of it.
///
/// # Errors
/// Every [`Trouble`]; `not-found` also for another visitor's photo.
pub async fn prediction(id: PredictionId) -> Result<Prediction, Trouble> {
    get(&format!("{PREDICTIONS}/{id}")).await
}

/// A page of the visitor's own predictions, newest first; `after` is the `next_cursor` of the page before.
///
/// # Errors
/// Every [`Trouble`].
pub async fn predictions(after: Option<Cursor>) -> Result<PredictionPage, Trouble> {
    let limit = Some(PHOTOS_PER_PAGE);
    search(&PredictionQuery { mine: Some(true), limit, cursor: after, ..PredictionQuery::default() }).await
}

/// A page of predictions by filter.
///
/// # Errors
/// Every [`Trouble`].
pub async fn search(query: &PredictionQuery) -> Result<PredictionPage, Trouble> {
    get(&format!("{PREDICTIONS}?{}", written(query))).await
}

/// What filters can be given.
///
/// # Errors
/// Every [`Trouble`].
pub async fn facets() -> Result<Facets, Trouble> {
    get(&format!("{PREDICTIONS}/facets")).await
}

/// What the object store has of a photo.
///
/// # Errors
/// Every [`Trouble`].
pub async fn objects(id: PredictionId) -> Result<StoredObjects, Trouble> {
    get(&format!("{PREDICTIONS}/{id}/objects")).await
}

/// What stands beside a photo in a list.
///
/// # Errors
/// Every [`Trouble`].
pub async fn neighbours(id: PredictionId, query: &PredictionQuery) -> Result<Neighbours, Trouble> {
    get(&format!("{PREDICTIONS}/{id}/neighbours?{}", written(query))).await
}

/// Flags many photos, or takes many flags back.
///
/// # Errors
/// Every [`Trouble`]; it may be sent again.
pub async fn set_flags(request: &FlagsRequest) -> Result<FlagsAnswer, Trouble> {
    post(&format!("{PREDICTIONS}/flags"), request).await?.json()
}

/// How far the campaigns are, and what of `campaign` the annotator holds.
///
/// # Errors
/// Every [`Trouble`].
pub async fn review_desk(campaign: Uuid) -> Result<ReviewDesk, Trouble> {
    get(&format!("{REVIEW}/next?campaign={campaign}")).await
}

/// What `/review` shows, where the browser comes to it without loading a document.
///
/// # Errors
/// Every [`Trouble`].
pub async fn review(campaign: Option<Uuid>) -> Result<ReviewDesk, Trouble> {
    let desk: ReviewDesk = get(&format!("{REVIEW}/next")).await?;
    match crate::review::choose(&desk.campaigns, campaign) {
        crate::review::Chosen::Campaign(chosen) => {
            Ok(ReviewDesk { tasks: next_tasks(chosen.id, 1).await?.tasks, ..desk })
        }
        _ => Ok(ReviewDesk { tasks: Vec::new(), ..desk }),
    }
}

/// The photos that the annotator holds, up to `count` with new ones.
///
/// # Errors
/// Every [`Trouble`].
pub async fn next_tasks(campaign: Uuid, count: u16) -> Result<ReviewTasks, Trouble> {
    let path = format!("{REVIEW}/next?campaign={campaign}&count={count}");
    Call { method: "POST", path: &path, headers: &[], body: Body::Empty }.send(None).await?.json()
}

/// Says what the photo of a task shows.
///
/// # Errors
/// Every [`Trouble`]; it may be sent again.
pub async fn annotate(task: Uuid, seen: &Seen, took_ms: u32) -> Result<GivenAnnotation, Trouble> {
    post(ANNOTATIONS, &NewAnnotation { task, seen: seen.clone(), took_ms: Some(took_ms) }).await?.json()
}

/// Takes an annotation back.
///
/// # Errors
/// Every [`Trouble`]; it may be sent again.
pub async fn take_back(annotation: Uuid) -> Result<(), Trouble> {
    delete(&format!("{ANNOTATIONS}/{annotation}")).await
}

/// Passes a task over.
///
/// # Errors
/// Every [`Trouble`]; it may be sent again.
pub async fn skip(task: Uuid) -> Result<(), Trouble> {
    let path = format!("{REVIEW}/tasks/{task}/skip");
    Call { method: "POST", path: &path, headers: &[], body: Body::Empty }.send(None).await?;
    Ok(())
}

/// Takes passing over back.
///
/// # Errors
/// Every [`Trouble`]; it may be sent again.
pub async fn unskip(task: Uuid) -> Result<(), Trouble> {
    delete(&format!("{REVIEW}/tasks/{task}/skip")).await
}

fn written(query: &PredictionQuery) -> String {
    // Words and numbers only: they can always be written.
    serde_urlencoded::to_string(query).unwrap_or_default()
}

/// The model that answers now.
///
/// # Errors
/// Every [`Trouble`].
pub async fn live_model() -> Result<LiveModel, Trouble> {
    get("/api/v1/models/live").await
}

/// What `/` shows, where the browser comes to it from another page without loading a document.
///
/// # Errors
/// Every [`Trouble`], except that a photo that cannot be seen is [`Home::shown`] = `None`.
pub async fn home(shown: Option<PredictionId>) -> Result<Home, Trouble> {
    let model = live_model().await?;
    let mine = predictions(None).await?;
    let shown = match shown {
        None => None,
        Some(id) => match prediction(id).await {
            Ok(prediction) => Some(prediction),
            Err(Trouble::Refused(_)) => None,
            Err(trouble) => return Err(trouble),
        },
    };
    Ok(Home { model, shown, mine })
}

/// Flags a prediction, or changes the reason of its flag.
///
/// # Errors
/// Every [`Trouble`].
pub async fn flag(id: PredictionId, reason: FlagReason) -> Result<(), Trouble> {
    put(&format!("{PREDICTIONS}/{id}/flag"), &FlagRequest { reason }).await
}

/// Takes the flag back.
///
/// # Errors
/// Every [`Trouble`].
pub async fn unflag(id: PredictionId) -> Result<(), Trouble> {
    delete(&format!("{PREDICTIONS}/{id}/flag")).await
}

/// Relabels a prediction with one of the model's classes.
///
/// # Errors
/// Every [`Trouble`].
pub async fn correct(id: PredictionId, label: String) -> Result<(), Trouble> {
    put(&format!("{PREDICTIONS}/{id}/correction"), &CorrectionRequest { label }).await
}

/// Takes the correction back.
///
/// # Errors
/// Every [`Trouble`].
pub async fn uncorrect(id: PredictionId) -> Result<(), Trouble> {
    delete(&format!("{PREDICTIONS}/{id}/correction")).await
}

/// Says what the visitor's own device took the photo for, where that was not known when it was sent. What was said first
/// stands.
///
/// # Errors
/// Every [`Trouble`].
pub async fn note_device(id: PredictionId, answer: &DeviceAnswer) -> Result<(), Trouble> {
    put(&format!("{PREDICTIONS}/{id}/device"), answer).await
}

/// Erases the photo everywhere. It cannot be taken back.
///
/// # Errors
/// Every [`Trouble`].
pub async fn erase(id: PredictionId) -> Result<(), Trouble> {
    delete(&format!("{PREDICTIONS}/{id}")).await
}

async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Trouble> {
    Call { method: "GET", path, headers: &[], body: Body::Empty }.send(None).await?.json()
}

async fn post(path: &str, body: &impl Serialize) -> Result<Answer, Trouble> {
    let body = serde_json::to_string(body).map_err(|_| Trouble::Unreachable)?;
    let headers = [("Content-Type", "application/json")];
    Call { method: "POST", path, headers: &headers, body: Body::Json(body) }.send(None).await
}

async fn put(path: &str, body: &impl Serialize) -> Result<(), Trouble> {
    let body = serde_json::to_string(body).map_err(|_| Trouble::Unreachable)?;
    let headers = [("Content-Type", "application/json")];
    Call { method: "PUT", path, headers: &headers, body: Body::Json(body) }.send(None).await?;
    Ok(())
}

async fn delete(path: &str) -> Result<(), Trouble> {
    Call { method: "DELETE", path, headers: &[], body: Body::Empty }.send(None).await?;
    Ok(())
}

/// The id goes before the file, so that the server can recognise a photo sent again before it reads it.
fn upload_form(
    id: PredictionId,
    photo: &File,
    device: Option<&DeviceAnswer>,
    scaled_from: Option<&str>,
) -> Result<FormData, JsValue> {
    let form = FormData::new()?;
    form.append_with_str("id", &id.to_string())?;
    if let Some(device) = device.and_then(|device| serde_json::to_string(device).ok()) {
        form.append_with_str("device", &device)?;
    }
    if let Some(size) = scaled_from {
        form.append_with_str("scaled_from", size)?;
    }
    form.append_with_blob_and_filename(PHOTO_FIELD, photo, &photo.name())?;
    Ok(form)
}

/// Told the share of bytes sent.
type OnProgress = Box<dyn Fn(f64)>;

struct Call<'a> {
    method: &'static str,
    path: &'a str,
    headers: &'a [(&'static str, &'a str)],
    body: Body,
}

enum Body {
    Empty,
    Json(String),
    Form(FormData),
}

/// A successful answer.
struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    fn json<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_str(&self.body).map_err(|_| Trouble::Unexpected { status: self.status })
    }
}

impl Call<'_> {
    async fn send(self, on_progress: Option<OnProgress>) -> Result<Answer, Trouble> {
        // Nothing before the answer can fail but for reasons a visitor sees as "it could not be sent".
        let request = self.open(on_progress).map_err(|_| Trouble::Unreachable)?;
        request.ended().await;
        request.answer()
    }

    fn open(self, on_progress: Option<OnProgress>) -> Result<InFlight, JsValue> {
        let request = XmlHttpRequest::new()?;
        request.open(self.method, self.path)?;
        request.set_request_header("Accept", "application/json")?;
        for (name, value) in self.headers {
            request.set_request_header(name, value)?;
        }

        let mut end = None;
        let ended = Promise::new(&mut |resolve, _| end = Some(resolve));
        request.set_onloadend(end.as_ref());

        let progress = on_progress.map(|on_progress| {
            Closure::<dyn Fn(ProgressEvent)>::new(move |event: ProgressEvent| {
                if event.length_computable() && event.total() > 0.0 {
                    on_progress(event.loaded() / event.total());
                }
            })
        });
        if let Some(progress) = &progress {
            request.upload()?.set_onprogress(Some(progress.as_ref().unchecked_ref()));
        }

        match self.body {
            Body::Empty => request.send()?,
            Body::Json(text) => request.send_with_opt_str(Some(&text))?,
            Body::Form(form) => request.send_with_opt_form_data(Some(&form))?,
        }
        Ok(InFlight { request, ended, _progress: progress })
    }
}

/// A request under way; dropped, it is aborted and its callbacks are taken off before they are freed.
struct InFlight {
    request: XmlHttpRequest,
    ended: Promise,
    _progress: Option<Closure<dyn Fn(ProgressEvent)>>,
}

impl InFlight {
    async fn ended(&self) {
        // The promise has no way to fail: "loadend" comes after success, error and abort alike.
        let _ = JsFuture::from(self.ended.clone()).await;
    }

    fn answer(&self) -> Result<Answer, Trouble> {
        let status = self.request.status().unwrap_or(0);
        let body = self.request.response_text().ok().flatten().unwrap_or_default();
        match status {
            0 => Err(Trouble::Unreachable),
            200..=299 => Ok(Answer { status, body }),
            _ => Err(serde_json::from_str::<Problem>(&body).map_or(Trouble::Unexpected { status }, |problem| {
                Trouble::Refused(Problem { retry_after: problem.retry_after.or_else(|| self.retry_after()), ..problem })
            })),
        }
    }

    fn retry_after(&self) -> Option<u64> {
        self.request.get_response_header("Retry-After").ok().flatten()?.trim().parse().ok()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.request.set_onloadend(None);
        if let Ok(upload) = self.request.upload() {
            upload.set_onprogress(None);
        }
        // Does nothing to a request that has ended.
        let _ = self.request.abort();
    }
}
