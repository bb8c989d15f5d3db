//! Settings: defaults, then `gourmetgram.toml`, then the environment; later wins.
//!
//! Environment variables are `GOURMETGRAM__SECTION__KEY`; for S3 the standard `AWS_*` names work too. An unknown key
//! is an error, because a misspelt setting that is silently ignored is found out in production.
//! Every setting is described in `docs/operations.md`, which a test compares with the defaults here.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use gourmetgram_api::UploadLimits;
use gourmetgram_object_store::BucketNames;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

use crate::{
    catalog::SessionLimits,
    pipelines::{Retries, Schedule, UnusableSchedule},
};

pub use self::{address_ranges::AddressRanges, label_studio::LabelStudio};

mod address_ranges;
mod label_studio;

/// File read from the working directory when none is named.
pub const DEFAULT_FILE: &str = "gourmetgram.toml";

/// Everything that can be set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where this node keeps its state: catalog, spool, embedded S3, keys.
    pub data_dir: PathBuf,
    /// The HTTP server.
    pub server: Server,
    /// What one client, and all of them together, may ask of the server.
    pub limits: Limits,
    /// The server as a phone on the local network sees it: `serve --phone`.
    pub phone: Phone,
    /// The catalog (database).
    pub catalog: Catalog,
    /// The object store.
    pub s3: S3,
    /// The embedded S3 server, used when `s3.endpoint` is not set.
    pub embedded_s3: EmbeddedS3,
    /// Label Studio, where campaigns are labelled there.
    pub label_studio: LabelStudio,
    /// The spool: photos on their way to the object store.
    pub spool: Spool,
    /// The model that answers.
    pub model: Model,
    /// The inference pool.
    pub inference: Inference,
    /// Small pictures of photos.
    pub thumbnails: Thumbnails,
    /// Work that is done interval by interval.
    pub pipelines: Pipelines,
    /// What the bucket `records` is told.
    pub records: Records,
    /// How accurate the model is, and should be.
    pub evaluation: Evaluation,
    /// Who may do what, and for how long.
    pub auth: Auth,
    /// Metrics.
    pub metrics: Metrics,
    /// Logging.
    pub log: Log,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            server: Server::default(),
            limits: Limits::default(),
            phone: Phone::default(),
            catalog: Catalog::default(),
            s3: S3::default(),
            embedded_s3: EmbeddedS3::default(),
            label_studio: LabelStudio::default(),
            spool: Spool::default(),
            model: Model::default(),
            inference: Inference::default(),
            thumbnails: Thumbnails::default(),
            pipelines: Pipelines::default(),
            records: Records::default(),
            evaluation: Evaluation::default(),
            auth: Auth::default(),
            metrics: Metrics::default(),
            log: Log::default(),
        }
    }
}

/// `[server]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address people use, where it differs (behind a proxy): decides whether cookies are `Secure`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<Url>,
    /// Proxies in front of us: only what they say in `X-Forwarded-For` about a client's address is believed.
    pub trusted_proxies: AddressRanges,
    /// Longest time one request may take.
    pub request_timeout_seconds: u64,
    /// Longest time one request that brings a photo may take.
    pub upload_timeout_seconds: u64,
    /// How long running requests and uploads to S3 may go on once the server was told to stop.
    pub shutdown_grace_seconds: u64,
    /// Largest photo file.
    pub max_photo_bytes: u64,
    /// Most pixels of a photo, width times height.
    pub max_photo_pixels: u64,
    /// Bytes of photo files held in memory at once, across all requests.
    pub upload_budget_bytes: u64,
    /// Certificate and key, where the server speaks TLS itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// `[server.tls]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate with those that lead to its authority, PEM; read again when the file changes.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}

impl Default for Server {
    fn default() -> Self {
        let limits = UploadLimits::default();
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            trusted_proxies: AddressRanges::default(),
            request_timeout_seconds: 60,
            upload_timeout_seconds: 300,
            shutdown_grace_seconds: 10,
            max_photo_bytes: limits.max_bytes,
            max_photo_pixels: limits.max_pixels,
            upload_budget_bytes: 256_000_000,
            tls: None,
        }
    }
}

