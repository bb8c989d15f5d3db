//! One request to Label Studio, before it is sent.

use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

/// Whether a request may be sent again when nobody knows what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It makes no difference whether it is done once or twice.
    Harmless,
    /// It would be done twice: it is sent again only if it certainly was not taken.
    Doubles,
}

/// A request. It may have secrets in its body, so it is never shown.
pub(crate) struct Call {
    /// What it is for, as it continues "to …".
    pub(crate) what: &'static str,
    pub(crate) method: Method,
    /// Below Label Studio's address, without a slash in front.
    path: String,
    query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) repeat: Repeat,
    /// Secrets in its body, to be taken out of what Label Studio says about it.
    pub(crate) secrets: Vec<SecretString>,
}

impl Call {
    fn new(what: &'static str, method: Method, repeat: Repeat, path: impl Into<String>) -> Self {
        Self { what, method, path: path.into(), query: Vec::new(), body: None, repeat, secrets: Vec::new() }
    }

    /// Reads.
    pub(crate) fn get(what: &'static str, path: impl Into<String>) -> Self {
        Self::new(what, Method::GET, Repeat::Harmless, path)
    }

    /// Makes something new, or starts something.
    pub(crate) fn post(what: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(what, Method::POST, Repeat::Doubles, path) }
    }

    /// Makes something be as the body says.
    pub(crate) fn patch(what: &'static str, path: impl Into<String>, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(what, Method::PATCH, Repeat::Harmless, path) }
    }

    /// Removes.
    pub(crate) fn delete(what: &'static str, path: impl Into<String>) -> Self {
        Self::new(what, Method::DELETE, Repeat::Harmless, path)
    }

    /// Adds to its address.
    #[must_use]
    pub(crate) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Declares a POST that does no harm when it is done twice.
    #[must_use]
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Harmless;
        self
    }

    /// Names a secret in the body.
    #[must_use]
    pub(crate) fn secret(mut self, secret: &SecretString) -> Self {
        self.secrets.push(secret.clone());
        self
    }

    /// Where it goes, for a Label Studio at `base`.
    pub(crate) fn url(&self, base: &Url) -> Url {
        let mut url = base.clone();
        url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), self.path));
        url.set_query(None);
        url.set_fragment(None);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_studio_may_live_under_a_path() {
        for base in ["https://labels.example/studio", "https://labels.example/studio/?from=bookmark#top"] {
            let call = Call::get("list tasks", "api/tasks").query("query", "{\"a\": 1}");
            let url = call.url(&base.parse().unwrap());
            assert_eq!(url.as_str(), "https://labels.example/studio/api/tasks?query=%7B%22a%22%3A+1%7D");
        }
        let url = Call::get("look", "health").url(&"http://127.0.0.1:8080".parse().unwrap());
        assert_eq!(url.as_str(), "http://127.0.0.1:8080/health");
    }
}
