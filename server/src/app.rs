//! What every part of the server shares, built once; and the running application around it.

use std::{
    collections::HashSet,
    fs::File,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::Context;
use axum_prometheus::{PrometheusMetricLayer, metrics_exporter_prometheus::PrometheusHandle};
use embedded_s3::Running;
use gourmetgram_api::LiveModel;
use gourmetgram_classifier::{Model, default_model};
use gourmetgram_object_store::{Bucket, ObjectStore};
use tokio::{
    net::TcpListener,
    sync::{Notify, OnceCell, Semaphore},
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use crate::{
    accounts::Passwords,
    catalog::Catalog,
    config::Settings,
    connections::{self, ConnectionLimits},
    data_dir,
    device_model::{DeviceModel, DeviceModels},
    evaluating::{self, Evaluator, LiveVersion, offline_accuracy},
    http::{self, FeedbackTokens, KnownBrowsers, RateLimits, SignInThrottle, UploadBudget},
    inference::{InferencePool, InferenceSettings},
    keys,
    label_studio::{Studio, Surroundings},
    operator_link::OperatorLink,
    outbox::{self, TagReader},
    phone::Phones,
    pipelines::{self, Worker},
    records,
    spool::Spool,
    storage,
    thumbnails::{self, Thumbnails},
    tls::{self, Certificates, Identity},
};

/// How often the start tries to reach an object store that is not there yet.
const BUCKET_RETRY: Duration = Duration::from_secs(5);

/// How often sessions that have ended are removed.
const SESSION_UPKEEP: Duration = Duration::from_secs(10 * 60);

/// Exports that may be under way: each keeps a thread, a connection to the catalog and some megabytes.
const EXPORTS_AT_ONCE: usize = 2;

/// What handlers and workers share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    settings: Settings,
    node: Uuid,
    catalog: Catalog,
    spool: Spool,
    object_store: ObjectStore,
    inference: InferencePool,
    device_models: DeviceModels,
    thumbnails: Thumbnails,
    feedback_tokens: FeedbackTokens,
    known_browsers: KnownBrowsers,
    passwords: Passwords,
    sign_in_throttle: SignInThrottle,
    upload_budget: UploadBudget,
    rate_limits: RateLimits,
    outbox_wakeup: Arc<Notify>,
    pipelines: Worker,
    studio: Option<Arc<Studio>>,
    exports: Arc<Semaphore>,
    records_checked: OnceCell<()>,
    package_folder: String,
    for_phones: bool,
}

impl App {
    /// The settings it was built from.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// This node's name.
    pub fn node(&self) -> Uuid {
        self.0.node
    }

    /// The working record.
    pub fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    /// Photos on their way.
    pub fn spool(&self) -> &Spool {
        &self.0.spool
    }

    /// Where photos end up.
    pub fn object_store(&self) -> &ObjectStore {
        &self.0.object_store
    }

    /// The model that answers.
    pub fn model(&self) -> Arc<Model> {
        self.0.inference.model()
    }

    /// What clients need to know of the model.
    pub fn live_model(&self) -> LiveModel {
        let model = self.model();
        LiveModel {
            version: model.version().as_str().to_owned(),
            classes: model.classes().clone(),
            limits: self.settings().server.upload_limits(),
        }
    }

    /// The live model as browsers take it; `None` where only the server can run it.
    pub fn device_model(&self) -> Option<Arc<DeviceModel>> {
        self.0.device_models.of(self.model())
    }

    /// The pool that decodes and classifies.
    pub fn inference(&self) -> &InferencePool {
        &self.0.inference
    }

    /// Small pictures on this node's disk.
    pub fn thumbnails(&self) -> &Thumbnails {
        &self.0.thumbnails
    }

    /// Signs and checks feedback tokens.
    pub fn feedback_tokens(&self) -> &FeedbackTokens {
        &self.0.feedback_tokens
    }

    /// Knows browsers again that have signed in before.
    pub fn known_browsers(&self) -> &KnownBrowsers {
        &self.0.known_browsers
    }

    /// Hashes and checks passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// Slows down whoever guesses them.
    pub fn sign_in_throttle(&self) -> &SignInThrottle {
        &self.0.sign_in_throttle
    }

    /// Bounds the bytes of photos in memory.
    pub fn upload_budget(&self) -> &UploadBudget {
        &self.0.upload_budget
    }

    /// Bounds how much each client asks for.
    pub fn rate_limits(&self) -> &RateLimits {
        &self.0.rate_limits
    }

    /// Whether phones on the local network are served, with a certificate authority of our own.
    pub fn is_for_phones(&self) -> bool {
        self.0.for_phones
    }

    /// Wakes the outbox worker.
    pub fn outbox_wakeup(&self) -> &Arc<Notify> {
        &self.0.outbox_wakeup
    }

    /// Does the work of pipelines on this node.
    pub fn pipelines(&self) -> &Worker {
        &self.0.pipelines
    }

    /// Label Studio, where campaigns can be labelled there.
    pub fn studio(&self) -> Option<&Studio> {
        self.0.studio.as_deref()
    }

    /// The same, to be shared.
    pub fn shared_studio(&self) -> Option<&Arc<Studio>> {
        self.0.studio.as_ref()
    }

    /// What takes in the tags of other tools.
    pub fn tag_reader(&self) -> TagReader {
        TagReader::new(self.0.catalog.clone(), self.0.object_store.clone())
    }

    /// Whether the bucket `records` was seen to hold nothing that this catalog has forgotten.
    pub fn records_checked(&self) -> &OnceCell<()> {
        &self.0.records_checked
    }

    /// Computes how accurate models are.
    pub fn evaluator(&self) -> Evaluator<'_> {
        let model = self.model();
        let live = LiveVersion {
            version: model.version().as_str().to_owned(),
            classes: model.classes().clone().into(),
            offline: offline_accuracy(model.manifest()),
        };
        Evaluator { catalog: self.catalog(), settings: &self.settings().evaluation, live }
    }

    /// Places for exports.
    pub fn exports(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.exports)
    }

    /// The folder of the front end's scripts and styles.
    pub fn package_folder(&self) -> &str {
        &self.0.package_folder
    }

    /// Renders the process's metrics.
    pub fn metrics(&self) -> &'static PrometheusHandle {
        &metrics_pair().1
    }

    /// Measures requests.
    pub fn metrics_layer(&self) -> PrometheusMetricLayer<'static> {
        metrics_pair().0.clone()
    }
}