impl Server {
    /// The bounds on one photo.
    pub fn upload_limits(&self) -> UploadLimits {
        UploadLimits { max_bytes: self.max_photo_bytes, max_pixels: self.max_photo_pixels }
    }

    /// The address people use, where `listen` is what we listen on.
    pub fn address_for_people(&self, listen: SocketAddr) -> Url {
        let mut place = listen;
        if place.ip().is_unspecified() {
            // "All addresses" is nothing a browser can be sent to.
            place.set_ip(if place.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        match &self.public_url {
            Some(url) => url.clone(),
            #[expect(clippy::expect_used, reason = "an address and a port make a URL")]
            None => format!("{}://{place}", if self.tls.is_some() { "https" } else { "http" }).parse().expect("a URL"),
        }
    }

    /// Whether people reach us over TLS: our own, or a proxy's.
    pub fn is_https(&self) -> bool {
        self.tls.is_some() || self.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }
}

/// `[limits]`: for one client, which is an address (of IPv6 the network of 64 bits). 0 is no limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Photos a minute, classified or recorded; five minutes' worth may come at once, here and below.
    pub uploads_per_minute: u32,
    /// Other changes a minute: flags, corrections, erasures.
    pub feedback_per_minute: u32,
    /// Pages, files, photos and queries a minute.
    pub reads_per_minute: u32,
    /// Tries to sign in a minute.
    pub sign_ins_per_minute: u32,
    /// Connections of one client at once.
    pub connections_per_client: usize,
    /// Connections of all clients at once; more wait to be taken.
    pub connections: usize,
    /// Seconds in which the head of a request must be there, and in which an idle connection is closed.
    pub head_seconds: u64,
    /// Seconds in each of which windows a request's body must make progress, and an answer must be taken.
    pub progress_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            uploads_per_minute: 120,
            feedback_per_minute: 300,
            reads_per_minute: 1200,
            sign_ins_per_minute: 10,
            connections_per_client: 256,
            connections: 1024,
            head_seconds: 30,
            progress_seconds: 20,
        }
    }
}

/// `[phone]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Phone {
    /// Where `serve --phone` listens, with TLS.
    pub listen: SocketAddr,
    /// Where it hands out its certificate authority, without TLS.
    pub setup_listen: SocketAddr,
}

impl Default for Phone {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([0, 0, 0, 0], 8443)), setup_listen: SocketAddr::from(([0, 0, 0, 0], 8088)) }
    }
}

/// `[catalog]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Catalog {
    /// `sqlite:…` or `postgres://…`; SQLite in the data directory where it is not set.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "masked")]
    pub url: Option<SecretString>,
    /// Most connections to the database; 0 lets us choose.
    pub max_connections: u32,
}

/// `[s3]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3 {
    /// Address of an S3-compatible server, or `aws` for Amazon's own; not set: the embedded server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Region name sent with every request.
    pub region: String,
    /// Whether buckets are part of the path (most servers) or of the host name (Amazon).
    pub path_style: bool,
    /// Access key; the standard AWS chain (environment, profile, instance role) where it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Its secret.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "masked")]
    pub secret_access_key: Option<SecretString>,
    /// Names of the buckets.
    pub buckets: BucketNames,
}

impl Default for S3 {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: "us-east-1".to_owned(),
            path_style: true,
            access_key_id: None,
            secret_access_key: None,
            buckets: BucketNames::default(),
        }
    }
}

/// `[embedded_s3]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedS3 {
    /// Address and port it listens on; port 0 takes a free one.
    pub listen: SocketAddr,
}

impl Default for EmbeddedS3 {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 9000)) }
    }
}

