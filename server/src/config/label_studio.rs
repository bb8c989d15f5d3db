//! `[label_studio]`: where people label, if not on our own pages.

use anyhow::Context;
use gourmetgram_label_studio::ApiToken;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use super::masked;

/// `[label_studio]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelStudio {
    /// Its address; not set: campaigns are labelled on our own pages only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Url>,
    /// A personal access token, or a legacy token where Label Studio still takes them.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "masked")]
    pub token: Option<SecretString>,
    /// This service as Label Studio reaches it, for its webhooks; not set: `server.public_url`, or where we listen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<Url>,
    /// The object store as Label Studio reaches it; not set: as we reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_endpoint: Option<Url>,
    /// A key that may only read, which Label Studio is given; not set: the embedded S3 server's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s3_access_key_id: Option<String>,
    /// Its secret.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "masked")]
    pub s3_secret_access_key: Option<SecretString>,
}

impl LabelStudio {
    /// What our client needs; nothing where there is no Label Studio.
    ///
    /// # Errors
    /// An address without a token or the other way round, and a token that cannot be one.
    pub fn client_settings(&self) -> anyhow::Result<Option<gourmetgram_label_studio::Settings>> {
        let (url, token) = match (&self.url, &self.token) {
            (None, None) => return Ok(None),
            (Some(url), Some(token)) => (url, token),
            _ => anyhow::bail!("label_studio.url and label_studio.token go together: set both or neither"),
        };
        let token = ApiToken::new(token).context("label_studio.token cannot be used")?;
        Ok(Some(gourmetgram_label_studio::Settings::new(url.clone(), token)))
    }

    /// Refuses what cannot work. `has_own_store`: whether photos are kept by the embedded S3 server.
    pub(super) fn check(&self, has_own_store: bool) -> anyhow::Result<()> {
        for (name, url) in [("url", &self.url), ("webhook_url", &self.webhook_url), ("s3_endpoint", &self.s3_endpoint)]
        {
            let Some(url) = url else { continue };
            anyhow::ensure!(
                matches!(url.scheme(), "http" | "https") && url.has_host(),
                "label_studio.{name} is {:?}: it must start with http:// or https://",
                url.as_str()
            );
            anyhow::ensure!(
                url.username().is_empty() && url.password().is_none(),
                "label_studio.{name} must not contain a user or a password"
            );
        }
        anyhow::ensure!(
            self.s3_access_key_id.is_some() == self.s3_secret_access_key.is_some(),
            "label_studio.s3_access_key_id and label_studio.s3_secret_access_key go together: set both or neither"
        );
        let has_key = self.client_settings()?.is_none() || has_own_store || self.s3_access_key_id.is_some();
        anyhow::ensure!(
            has_key,
            "label_studio.s3_access_key_id is not set: Label Studio fetches photos from the object store itself, with a \
             key that may only read; make one there (our own key may write, so it is not handed on)"
        );
        Ok(())
    }
}