/// A process has one metrics recorder, however many applications a test starts in it.
fn metrics_pair() -> &'static (PrometheusMetricLayer<'static>, PrometheusHandle) {
    static PAIR: OnceLock<(PrometheusMetricLayer<'static>, PrometheusHandle)> = OnceLock::new();
    PAIR.get_or_init(PrometheusMetricLayer::pair)
}

/// A server that is ready to run.
pub struct Application {
    app: App,
    listener: TcpListener,
    embedded_s3: Option<Running>,
    operator_link: Option<OperatorLink>,
    certificates: Option<Arc<Certificates>>,
    phones: Option<Phones>,
    /// Held as long as the data directory is in use.
    _lock: File,
}

impl Application {
    /// Opens everything and binds the port. Changes nothing that a second start would not find as it expects.
    pub async fn build(settings: Settings) -> anyhow::Result<Self> {
        let lock = data_dir::lock(&settings)?;
        Self::open(settings, lock, Purpose::Serve).await
    }

    /// The same without visitors, for a process that only works on pipelines. Nothing where a server uses the data
    /// directory: that one carries photos over.
    pub async fn build_for_work(settings: Settings) -> anyhow::Result<Option<Self>> {
        match data_dir::try_lock(&settings.data_dir)? {
            Some(lock) => Self::open(settings, lock, Purpose::Work).await.map(Some),
            None => Ok(None),
        }
    }

    /// The same for phones on the local network: it listens there, with TLS and a certificate authority of its own, and
    /// beside it a page tells phones how to trust that.
    pub async fn build_for_phones(mut settings: Settings) -> anyhow::Result<Self> {
        settings.server.listen = settings.phone.listen;
        settings.server.tls = None;
        let lock = data_dir::lock(&settings)?;
        Self::open(settings, lock, Purpose::ServePhones).await
    }

    async fn open(mut settings: Settings, lock: File, purpose: Purpose) -> anyhow::Result<Self> {
        let for_phones = purpose == Purpose::ServePhones;
        let data_dir = settings.data_dir.clone();
        let listen = match purpose {
            // Nobody is answered.
            Purpose::Work => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            Purpose::Serve | Purpose::ServePhones => settings.server.listen,
        };
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen}: is it in use? Set server.listen to another port"))?;
        let phones = match for_phones {
            true => Some(Phones::open(&settings, listener.local_addr()?.port()).await?),
            false => None,
        };
        let certificates = match (&phones, &settings.server.tls) {
            (Some(phones), _) => Some(Arc::clone(phones.certificates())),
            (None, Some(files)) => Some(Certificates::new(Identity::read(files)?)?),
            (None, None) => None,
        };
        if let Some(phones) = &phones {
            settings.server.public_url.get_or_insert(phones.url()?);
        }
        let node = keys::node_id(&data_dir)?;
        let secret_key = keys::secret_key(&data_dir, settings.auth.secret_key.as_ref())?;
        let catalog = Catalog::open(&settings.catalog_url(), settings.catalog.max_connections)
            .await
            .context("cannot open the catalog (catalog.url)")?;
        let spool =
            Spool::open(&data_dir.join("spool"), settings.spool.keep_free_bytes).context("cannot open the spool")?;
        let wanted: HashSet<String> = catalog.spooled_files(node).await?.into_iter().collect();
        let swept = spool.sweep(wanted).await.context("cannot clean the spool")?;
        catalog.release_claims(node).await.context("cannot free the claims of the last run")?;
        if swept > 0 {
            tracing::info!(files = swept, "removed uploads that were cut off before they were acknowledged");
        }
        catalog.release_runs(node).await.context("cannot free the runs of the last start")?;
        let operator_link = match purpose {
            Purpose::Work => None,
            Purpose::Serve | Purpose::ServePhones => OperatorLink::issue_to_first_operator(&catalog, &data_dir).await?,
        };
        let (object_store, store_url, embedded_s3) = storage::open(&settings).await?;
        let model = Arc::new(load_model(&settings)?);
        let studio = Studio::open(
            &settings,
            &Surroundings {
                store: store_url.as_ref(),
                bucket: object_store.bucket_names().of(Bucket::LabelWait),
                secret_key: &secret_key,
                own_address: match purpose {
                    Purpose::Work => own_address(&settings),
                    Purpose::Serve | Purpose::ServePhones => {
                        Some(settings.server.address_for_people(listener.local_addr()?))
                    }
                },
                classes: model.classes(),
            },
        )?;
        let studio = studio.map(Arc::new);
        tracing::info!(version = model.version().as_str(), classes = model.classes().len(), "model loaded");
        let inference = InferencePool::start(
            model,
            InferenceSettings {
                threads: settings.inference.threads,
                queue: settings.inference.queue,
                decoded_bytes_budget: settings.inference.decoded_budget_bytes,
                limits: settings.server.upload_limits(),
            },
        )
        .context("cannot start the inference threads")?;
        // At most half of the places for photos: whoever looks at photos must not keep others from sending them.
        let at_once = settings.inference.queue / 2;
        let thumbnails = Thumbnails::open(&data_dir.join("thumbnails"), settings.thumbnails.max_bytes, at_once)
            .context("cannot open the folder of small pictures in data_dir")?;
        let package_folder = http::package_folder().unwrap_or_else(|| {
            tracing::warn!(
                "the front end is not built into this binary (frontend/build.sh): pages work by plain forms only"
            );
            "pkg".to_owned()
        });
        let pipelines = {
            let reader = TagReader::new(catalog.clone(), object_store.clone());
            let known = pipelines::all(&catalog, &settings.pipelines, studio.as_ref(), Some(reader));
            Worker::new(catalog.clone(), node, known, settings.pipelines.retries())
                .with_lease(settings.pipelines.lease())
        };
        let app = App(Arc::new(Shared {
            node,
            pipelines,
            studio,
            records_checked: OnceCell::new(),
            exports: Arc::new(Semaphore::new(EXPORTS_AT_ONCE)),
            catalog,
            spool,
            object_store,
            inference,
            device_models: DeviceModels::default(),
            known_browsers: KnownBrowsers::new(secret_key.clone()),
            thumbnails,
            feedback_tokens: FeedbackTokens::new(secret_key),
            passwords: Passwords::default(),
            sign_in_throttle: SignInThrottle::default(),
            upload_budget: UploadBudget::new(settings.server.upload_budget_bytes),
            rate_limits: RateLimits::new(&settings.limits),
            outbox_wakeup: Arc::new(Notify::new()),
            package_folder,
            for_phones,
            settings,
        }));
        metrics_pair();
        // Rendering pages spawns tasks; an error says that an earlier application in this process has set this up.
        let _ = any_spawner::Executor::init_tokio();
        Ok(Self { app, listener, embedded_s3, operator_link, certificates, phones, _lock: lock })
    }

    /// What the parts share; for tests.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Where it listens.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Where it listens, as a URL.
    pub fn url(&self) -> anyhow::Result<String> {
        let scheme = if self.certificates.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", self.address()?))
    }

    /// What phones need of us, where they are served.
    pub fn phones(&self) -> Option<&Phones> {
        self.phones.as_ref()
    }

    /// Where the embedded S3 server listens, if it was started.
    pub fn embedded_s3_address(&self) -> Option<SocketAddr> {
        self.embedded_s3.as_ref().map(Running::address)
    }

    /// The link by which the first operator comes in; `None` where somebody can run the service already.
    pub fn operator_link(&self) -> Option<&OperatorLink> {
        self.operator_link.as_ref()
    }

    /// Carries photos over for as long as something is worked on, then finishes what is under way, within the configured
    /// grace.
    pub async fn while_working<T>(self, work: impl Future<Output = T>) -> T {
        let Self { app, embedded_s3, _lock: lock, .. } = self;
        let stop = CancellationToken::new();
        let buckets = tokio::spawn(make_buckets(app.clone(), stop.clone()));
        let outbox = tokio::spawn(outbox::run(app.clone(), stop.clone()));
        let done = work.await;
        stop.cancel();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(app.settings().server.shutdown_grace_seconds);
        finish("outbox", outbox, deadline).await;
        finish("buckets", buckets, deadline).await;
        if let Some(embedded_s3) = embedded_s3 {
            embedded_s3.shutdown().await;
        }
        drop(lock);
        done
    }

    /// Serves until `stop`, then finishes what is under way, within the configured grace.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { app, listener, embedded_s3, certificates, phones, _lock: lock, .. } = self;
        let tls = certificates.as_ref().map(Certificates::acceptor).transpose()?;
        let grace = Duration::from_secs(app.settings().server.shutdown_grace_seconds);
        let buckets = tokio::spawn(make_buckets(app.clone(), stop.clone()));
        let outbox = tokio::spawn(outbox::run(app.clone(), stop.clone()));
        let pipelines = tokio::spawn(work_on_pipelines(app.clone(), stop.clone()));
        let records = tokio::spawn(records::run(app.clone(), stop.clone()));
        let evaluation = tokio::spawn(evaluating::run(app.clone(), stop.clone()));
        let stock = tokio::spawn(take_stock(app.clone(), stop.clone()));
        let sweep = tokio::spawn(thumbnails::sweep(app.clone(), stop.clone()));
        let upkeep = tokio::spawn(keep_metrics_small(stop.clone()));
        let sessions = tokio::spawn(remove_ended_sessions(app.clone(), stop.clone()));
        let limits = ConnectionLimits::new(&app.settings().limits, &app.settings().server.trusted_proxies);
        // What goes on for as long as the server does, and leaves nothing half done.
        let mut beside = JoinSet::new();
        beside.spawn(http::keep_rate_limits_small(app.clone()));
        if let Some((certificates, files)) = certificates.zip(app.settings().server.tls.clone()) {
            beside.spawn(tls::follow_files(certificates, files));
        }
        if let Some(phones) = phones {
            let (setup, router, keep_right) = phones.into_parts()?;
            beside.spawn(keep_right);
            beside.spawn(connections::serve(setup, router, None, limits.clone(), stop.clone()));
        }
        let serving = tokio::spawn(connections::serve(listener, http::router(app), tls, limits, stop.clone()));

        stop.cancelled().await;
        tracing::info!(grace_seconds = grace.as_secs(), "stopping");
        let deadline = tokio::time::Instant::now() + grace;
        finish("requests", serving, deadline).await;
        finish("outbox", outbox, deadline).await;
        finish("pipelines", pipelines, deadline).await;
        finish("records", records, deadline).await;
        finish("evaluation", evaluation, deadline).await;
        finish("buckets", buckets, deadline).await;
        finish("small pictures", sweep, deadline).await;
        finish("stock-taking", stock, deadline).await;
        finish("metrics", upkeep, deadline).await;
        finish("sessions", sessions, deadline).await;
        drop(beside);
        if let Some(embedded_s3) = embedded_s3 {
            embedded_s3.shutdown().await;
        }
        drop(lock);
        tracing::info!("stopped");
        Ok(())
    }
}