/// `[spool]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spool {
    /// Whether `data_dir` outlives this node. Not set: yes with SQLite, no with PostgreSQL; without a persistent
    /// spool an upload is answered only once S3 has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent: Option<bool>,
    /// Bytes of the disk that uploads leave free, so that the catalog can always be written.
    pub keep_free_bytes: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self { persistent: None, keep_free_bytes: 64_000_000 }
    }
}

/// `[model]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// A model directory; the built-in model where it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
}

/// `[inference]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inference {
    /// Threads that decode and classify; 0: one a core.
    pub threads: usize,
    /// Photos that may wait for a thread; one more is answered 503.
    pub queue: usize,
    /// Bytes of decoded pixels held at once, across all requests.
    pub decoded_budget_bytes: u64,
}

impl Default for Inference {
    fn default() -> Self {
        Self { threads: 0, queue: 64, decoded_budget_bytes: 512_000_000 }
    }
}

/// `[thumbnails]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thumbnails {
    /// Bytes of small pictures kept on the disk; those not asked for the longest make room. 0 keeps none.
    pub max_bytes: u64,
}

impl Default for Thumbnails {
    fn default() -> Self {
        Self { max_bytes: 256_000_000 }
    }
}

/// `[pipelines]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pipelines {
    /// Whether this server works on pipelines. Where none does, runs wait.
    pub enabled: bool,
    /// Whether intervals that passed while no server was there are done later.
    pub catch_up: bool,
    /// Further tries of a run that failed.
    pub retries: u32,
    /// Before the first of them; doubled before each other.
    pub retry_after_seconds: u64,
    /// A server that works on a run, or brings photos to the object store, and is silent for so long is taken for dead:
    /// another takes that over.
    pub lease_seconds: u64,
    /// When labels are collected by themselves, as the five fields of cron; empty: only after select, by hint and by
    /// hand.
    pub collect: String,
    /// When flags and corrections are taken in that other tools have written to tags, as the five fields of cron; empty: only
    /// when the outbox visits a photo, and by hand.
    pub tags: String,
    /// Of the photos of so many days then.
    pub tags_days: u32,
}

impl Default for Pipelines {
    fn default() -> Self {
        Self {
            enabled: true,
            catch_up: true,
            retries: 1,
            retry_after_seconds: 300,
            lease_seconds: 60,
            collect: "*/30 * * * *".to_owned(),
            tags: "15 3 * * *".to_owned(),
            tags_days: 7,
        }
    }
}

impl Pipelines {
    /// How long a server may be silent before another takes over what it was at.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }

    /// How often a run is tried again.
    pub fn retries(&self) -> Retries {
        Retries { more: self.retries, wait: Duration::from_secs(self.retry_after_seconds) }
    }

    /// When labels are collected by themselves.
    ///
    /// # Errors
    /// A text that is no schedule.
    pub fn collect_schedule(&self) -> Result<Option<Schedule>, UnusableSchedule> {
        schedule_in(&self.collect)
    }

    /// When tags of other tools are taken in by themselves.
    ///
    /// # Errors
    /// A text that is no schedule.
    pub fn tags_schedule(&self) -> Result<Option<Schedule>, UnusableSchedule> {
        schedule_in(&self.tags)
    }
}

fn schedule_in(text: &str) -> Result<Option<Schedule>, UnusableSchedule> {
    match text.trim() {
        "" => Ok(None),
        schedule => schedule.parse().map(Some),
    }
}

/// `[evaluation]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Evaluation {
    /// Id or name of the campaign whose labels say how accurate the model is: blind, with a random sample of all photos. Not
    /// set: the oldest blind campaign of the rule `continuous` that still selects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// The accuracy to reach, between 0 and 1. Not set: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// So many days after its end a window counts as complete, whatever labels are still missing.
    pub provisional_days: u32,
    /// How often a result is published, in hours; 0: never.
    pub publish_every_hours: u32,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self { campaign: None, target: None, provisional_days: 3, publish_every_hours: 24 }
    }
}

