//! Where Label Studio is and how to come in.

use url::Url;

use crate::{ApiToken, Patience};

/// Everything [`LabelStudio::new`](crate::LabelStudio::new) needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its address, with the path it lives under, if any.
    pub url: Url,
    /// What opens it.
    pub token: ApiToken,
    /// How long to wait, and how often to try.
    pub patience: Patience,
    /// How many tasks one request brings or fetches: many are fewer requests, few are lighter ones. 1 to 1,000.
    pub tasks_per_request: usize,
}

impl Settings {
    /// The usual patience.
    pub fn new(url: Url, token: ApiToken) -> Self {
        Self { url, token, patience: Patience::default(), tasks_per_request: 200 }
    }
}
