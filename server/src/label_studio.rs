//! Label Studio as this server uses it: a project for each campaign, with the bucket it fetches photos from and the
//! webhook by which it hints that somebody labelled.

use anyhow::Context;
use gourmetgram_api::{Campaign, Classes};
use gourmetgram_label_studio::{
    LabelStudio, LabelStudioError, NewProject, NewWebhook, ProjectId, ProjectTitle, Purpose, Showing, SourceStorage,
};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use url::Url;
use uuid::Uuid;

use crate::{config::Settings, keys};

/// Where Label Studio hints, below our address.
pub const WEBHOOK_PATH: &str = "/api/v1/label-studio/webhook";
/// The header with the secret by which we know its hints.
pub const WEBHOOK_HEADER: &str = "X-GourmetGram-Webhook";

/// What is needed besides settings.
pub struct Surroundings<'a> {
    /// The object store as we reach it; absent: Amazon's own.
    pub store: Option<&'a Url>,
    /// Name of the bucket with the photos that wait for a label.
    pub bucket: &'a str,
    /// The key that signs what this service hands out.
    pub secret_key: &'a SecretString,
    /// Our own address, where it is known.
    pub own_address: Option<Url>,
    /// What can be answered.
    pub classes: &'a Classes,
}

/// A Label Studio that campaigns can be labelled in.
#[derive(Debug)]
pub struct Studio {
    client: LabelStudio,
    photos: SourceStorage,
    own_address: Option<Url>,
    webhook_secret: SecretString,
    classes: Classes,
}

/// A project that is ready for tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The project.
    pub project: ProjectId,
    /// Why there is no webhook, if there is none: labels are then collected by schedule only.
    pub without_hints: Option<String>,
}

impl Studio {
    /// The one that settings name; nothing where they name none. Nothing is sent yet.
    ///
    /// # Errors
    /// Settings that cannot work.
    pub fn open(settings: &Settings, around: &Surroundings<'_>) -> anyhow::Result<Option<Self>> {
        let own = &settings.label_studio;
        let Some(client) = own.client_settings()? else { return Ok(None) };
        let client = LabelStudio::new(client).context("label_studio cannot be used")?;
        let (key, secret) = match (&own.s3_access_key_id, &own.s3_secret_access_key) {
            (Some(key), Some(secret)) => (key.clone(), secret.clone()),
            _ => keys::s3_credentials(&settings.data_dir)?.read_only,
        };
        let photos = SourceStorage {
            title: format!("GourmetGram {}", around.bucket),
            endpoint: own.s3_endpoint.as_ref().or(around.store).cloned(),
            region: settings.s3.region.clone(),
            bucket: around.bucket.to_owned(),
            key,
            secret,
            purpose: Purpose::ServePhotos,
        };
        let own_address = own.webhook_url.clone().or_else(|| around.own_address.clone());
        let webhook_secret = webhook_secret(around.secret_key);
        Ok(Some(Self { client, photos, own_address, webhook_secret, classes: around.classes.clone() }))
    }

    /// Talks to it.
    pub fn client(&self) -> &LabelStudio {
        &self.client
    }

    /// What can be answered.
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// Whether a webhook that brings this is Label Studio's. Takes as long whatever is wrong with it.
    pub fn admits(&self, secret: &[u8]) -> bool {
        self.webhook_secret.expose_secret().as_bytes().ct_eq(secret).into()
    }

    /// The name by which Label Studio fetches a copy.
    pub fn photo(&self, object_key: &str) -> String {
        format!("s3://{}/{object_key}", self.photos.bucket)
    }

    /// Where people label a project.
    pub fn page_of(&self, project: ProjectId) -> String {
        format!("{}/projects/{project}/data", self.client.url().as_str().trim_end_matches('/'))
    }

    /// Sees to it that a campaign has its project, once, with the present answers.
    ///
    /// # Errors
    /// [`LabelStudioError`]; asking again goes on.
    pub async fn ensure_project(&self, campaign: &Campaign) -> Result<ProjectId, LabelStudioError> {
        let showing = if campaign.asked.blind { Showing::Blind } else { Showing::Shown };
        let wanted = NewProject {
            title: ProjectTitle::of(&campaign.asked.name),
            mark: format!("campaign {}", campaign.id),
            classes: self.classes.clone(),
            showing,
        };
        Ok(self.client.ensure_project(&wanted).await?.id)
    }

    /// Sees to it that a project can fetch its photos, and hints when somebody labels.
    ///
    /// # Errors
    /// [`LabelStudioError`]; asking again goes on. That it wants no webhook is no error.
    pub async fn furnish(&self, campaign: Uuid, project: ProjectId) -> Result<Ready, LabelStudioError> {
        self.client.ensure_storage(project, &self.photos).await?;
        let without = |why: String| Ok(Ready { project, without_hints: Some(why) });
        let Some(url) = self.webhook_of(campaign) else {
            return without(
                "our own address is not known: set label_studio.webhook_url or server.public_url".to_owned(),
            );
        };
        let webhook = NewWebhook { url, header: WEBHOOK_HEADER.to_owned(), secret: self.webhook_secret.clone() };
        match self.client.ensure_webhook(project, &webhook).await {
            Ok(_) => Ok(Ready { project, without_hints: None }),
            Err(error @ (LabelStudioError::Forbidden { .. } | LabelStudioError::Refused { .. })) => {
                without(error.to_string())
            }
            Err(error) => Err(error),
        }
    }

    fn webhook_of(&self, campaign: Uuid) -> Option<Url> {
        let mut url = self.own_address.clone()?;
        url.set_path(&format!("{}{WEBHOOK_PATH}", url.path().trim_end_matches('/')));
        url.set_query(Some(&format!("campaign={campaign}")));
        Some(url)
    }
}

/// The same on every server that has the same key.
fn webhook_secret(key: &SecretString) -> SecretString {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()).expect("any key length");
    mac.update(b"label-studio-webhook\0");
    hex::encode(mac.finalize().into_bytes()).into()
}