/// `[records]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Records {
    /// How often changes are written to the bucket `records`: what a lost catalog can lose.
    pub every_seconds: u64,
}

impl Default for Records {
    fn default() -> Self {
        Self { every_seconds: 60 }
    }
}

/// `[auth]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// Signs feedback tokens: at least 32 characters, the same on every server. Not set: made at the first start and
    /// kept in `data_dir/secret.key`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "masked")]
    pub secret_key: Option<SecretString>,
    /// A session that is not used for so long ends.
    pub session_idle_seconds: u64,
    /// However busy it is, a session ends after so long.
    pub session_lifetime_seconds: u64,
}

impl Default for Auth {
    fn default() -> Self {
        Self { secret_key: None, session_idle_seconds: 24 * 60 * 60, session_lifetime_seconds: 7 * 24 * 60 * 60 }
    }
}

impl Auth {
    /// How long sessions live.
    pub fn session_limits(&self) -> SessionLimits {
        SessionLimits {
            idle: Duration::from_secs(self.session_idle_seconds),
            lifetime: Duration::from_secs(self.session_lifetime_seconds),
        }
    }
}

/// `[metrics]`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Whether `/metrics` is for operators and for tokens with the scope `metrics:read` only.
    pub require_token: bool,
}

/// `[log]`
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
    /// Which events are logged, in `tracing`'s filter language.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info,sea_orm_migration=warn".to_owned() }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What stands in the place of a secret wherever settings are printed.
const MASK: &str = "********";

fn masked<S: Serializer>(_: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(MASK)
}

