//! A process that works on runs of pipelines beside servers, or without any: it asks for a run, does it unless a server
//! is faster, and waits for its end.

use std::{fs::File, sync::Arc, time::Duration};

use anyhow::Context;
use embedded_s3::Running;
use gourmetgram_api::{Cause, Interval, Run};
use gourmetgram_object_store::Bucket;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use super::user::open_catalog;
use crate::{
    app::{Application, load_model, own_address},
    catalog::Catalog,
    config::Settings,
    keys,
    label_studio::{Studio, Surroundings},
    outbox::TagReader,
    pipelines::{self, READS_TAGS, Retries, Worker},
    storage,
};

/// How often to look at a run that somebody else does, or that waits.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// Whoever calls the command decides whether to try again.
const NO_RETRIES: Retries = Retries { more: 0, wait: Duration::ZERO };

/// What is needed to work on runs.
pub struct Workshop {
    catalog: Catalog,
    worker: Worker,
    application: Option<Application>,
    /// The embedded S3 server of this process, where it works beside none, and the data directory's lock.
    store: Option<(Running, Option<File>)>,
}

impl Workshop {
    /// With everything that runs of this pipeline need. Where no server uses the data directory, photos are carried over
    /// meanwhile.
    pub async fn open(settings: &Settings, pipeline: &str) -> anyhow::Result<Self> {
        let application = Application::build_for_work(settings.clone()).await?;
        match application {
            Some(application) => {
                let catalog = application.app().catalog().clone();
                let node = application.app().node();
                let (studio, tags) = (application.app().shared_studio(), application.app().tag_reader());
                let known = pipelines::all(&catalog, &settings.pipelines, studio, Some(tags));
                let worker =
                    Worker::new(catalog.clone(), node, known, NO_RETRIES).with_lease(settings.pipelines.lease());
                Ok(Self { catalog, worker, application: Some(application), store: None })
            }
            None => Self::beside_a_server(settings, Some(pipeline)).await,
        }
    }

    /// With what runs of this pipeline need that change nothing, or that are done beside a server: it carries photos over.
    /// Without a pipeline, with what it takes to look at them.
    pub async fn beside_a_server(settings: &Settings, pipeline: Option<&str>) -> anyhow::Result<Self> {
        let catalog = open_catalog(settings).await?;
        let studio = studio(settings)?.map(Arc::new);
        let (mut reader, mut own_store) = (None, None);
        if pipeline == Some(READS_TAGS) {
            let (store, running, lock) = storage::open_beside_server(settings).await?;
            reader = Some(TagReader::new(catalog.clone(), store));
            own_store = running.map(|running| (running, lock));
        }
        let known = pipelines::all(&catalog, &settings.pipelines, studio.as_ref(), reader);
        let worker =
            Worker::new(catalog.clone(), Uuid::now_v7(), known, NO_RETRIES).with_lease(settings.pipelines.lease());
        Ok(Self { catalog, worker, application: None, store: own_store })
    }

    /// The catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The worker.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// Does runs of a pipeline, one after the other, up to the first that does not end well; that one is the last of
    /// those that are answered. At the deadline the last is as far as it is then.
    pub async fn see_through(
        self,
        pipeline: &str,
        subject: &str,
        intervals: &[Interval],
        cause: Cause,
        dry_run: bool,
        deadline: Option<Instant>,
    ) -> anyhow::Result<Vec<Run>> {
        let Self { catalog, worker, application, store } = self;
        let work = async {
            let pipeline = worker.pipeline(pipeline).context("no such pipeline")?;
            let mut runs = Vec::new();
            for interval in intervals {
                let (asked, _) = worker.ask(pipeline, subject, *interval, cause, dry_run).await?;
                let run = end_of(&catalog, &worker, asked, deadline).await?;
                let went_well = run.state == gourmetgram_api::RunState::Succeeded;
                runs.push(run);
                if !went_well {
                    break;
                }
            }
            Ok(runs)
        };
        let done = match application {
            Some(application) => application.while_working(work).await,
            None => work.await,
        };
        if let Some((running, lock)) = store {
            running.shutdown().await;
            drop(lock);
        }
        done
    }
}

async fn end_of(catalog: &Catalog, worker: &Worker, asked: Run, deadline: Option<Instant>) -> anyhow::Result<Run> {
    let stop = CancellationToken::new();
    let work = async {
        loop {
            let run = catalog.run(asked.id).await?.context("the run is gone from the catalog")?;
            if run.state.is_over() {
                return anyhow::Ok(run);
            }
            if !worker.work_on(asked.id, &stop).await? {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    };
    let Some(deadline) = deadline else { return work.await };
    match tokio::time::timeout_at(deadline, work).await {
        Ok(run) => run,
        Err(_) => catalog.run(asked.id).await?.context("the run is gone from the catalog"),
    }
}

/// Label Studio, by the settings alone.
fn studio(settings: &Settings) -> anyhow::Result<Option<Studio>> {
    if settings.label_studio.client_settings()?.is_none() {
        return Ok(None);
    }
    let store = match settings.s3.endpoint.as_deref() {
        Some("aws") => None,
        Some(url) => Some(Url::parse(url).context("s3.endpoint is no URL")?),
        None if settings.embedded_s3.listen.port() == 0 && settings.label_studio.s3_endpoint.is_none() => {
            anyhow::bail!(
                "embedded_s3.listen has port 0, so Label Studio's way to the photos is not known: set label_studio.s3_endpoint"
            )
        }
        None => Some(Url::parse(&format!("http://{}", settings.embedded_s3.listen)).context("embedded_s3.listen")?),
    };
    let secret_key = keys::secret_key(&settings.data_dir, settings.auth.secret_key.as_ref())?;
    let model = load_model(settings)?;
    Studio::open(
        settings,
        &Surroundings {
            store: store.as_ref(),
            bucket: settings.s3.buckets.of(Bucket::LabelWait),
            secret_key: &secret_key,
            own_address: own_address(settings),
            classes: model.classes(),
        },
    )
}
