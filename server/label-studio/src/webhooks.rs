//! Webhooks: Label Studio tells us that somebody labelled. It tells once, without a signature, and does not try again. So
//! what it says is a hint that it is worth while to collect now, and never the truth.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::{LabelStudio, LabelStudioError, ProjectId, WebhookId, call::Call};

/// What we want to hear of.
const ACTIONS: [&str; 4] = ["ANNOTATION_CREATED", "ANNOTATIONS_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"];

/// Where Label Studio is to tell.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Where to; we find it again by it. Label Studio wants a host with a dot in it, an address, or `localhost`.
    pub url: Url,
    /// A header that goes with it: letters, digits, `-` and `_`.
    pub header: String,
    /// What stands in the header, so that not everybody can make us collect.
    pub secret: SecretString,
}

/// What a webhook said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookHint {
    /// What happened, for example `ANNOTATION_CREATED`.
    pub action: String,
    /// In which project, where it says so.
    pub project: Option<ProjectId>,
}

impl WebhookHint {
    /// Reads the body of a webhook. `None`: it is none of Label Studio's.
    pub fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            action: String,
            #[serde(default)]
            project: Value,
        }
        let Body { action, project } = serde_json::from_slice(body).ok()?;
        let project = project.as_i64().or_else(|| project["id"].as_i64()).map(ProjectId);
        Some(Self { action, project })
    }
}

#[derive(Deserialize)]
struct Known {
    id: WebhookId,
    url: String,
    headers: BTreeMap<String, SecretString>,
    is_active: bool,
    send_payload: bool,
    send_for_all_actions: bool,
    actions: Vec<String>,
}

impl Known {
    fn is_as(&self, wanted: &NewWebhook) -> bool {
        let secret = self.headers.get(&wanted.header).map(|secret| secret.expose_secret());
        secret == Some(wanted.secret.expose_secret())
            && self.headers.len() == 1
            && self.is_active
            && !self.send_payload
            && !self.send_for_all_actions
            && ACTIONS.iter().all(|&action| self.actions.iter().any(|known| known == action))
    }
}

impl NewWebhook {
    fn order(&self, project: ProjectId) -> Value {
        json!({
            "project": project,
            "url": self.url,
            // We look for ourselves.
            "send_payload": false,
            "send_for_all_actions": false,
            "actions": ACTIONS,
            "headers": { self.header.clone(): self.secret.expose_secret() },
            "is_active": true,
        })
    }
}

impl LabelStudio {
    /// Sees to it that a project has the webhook, once, with the present secret.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call. Label Studio refuses addresses in private networks unless it runs with
    /// `SSRF_PROTECTION_ENABLED=false`.
    pub async fn ensure_webhook(&self, project: ProjectId, wanted: &NewWebhook) -> Result<WebhookId, LabelStudioError> {
        #[derive(Deserialize)]
        struct Made {
            id: WebhookId,
        }
        let mut attempt = 1;
        loop {
            let call = Call::get("list the webhooks of a project", "api/webhooks/").query("project", project);
            let known: Vec<Known> = self.ask(call).await?;
            let there = known.into_iter().filter(|webhook| webhook.url == wanted.url.as_str());
            let call = match there.min_by_key(|webhook| webhook.id) {
                Some(webhook) if webhook.is_as(wanted) => return Ok(webhook.id),
                Some(Known { id, .. }) => {
                    Call::patch("change a webhook", format!("api/webhooks/{id}/"), wanted.order(project))
                }
                None => Call::post("make a webhook", "api/webhooks/", wanted.order(project)),
            };
            match self.ask::<Made>(call.secret(&wanted.secret)).await {
                Ok(made) => return Ok(made.id),
                // It may have been made all the same: look again.
                Err(error) if error.is_retryable() && attempt < self.attempts() => {
                    self.rest(attempt).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_read_as_a_hint_whatever_it_carries() {
        let read = |body: &str| WebhookHint::read(body.as_bytes());
        let hint = |project: Option<i64>| {
            Some(WebhookHint { action: "ANNOTATION_CREATED".to_owned(), project: project.map(ProjectId) })
        };
        assert_eq!(read(r#"{"action":"ANNOTATION_CREATED"}"#), hint(None));
        assert_eq!(read(r#"{"action":"ANNOTATION_CREATED","project":{"id":4,"title":"x"},"task":{}}"#), hint(Some(4)));
        assert_eq!(read(r#"{"action":"ANNOTATION_CREATED","project":4}"#), hint(Some(4)));
        for strange in ["", "null", "[]", r#"{"action":7}"#, "<html>"] {
            assert_eq!(read(strange), None, "{strange}");
        }
    }
}
