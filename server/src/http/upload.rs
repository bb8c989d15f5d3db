//! Reads an uploaded photo: a multipart body with limits on its parts, its bytes, and the bytes of all uploads together.

use std::sync::Arc;

use axum::extract::{FromRequest, Multipart, Request, multipart::Field, multipart::MultipartError};
use bytes::{Bytes, BytesMut};
use gourmetgram_api::{DeviceAnswer, PixelSize, PredictionId, ProblemKind};
use gourmetgram_app::posted::MOST_PHOTOS;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Refusal, progress::TooSlow, simulation::Claims};
use crate::app::App;

/// The largest part that is a text.
const MAX_TEXT_BYTES: usize = 4096;
/// How much of a photo that is too large is read and thrown away, as a multiple of the limit, before we answer: a
/// browser that is still sending would show a broken connection instead of our answer.
const DRAIN_FACTOR: u64 = 4;

/// The largest body of an upload: what is read at most, thrown away included.
pub fn largest_body(max_photo_bytes: u64) -> usize {
    let read_at_most = max_photo_bytes.saturating_mul(DRAIN_FACTOR).saturating_add(64 * 1024);
    usize::try_from(read_at_most).unwrap_or(usize::MAX)
}

/// The largest body of a form with several photos.
pub fn largest_form(max_photo_bytes: u64) -> usize {
    let others = max_photo_bytes.saturating_mul(MOST_PHOTOS as u64 - 1);
    largest_body(max_photo_bytes).saturating_add(usize::try_from(others).unwrap_or(usize::MAX))
}

/// Bounds the bytes of photos held in memory at once.
#[derive(Clone, Debug)]
pub struct UploadBudget {
    kibibytes: Arc<Semaphore>,
}

impl UploadBudget {
    /// A budget of so many bytes.
    pub fn new(bytes: u64) -> Self {
        let kibibytes = usize::try_from(bytes / 1024).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Self { kibibytes: Arc::new(Semaphore::new(kibibytes)) }
    }

    /// Takes so many bytes of the budget, or says when to come back.
    pub fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        let kibibytes = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        Arc::clone(&self.kibibytes)
            .try_acquire_many_owned(kibibytes)
            .map_err(|_| Refusal::try_again("too many photos are being sent just now; try again in a moment", 2))
    }
}

/// An uploaded photo with what came along.
#[derive(Debug)]
pub struct Upload {
    /// The file.
    pub image: Bytes,
    /// The id the client made.
    pub id: Option<PredictionId>,
    /// What the client's own classifier said.
    pub device: Option<DeviceAnswer>,
    /// How large the photo was before the client made it smaller.
    pub scaled_from: Option<PixelSize>,
    /// What it claims about its time and source, unchecked.
    pub claims: Claims,
    /// Held for as long as the photo is in memory.
    _budget: Option<OwnedSemaphorePermit>,
}

impl FromRequest<App> for Upload {
    type Rejection = Refusal;

    async fn from_request(request: Request, app: &App) -> Result<Self, Refusal> {
        Self::read(multipart(request, app).await?, app).await
    }
}

impl Upload {
    async fn read(mut form: Multipart, app: &App) -> Result<Self, Refusal> {
        let (mut image, mut id, mut device, mut scaled_from, mut budget) = (None, None, None, None, None);
        let mut claims = Claims::default();
        while let Some(field) = form.next_field().await.map_err(malformed)? {
            let name = field.name().unwrap_or_default().to_owned();
            match name.as_str() {
                "image" if image.is_none() => {
                    let (bytes, permit) = read_image(field, app).await?;
                    image = Some(bytes);
                    budget = permit;
                }
                "id" if id.is_none() => id = Some(read_id(field).await?),
                "device" if device.is_none() => device = Some(read_device(field).await?),
                "scaled_from" if scaled_from.is_none() => scaled_from = Some(read_size(field).await?),
                "created_at" if claims.created_at.is_none() => {
                    claims.created_at = Some(read_text(field, "created_at").await?);
                }
                "source" if claims.source.is_none() => claims.source = Some(read_text(field, "source").await?),
                "image" | "id" | "device" | "scaled_from" | "created_at" | "source" => {
                    return Err(Refusal::new(
                        ProblemKind::BadRequest,
                        format!("the part `{name}` is there twice; send one"),
                    ));
                }
                _ => {
                    return Err(Refusal::new(
                        ProblemKind::BadRequest,
                        format!(
                            "unknown part {name:?}: send `image`, and if you like `id`, `device` and `scaled_from`"
                        ),
                    ));
                }
            }
        }
        let image: Bytes = image.ok_or_else(no_image)?;
        if image.is_empty() {
            return Err(empty_image());
        }
        Ok(Self { image, id, device, scaled_from, claims, _budget: budget })
    }
}

/// A form's photos, one after the other: each is in memory only until the next is asked for.
#[derive(Debug)]
pub struct PostedPhotos {
    form: Multipart,
    given: usize,
}

impl PostedPhotos {
    /// The photos of a `multipart/form-data` body.
    pub async fn of(request: Request, app: &App) -> Result<Self, Refusal> {
        Ok(Self { form: multipart(request, app).await?, given: 0 })
    }