/// What an application is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Serve,
    ServePhones,
    Work,
}

/// Where people find us by the settings alone; not known where we listen on a free port.
pub fn own_address(settings: &Settings) -> Option<Url> {
    let server = &settings.server;
    (server.public_url.is_some() || server.listen.port() != 0).then(|| server.address_for_people(server.listen))
}

async fn finish<T>(name: &str, task: JoinHandle<T>, deadline: tokio::time::Instant) {
    let stop = task.abort_handle();
    if tokio::time::timeout_at(deadline, task).await.is_err() {
        tracing::warn!(part = name, "cut off after the grace period; what was acknowledged is safe");
        stop.abort();
    }
}

/// Creates the buckets, and goes on trying while the object store is away: uploads are accepted meanwhile.
async fn make_buckets(app: App, stop: CancellationToken) {
    loop {
        match app.object_store().ensure_buckets().await {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, "the buckets cannot be made yet; photos wait in the spool"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(BUCKET_RETRY) => {}
        }
    }
}

/// Servers that only answer leave pipelines to others.
async fn work_on_pipelines(app: App, stop: CancellationToken) {
    if app.settings().pipelines.enabled {
        app.pipelines().clone().run(stop).await;
    }
}

/// A catalog that began empty has grown: its database is to know.
async fn take_stock(app: App, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(600)) => {}
        }
        if let Err(error) = app.catalog().take_stock().await {
            tracing::warn!(%error, "the catalog cannot take stock of itself; lists may be slower");
        }
    }
}

/// The exporter keeps samples until someone tidies up.
async fn keep_metrics_small(stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(5)) => metrics_pair().1.run_upkeep(),
        }
    }
}

/// Sessions that have ended open nothing; their rows are only in the way.
async fn remove_ended_sessions(app: App, stop: CancellationToken) {
    app.passwords().prepare().await;
    loop {
        match app.catalog().remove_ended_sessions(app.settings().auth.session_limits()).await {
            Ok(0) => {}
            Ok(removed) => tracing::debug!(removed, "removed sessions and links that have ended"),
            Err(error) => tracing::warn!(%error, "sessions that have ended cannot be removed yet"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SESSION_UPKEEP) => {}
        }
    }
}

/// The model that settings name.
pub fn load_model(settings: &Settings) -> anyhow::Result<Model> {
    match &settings.model.directory {
        Some(directory) => {
            Model::load(directory).with_context(|| format!("cannot load the model in {}", directory.display()))
        }
        None => default_model().context("cannot load the built-in model"),
    }
}