impl Settings {
    /// Reads defaults, `file` (or `gourmetgram.toml` where it exists) and the process's environment.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self::from_sources(file, variables)
    }

    /// The same, with the environment given.
    fn from_sources(file: Option<&Path>, variables: Vec<(String, String)>) -> anyhow::Result<Self> {
        let source = match file {
            Some(path) => config::File::from(path).format(config::FileFormat::Toml).required(true),
            None => config::File::from(Path::new(DEFAULT_FILE)).format(config::FileFormat::Toml).required(false),
        };
        let aws = variables.iter().cloned().collect::<std::collections::HashMap<_, _>>();
        let environment = config::Environment::with_prefix("GOURMETGRAM")
            .prefix_separator("__")
            .separator("__")
            .ignore_empty(true)
            .source(Some(variables.into_iter().collect()));
        let mut settings: Self = config::Config::builder()
            .add_source(source)
            .add_source(environment)
            .build()
            .and_then(config::Config::try_deserialize)
            .context("cannot read the settings (docs/operations.md lists every key)")?;
        settings.take_standard_s3_names(|name| aws.get(name).filter(|value| !value.is_empty()).cloned());
        settings.check()?;
        Ok(settings)
    }

    /// Fills in what only the standard `AWS_*` variables say. Keys are left to the AWS chain, which reads its own.
    fn take_standard_s3_names(&mut self, variable: impl Fn(&str) -> Option<String>) {
        if self.s3.endpoint.is_none() {
            self.s3.endpoint = variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL"));
        }
        let region_was_set = self.s3.region != S3::default().region;
        if !region_was_set && let Some(region) = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")) {
            self.s3.region = region;
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        if let Some(endpoint) = self.s3.endpoint.as_deref().filter(|endpoint| *endpoint != "aws") {
            let url = Url::parse(endpoint)
                .with_context(|| format!("s3.endpoint is {endpoint:?}: write a URL like http://host:9000, or aws"))?;
            anyhow::ensure!(
                matches!(url.scheme(), "http" | "https"),
                "s3.endpoint is {endpoint:?}: it must start with http:// or https://"
            );
        }
        anyhow::ensure!(
            self.s3.access_key_id.is_some() == self.s3.secret_access_key.is_some(),
            "s3.access_key_id and s3.secret_access_key go together: set both or neither"
        );
        anyhow::ensure!(
            self.pipelines.lease_seconds >= 2,
            "pipelines.lease_seconds is {}: a busy server is silent for a second or two; use at least 2",
            self.pipelines.lease_seconds
        );
        if let Some(target) = self.evaluation.target {
            anyhow::ensure!(target > 0.0 && target < 1.0, "evaluation.target is {target}: it must lie between 0 and 1");
        }
        self.label_studio.check(self.s3.endpoint.is_none())?;
        self.pipelines.collect_schedule().context("pipelines.collect")?;
        self.pipelines.tags_schedule().context("pipelines.tags")?;
        if let Some(url) = &self.catalog.url {
            let known = ["sqlite:", "postgres:", "postgresql:"];
            anyhow::ensure!(
                known.iter().any(|scheme| url.expose_secret().starts_with(scheme)),
                "catalog.url must start with sqlite: or postgres:"
            );
        }
        if let Some(key) = &self.auth.secret_key {
            anyhow::ensure!(
                key.expose_secret().len() >= 32,
                "auth.secret_key is too short: use at least 32 random characters (openssl rand -hex 32)"
            );
        }
        let auth = &self.auth;
        anyhow::ensure!(
            (60..=auth.session_lifetime_seconds).contains(&auth.session_idle_seconds),
            "auth.session_idle_seconds must lie between 60 and auth.session_lifetime_seconds"
        );
        anyhow::ensure!(
            auth.session_lifetime_seconds <= 400 * 24 * 60 * 60,
            "auth.session_lifetime_seconds must be at most 34560000: browsers keep no cookie for longer than 400 days"
        );
        anyhow::ensure!(self.server.request_timeout_seconds > 0, "server.request_timeout_seconds must be at least 1");
        anyhow::ensure!(self.server.upload_timeout_seconds > 0, "server.upload_timeout_seconds must be at least 1");
        anyhow::ensure!(self.limits.head_seconds > 0, "limits.head_seconds must be at least 1");
        anyhow::ensure!(self.limits.progress_seconds > 0, "limits.progress_seconds must be at least 1");
        anyhow::ensure!(self.inference.queue > 0, "inference.queue must be at least 1");
        anyhow::ensure!(
            self.server.max_photo_bytes.saturating_mul(3) <= self.server.upload_budget_bytes,
            "server.upload_budget_bytes must be at least three times server.max_photo_bytes: a photo sent as base64 \
             takes that much"
        );
        Ok(())
    }

    /// The database's address: the configured one, or SQLite in the data directory.
    pub fn catalog_url(&self) -> SecretString {
        match &self.catalog.url {
            Some(url) => url.clone(),
            None => format!("sqlite:{}", self.data_dir.join("catalog.sqlite").display()).into(),
        }
    }

    /// Whether an upload may be answered once it is durable in the spool.
    pub fn spool_is_persistent(&self) -> bool {
        self.spool.persistent.unwrap_or_else(|| self.catalog_url().expose_secret().starts_with("sqlite:"))
    }

    /// The settings as TOML, secrets masked: what `serve --print-config` prints.
    pub fn to_toml(&self) -> anyhow::Result<String> {
        let mut text = toml::to_string(self)?;
        // A URL carries its password inside: `masked` hides the whole catalog URL, this one only hides userinfo.
        if let Some(endpoint) = self.s3.endpoint.as_deref()
            && let Ok(mut url) = Url::parse(endpoint)
            && url.password().is_some()
        {
            url.set_password(Some(MASK)).ok();
            text = text.replace(endpoint, url.as_str());
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, variables: &[(&str, &str)]) -> anyhow::Result<Settings> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gourmetgram.toml");
        std::fs::write(&path, file).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::from_sources(Some(&path), variables)
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
        let file = "[server]\nlisten = '127.0.0.1:1'\nrequest_timeout_seconds = 7";
        let settings = load(file, &[("GOURMETGRAM__SERVER__LISTEN", "127.0.0.1:2")]).unwrap();
        assert_eq!(settings.server.listen.port(), 2);
        assert_eq!(settings.server.request_timeout_seconds, 7);
        assert_eq!(settings.inference.queue, 64);
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = format!("{:#}", load("[server]\nlissten = 'x'", &[]).unwrap_err());
        assert!(error.contains("lissten"), "{error}");
        let error = format!("{:#}", load("", &[("GOURMETGRAM__SERVER__PORT", "1")]).unwrap_err());
        assert!(error.contains("port"), "{error}");
        assert!(load("", &[("GOURMETGRAM_CACHE", "elsewhere")]).is_ok(), "one underscore is not ours");
    }

    #[test]
    fn a_secret_that_looks_like_a_number_stays_as_written() {
        let key = "00000000000000000000000000000000123";
        let settings = load("", &[("GOURMETGRAM__AUTH__SECRET_KEY", key)]).unwrap();
        assert_eq!(settings.auth.secret_key.unwrap().expose_secret(), key);
    }

    #[test]
    fn standard_aws_names_are_understood() {
        let settings =
            load("", &[("AWS_ENDPOINT_URL_S3", "http://store:9000"), ("AWS_REGION", "eu-central-1")]).unwrap();
        assert_eq!(settings.s3.endpoint.as_deref(), Some("http://store:9000"));
        assert_eq!(settings.s3.region, "eu-central-1");
    }

    #[test]
    fn what_cannot_work_is_refused_with_its_name() {
        for (file, name) in [
            ("[s3]\nendpoint = 'store:9000'", "s3.endpoint"),
            ("[s3]\naccess_key_id = 'a'", "s3.secret_access_key"),
            ("[catalog]\nurl = 'mysql://x'", "catalog.url"),
            ("[label_studio]\nurl = 'ftp://labels'\ntoken = 'abcdef'", "label_studio.url"),
            ("[label_studio]\nurl = 'http://labels'", "label_studio.token"),
            ("[label_studio]\nurl = 'http://labels'\ntoken = 'Token abc'", "label_studio.token"),
            ("[label_studio]\ns3_access_key_id = 'a'", "label_studio.s3_secret_access_key"),
            (
                "[s3]\nendpoint = 'aws'\n[label_studio]\nurl = 'http://labels'\ntoken = 'abcdef'",
                "label_studio.s3_access_key_id",
            ),
            ("[evaluation]\ntarget = 85.0", "evaluation.target"),
            ("[auth]\nsecret_key = 'short'", "auth.secret_key"),
            ("[auth]\nsession_idle_seconds = 5", "auth.session_idle_seconds"),
            ("[auth]\nsession_lifetime_seconds = 100", "auth.session_idle_seconds"),
            ("[server]\nupload_budget_bytes = 1", "server.upload_budget_bytes"),
            ("[server]\ntrusted_proxies = ['the proxy']", "the proxy"),
            ("[server.tls]\ncertificate = 'a.pem'", "key"),
        ] {
            let error = format!("{:#}", load(file, &[]).unwrap_err());
            assert!(error.contains(name), "{file}: {error}");
        }
    }

    #[test]
    fn printed_settings_show_no_secret_and_can_be_read_again() {
        let file = "[catalog]\nurl = 'postgres://me:hunter2@db/x'\n[s3]\nendpoint = 'http://u:hunter2@s:1'\n\
                    access_key_id = 'a'\nsecret_access_key = 'hunter2'\n[label_studio]\nurl = 'http://l'\n\
                    token = 'hunter2'\ns3_access_key_id = 'a'\ns3_secret_access_key = 'hunter2'\n[auth]\nsecret_key = 'hunter2hunter2hunter2hunter2hunter2'";
        let printed = load(file, &[]).unwrap().to_toml().unwrap();
        assert!(!printed.contains("hunter2"), "{printed}");
        let defaults = Settings::default().to_toml().unwrap();
        assert_eq!(load(&defaults, &[]).unwrap().to_toml().unwrap(), defaults);
    }
}