    /// The next photo, or why that one is not taken. `None` at the end.
    ///
    /// The outer error ends the form: nothing after it can be read.
    pub async fn next(&mut self, app: &App) -> Result<Option<Result<Upload, Refusal>>, Refusal> {
        let Some(field) = self.form.next_field().await.map_err(malformed)? else {
            if self.given == 0 {
                return Err(no_image());
            }
            return Ok(None);
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name != "image" {
            return Err(Refusal::new(
                ProblemKind::BadRequest,
                format!("unknown part {name:?}: send each photo as a part `image`"),
            ));
        }
        self.given += 1;
        if self.given > MOST_PHOTOS {
            return Err(Refusal::new(
                ProblemKind::TooLarge,
                format!("a form may send {MOST_PHOTOS} photos at once: choose fewer"),
            ));
        }
        let photo = read_image(field, app).await.and_then(|(image, budget)| {
            if image.is_empty() {
                return Err(empty_image());
            }
            let claims = Claims::default();
            Ok(Upload { image, id: None, device: None, scaled_from: None, claims, _budget: budget })
        });
        Ok(Some(photo))
    }
}

async fn multipart(request: Request, app: &App) -> Result<Multipart, Refusal> {
    Multipart::from_request(request, app).await.map_err(|rejection| {
        Refusal::new(
            ProblemKind::UnsupportedMediaType,
            format!("send multipart/form-data with the photo as the part `image` ({})", rejection.body_text()),
        )
    })
}

fn no_image() -> Refusal {
    Refusal::new(ProblemKind::BadRequest, "the part `image` is missing: choose a photo and send it as `image`")
}

fn empty_image() -> Refusal {
    Refusal::new(ProblemKind::BadRequest, "the part `image` is empty: choose a photo")
}

async fn read_image(mut field: Field<'_>, app: &App) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
    let limit = app.settings().server.max_photo_bytes;
    let mut image = BytesMut::new();
    let mut budget: Option<OwnedSemaphorePermit> = None;
    let mut received: u64 = 0;
    while let Some(chunk) = field.chunk().await.map_err(malformed)? {
        received += chunk.len() as u64;
        if received > limit {
            image = BytesMut::new();
            budget = None;
            if received > limit.saturating_mul(DRAIN_FACTOR) {
                break;
            }
            continue;
        }
        let more = app.upload_budget().take(chunk.len())?;
        match &mut budget {
            Some(budget) => budget.merge(more),
            None => budget = Some(more),
        }
        image.extend_from_slice(&chunk);
    }
    if received > limit {
        return Err(Refusal::new(
            ProblemKind::TooLarge,
            format!("the photo has more than {limit} bytes, the most that is accepted: send a smaller one"),
        ));
    }
    Ok((image.freeze(), budget))
}

async fn read_id(field: Field<'_>) -> Result<PredictionId, Refusal> {
    let text = read_text(field, "id").await?;
    text.parse().map_err(|error| Refusal::new(ProblemKind::BadRequest, format!("the part `id`: {error}")))
}

async fn read_size(field: Field<'_>) -> Result<PixelSize, Refusal> {
    let text = read_text(field, "scaled_from").await?;
    text.parse().map_err(|error| Refusal::new(ProblemKind::BadRequest, format!("the part `scaled_from`: {error}")))
}

async fn read_device(field: Field<'_>) -> Result<DeviceAnswer, Refusal> {
    let text = read_text(field, "device").await?;
    let answer: DeviceAnswer = serde_json::from_str(&text).map_err(|error| {
        Refusal::new(
            ProblemKind::BadRequest,
            format!("the part `device` is not {{predicted_class, confidence, model_version}} as JSON: {error}"),
        )
    })?;
    check_device(&answer)?;
    Ok(answer)
}

/// Refuses a device's answer that says more than a class and a version have to say.
pub fn check_device(answer: &DeviceAnswer) -> Result<(), Refusal> {
    let longest = answer.predicted_class.len().max(answer.model_version.len());
    if longest > 200 {
        return Err(Refusal::new(ProblemKind::BadRequest, "`device` has a name of more than 200 bytes"));
    }
    Ok(())
}

async fn read_text(mut field: Field<'_>, name: &str) -> Result<String, Refusal> {
    let mut text = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(malformed)? {
        if text.len() + chunk.len() > MAX_TEXT_BYTES {
            return Err(Refusal::new(
                ProblemKind::BadRequest,
                format!("the part `{name}` has more than {MAX_TEXT_BYTES} bytes"),
            ));
        }
        text.extend_from_slice(&chunk);
    }
    String::from_utf8(text)
        .map_err(|_| Refusal::new(ProblemKind::BadRequest, format!("the part `{name}` is not UTF-8 text")))
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
fn malformed(error: MultipartError) -> Refusal {
    if TooSlow::caused(&error) {
        return TooSlow::refusal();
    }
    if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        return Refusal::new(ProblemKind::TooLarge, "the request is larger than any photo that is accepted");
    }
    Refusal::new(
        ProblemKind::BadRequest,
        format!("the multipart body is cut off or malformed ({}): send it again", error.body_text()),
    )
}
