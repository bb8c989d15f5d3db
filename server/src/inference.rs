//! Photos in, answers out, on a bounded pool of threads.
//!
//! Decoding and classifying take milliseconds of a processor and megabytes of memory, for bytes a stranger sent. So:
//!
//! - The async runtime never does the work, it only waits for it.
//! - Only so many photos are let in; one more is told at once when to come back. A long queue would answer everybody
//!   late, many of them after they had gone.
//! - The pixels decoded at the same time, over all requests, stay within a budget of bytes. A photo's headers say what
//!   it will take, before anything is allocated.
//! - Work whose caller has gone is dropped before it begins.
//! - A panic ends one request, not a thread.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use gourmetgram_api::UploadLimits;
use gourmetgram_classifier::{Answer, ClassifyError, Model, PhotoError, PhotoInfo, RgbPhoto, decode, probe};
use metrics::{counter, gauge, histogram};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tracing::Span;

/// The budget is counted in units of so many bytes: a semaphore's permits are 32-bit numbers.
const BUDGET_UNIT: u64 = 1024;

/// Reading headers is one, decoding and classifying the other.
const JOBS_A_PHOTO: usize = 2;

/// How large the pool is.
#[derive(Clone, Copy, Debug)]
pub struct InferenceSettings {
    /// Threads that decode and classify; 0: one a core.
    pub threads: usize,
    /// Photos that may wait for a thread; one more is [`InferenceError::Busy`].
    pub queue: usize,
    /// Bytes that decoding may hold at once, over all requests.
    pub decoded_bytes_budget: u64,
    /// What one photo may be.
    pub limits: UploadLimits,
}

/// What the model says about a photo.
#[derive(Clone, Debug)]
pub struct Classified {
    /// Its answer.
    pub answer: Answer,
    /// What the photo is.
    pub info: PhotoInfo,
    /// The model that answered; another one may be live by now.
    pub model: Arc<Model>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// The photo's fault: answered with 413 or 422.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The photo alone needs more memory than all of them may take: answered with 422.
    #[error(
        "decoding this photo takes {needed_bytes} bytes, the server spends at most {budget_bytes}: send a smaller one, \
         or a JPEG"
    )]
    OverBudget {
        /// What decoding would take.
        needed_bytes: u64,
        /// What all photos together may take.
        budget_bytes: u64,
    },
    /// Every place is taken: answered with 503.
    #[error("busy: every place in the queue is taken")]
    Busy {
        /// When a place is likely to be free.
        retry_after_seconds: u64,
    },
    /// The model failed on this photo: answered with 500.
    #[error(transparent)]
    Model(#[from] ClassifyError),
    /// A defect: the work panicked. Answered with 500; the pool goes on.
    #[error("the work panicked")]
    Panicked,
    /// The pool is being shut down: answered with 503.
    #[error("the inference pool is stopped")]
    Stopped,
}

/// Classifies photos with the live model. Share it behind an `Arc`; its threads end when it is dropped.
#[derive(Debug)]
pub struct InferencePool {
    cpu: CpuPool,
    model: RwLock<Arc<Model>>,
    limits: UploadLimits,
    budget: Arc<Semaphore>,
    budget_bytes: u64,
}

impl InferencePool {
    /// Starts the threads.
    ///
    /// # Errors
    /// Where the operating system gives no thread.
    pub fn start(model: Arc<Model>, settings: InferenceSettings) -> io::Result<Self> {
        describe_metrics();
        let threads = match settings.threads {
            0 => thread::available_parallelism().map_or(1, Into::into),
            threads => threads,
        };
        let units = budget_units(settings.decoded_bytes_budget);
        Ok(Self {
            cpu: CpuPool::start(threads, settings.queue)?,
            model: RwLock::new(model),
            limits: settings.limits,
            budget: Arc::new(Semaphore::new(units as usize)),
            budget_bytes: u64::from(units) * BUDGET_UNIT,
        })
    }

    /// The model that answers now.
    pub fn model(&self) -> Arc<Model> {
        self.model.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes another model live. Photos that are being classified keep the old one.
    pub fn replace_model(&self, model: Arc<Model>) {
        *self.model.write().unwrap_or_else(PoisonError::into_inner) = model;
    }

    /// Answers for one photo. Dropping the future gives the work up, unless it has begun.
    ///
    /// # Errors
    /// [`InferenceError`].
    pub async fn classify(&self, photo: Bytes) -> Result<Classified, InferenceError> {
        let place = self.cpu.enter()?;
        let model = self.model();
        let side = model.input_side();

        // Headers are few, but finding them may mean walking through all of a large file: no work for the runtime.
        let limits = self.limits;
        let probed = photo.clone();
        let info = place.run(move || probe(&probed, &limits)).await??;

        let memory = self.reserve(info.decoded_bytes(side)).await?;
        let classified = place.run(move || {
            // Held by the work, not by the caller: who has gone still occupies memory until the work ends.
            let _memory = memory;
            let pixels = decode(&photo, &info, side)?;
            let answer = model.classify(&pixels)?;
            Ok(Classified { answer, info, model })
        });
        classified.await?
    }

    /// Decodes a photo and does `work` with its pixels, on one thread of the pool. `target_side` is the side of what
    /// they will be resized to, as in [`decode`].
    ///
    /// # Errors
    /// [`InferenceError`].
    pub async fn with_pixels<T: Send + 'static>(
        &self,
        photo: Bytes,
        target_side: u32,
        work: impl FnOnce(RgbPhoto) -> T + Send + 'static,
    ) -> Result<T, InferenceError> {
        let place = self.cpu.enter()?;
        let limits = self.limits;
        let probed = photo.clone();
        let info = place.run(move || probe(&probed, &limits)).await??;
        let memory = self.reserve(info.decoded_bytes(target_side)).await?;
        let done = place.run(move || {
            let _memory = memory;
            Ok(work(decode(&photo, &info, target_side)?))
        });
        done.await?
    }

    /// Waits until decoding may take so many bytes.
    async fn reserve(&self, bytes: u64) -> Result<OwnedSemaphorePermit, InferenceError> {
        if bytes > self.budget_bytes {
            return Err(InferenceError::OverBudget { needed_bytes: bytes, budget_bytes: self.budget_bytes });
        }
        let permit = self.budget.clone().acquire_many_owned(budget_units(bytes)).await;
        permit.map_err(|_| InferenceError::Stopped)
    }
}

fn budget_units(bytes: u64) -> u32 {
    const MOST: u32 = u32::MAX >> 3;
    u32::try_from(bytes.div_ceil(BUDGET_UNIT)).unwrap_or(MOST).min(MOST)
}

type Job = Box<dyn FnOnce() + Send>;

/// Threads that take work from one bounded queue.
#[derive(Debug)]
struct CpuPool {
    jobs: SyncSender<Job>,
    /// One for each caller that is let in, waiting or working: threads plus queue.
    places: Arc<Semaphore>,
    capacity: usize,
    threads: usize,
    pace: Arc<Pace>,
}

impl CpuPool {
    fn start(threads: usize, queue: usize) -> io::Result<Self> {
        let capacity = threads.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        // A caller has one job at a time, so what has a place always fits into the channel.
        let (jobs, receiver) = mpsc::sync_channel(capacity);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..threads {
            let receiver = Arc::clone(&receiver);
            thread::Builder::new().name(format!("inference-{number}")).spawn(move || work_off(&receiver))?;
        }
        let places = Arc::new(Semaphore::new(capacity));
        Ok(Self { jobs, places, capacity, threads, pace: Arc::default() })
    }

    /// A place in the queue, or a word when one is likely to be free.
    fn enter(&self) -> Result<Place<'_>, InferenceError> {
        match self.places.clone().try_acquire_owned() {
            Ok(permit) => {
                gauge!("gourmetgram_inference_admitted").increment(1.0);
                Ok(Place { pool: self, permit: Arc::new(Admission(permit)) })
            }
            Err(_) => {
                counter!("gourmetgram_inference_refused_total").increment(1);
                Err(InferenceError::Busy { retry_after_seconds: self.retry_after_seconds() })
            }
        }
    }

    /// How long all callers together will take, by the pace of late; asked when every place is taken.
    fn retry_after_seconds(&self) -> u64 {
        let jobs = self.capacity * JOBS_A_PHOTO;
        let seconds = self.pace.mean().as_secs_f64() * jobs as f64 / self.threads as f64;
        (seconds.ceil() as u64).clamp(1, 60)
    }
}

/// A permit that shows in the gauge for as long as it lives.
#[derive(Debug)]
struct Admission(#[expect(dead_code, reason = "held, never read")] OwnedSemaphorePermit);

impl Drop for Admission {
    fn drop(&mut self) {
        gauge!("gourmetgram_inference_admitted").decrement(1.0);
    }
}

/// A caller's place in the pool.
struct Place<'pool> {
    pool: &'pool CpuPool,
    permit: Arc<Admission>,
}

impl Place<'_> {
    /// Runs `work` on a thread of the pool, within the caller's tracing span.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, InferenceError> {
        let (reply, answer) = oneshot::channel();
        let (span, pace, permit) = (Span::current(), Arc::clone(&self.pool.pace), Arc::clone(&self.permit));
        let queued = Instant::now();
        let job = move || {
            // The place is given back when the job is over, even if its caller has left before.
            let _permit = permit;
            histogram!("gourmetgram_inference_wait_seconds").record(queued.elapsed());
            if reply.is_closed() {
                counter!("gourmetgram_inference_abandoned_total").increment(1);
                return;
            }
            let _running = Running::begin();
            let began = Instant::now();
            // Unwind-safe: what the work owns is dropped with it, and it shares only the model, which it cannot change.
            let result = span.in_scope(|| panic::catch_unwind(AssertUnwindSafe(work)));
            let took = began.elapsed();
            pace.record(took);
            histogram!("gourmetgram_inference_seconds").record(took);
            let result = result.map_err(|_| {
                counter!("gourmetgram_inference_panics_total").increment(1);
                InferenceError::Panicked
            });
            // Nobody may be listening any more; then the answer is for nobody.
            let _ = reply.send(result);
        };
        self.pool.jobs.try_send(Box::new(job)).map_err(|_| InferenceError::Stopped)?;
        answer.await.map_err(|_| InferenceError::Stopped)?
    }
}

/// A thread's life: takes jobs until the pool is dropped.
fn work_off(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting, so the other threads wait for the lock instead; it is released before the
        // job runs.
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(),
            Err(_) => break,
        }
    }
}

/// Shows in the gauge for as long as it lives.
struct Running;

impl Running {
    fn begin() -> Self {
        gauge!("gourmetgram_inference_running").increment(1.0);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        gauge!("gourmetgram_inference_running").decrement(1.0);
    }
}

/// How long a job takes, of late: a moving average.
#[derive(Debug, Default)]
struct Pace {
    mean_micros: AtomicU64,
}

impl Pace {
    fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // Two threads may overwrite each other's step; an average does not mind.
        let mean = self.mean_micros.load(Ordering::Relaxed);
        let next = if mean == 0 { micros } else { mean - mean / 8 + micros / 8 };
        self.mean_micros.store(next, Ordering::Relaxed);
    }

    fn mean(&self) -> Duration {
        Duration::from_micros(self.mean_micros.load(Ordering::Relaxed))
    }
}

fn describe_metrics() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

    describe_gauge!("gourmetgram_inference_admitted", "Photos that are in: waiting or being worked on");
    describe_gauge!("gourmetgram_inference_running", "Threads at work");
    describe_histogram!(
        "gourmetgram_inference_seconds",
        Unit::Seconds,
        "One step of work: headers, or decode and classify"
    );
    describe_histogram!("gourmetgram_inference_wait_seconds", Unit::Seconds, "Waiting for a thread");
    describe_counter!("gourmetgram_inference_refused_total", "Photos refused because every place was taken");
    describe_counter!("gourmetgram_inference_abandoned_total", "Work dropped because its caller had gone");
    describe_counter!("gourmetgram_inference_panics_total", "Work that panicked");
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    /// Keeps the only thread of a pool busy until released.
    struct Occupied {
        release: mpsc::Sender<()>,
        done: tokio::task::JoinHandle<Result<(), InferenceError>>,
    }

    async fn occupy(pool: &Arc<CpuPool>) -> Occupied {
        let (release, released) = mpsc::channel::<()>();
        let (started, has_started) = oneshot::channel();
        let pool = Arc::clone(pool);
        let done = tokio::spawn(async move {
            let place = pool.enter()?;
            place
                .run(move || {
                    let _ = started.send(());
                    let _ = released.recv();
                })
                .await
        });
        has_started.await.unwrap();
        Occupied { release, done }
    }

    impl Occupied {
        async fn release(self) {
            self.release.send(()).unwrap();
            self.done.await.unwrap().unwrap();
        }
    }

    fn pool(queue: usize) -> Arc<CpuPool> {
        Arc::new(CpuPool::start(1, queue).unwrap())
    }

    #[tokio::test]
    async fn one_more_than_the_queue_holds_is_told_when_to_come_back() {
        let pool = pool(1);
        let occupied = occupy(&pool).await;
        let waiting = pool.enter().unwrap();
        let Err(InferenceError::Busy { retry_after_seconds }) = pool.enter().map(drop) else {
            panic!("the queue has one place and it is taken");
        };
        assert!((1..=60).contains(&retry_after_seconds));
        occupied.release().await;
        assert_eq!(waiting.run(|| 7).await.unwrap(), 7);
        drop(waiting);
        assert!(pool.enter().is_ok(), "the places are free again");
    }

    #[tokio::test]
    async fn work_whose_caller_has_gone_never_runs() {
        let pool = pool(1);
        let occupied = occupy(&pool).await;
        let has_run = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&has_run);
        let caller = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.enter()?.run(move || flag.store(true, Ordering::SeqCst)).await }
        });
        // The job is in the queue when no place is left.
        while pool.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        assert!(pool.enter().is_err(), "its place is taken until a thread has seen that it is not wanted");
        occupied.release().await;
        // First in, first out: once this has run, the abandoned job has been passed over.
        while pool.places.available_permits() < 2 {
            tokio::task::yield_now().await;
        }
        pool.enter().unwrap().run(|| ()).await.unwrap();
        assert!(!has_run.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_panic_ends_one_request_and_no_thread() {
        let pool = pool(0);
        let outcome = pool.enter().unwrap().run(|| panic!("a defect, on purpose")).await;
        assert!(matches!(outcome, Err(InferenceError::Panicked)), "{outcome:?}");
        // The answer is sent before its place is given back.
        while pool.places.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.enter().unwrap().run(|| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn work_keeps_the_callers_span() {
        let subscriber = tracing_subscriber::registry();
        let _guard = tracing::subscriber::set_default(subscriber);
        let span = tracing::info_span!("request");
        let pool = pool(0);
        // The current span is known by its id, on whatever thread; the subscriber is not, so the id is what to compare.
        let expected = span.id();
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let run = async {
            let place = pool.enter().unwrap();
            place.run(move || tracing::dispatcher::with_default(&dispatch, || Span::current().id())).await.unwrap()
        };
        let found = tracing::Instrument::instrument(run, span).await;
        assert!(expected.is_some());
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn waiting_does_not_block_the_runtime() {
        // This test's runtime has one thread: if waiting blocked it, nobody could release the pool.
        let pool = pool(1);
        let occupied = occupy(&pool).await;
        let waiting = pool.enter().unwrap();
        let mut answer = std::pin::pin!(waiting.run(|| 7));
        let early = tokio::time::timeout(Duration::from_millis(20), &mut answer).await;
        assert!(early.is_err(), "the only thread is busy");
        occupied.release().await;
        assert_eq!(answer.await.unwrap(), 7);
    }

    mod with_the_default_model {
        use super::*;

        fn inference(decoded_bytes_budget: u64) -> InferencePool {
            let model = Arc::new(gourmetgram_classifier::default_model().unwrap());
            let limits = UploadLimits::default();
            InferencePool::start(model, InferenceSettings { threads: 2, queue: 8, decoded_bytes_budget, limits })
                .unwrap()
        }

        /// A gray PNG of so many pixels, all the same.
        fn picture() -> Bytes {
            Bytes::from_static(include_bytes!("../../classifier/tests/pictures/rgb.png"))
        }

        #[tokio::test]
        async fn a_photo_is_answered_and_described() {
            let classified = inference(512_000_000).classify(picture()).await.unwrap();
            let sum: f32 = classified.answer.probabilities.iter().sum();
            assert!((sum - 1.0).abs() < 1e-5);
            assert_eq!(classified.info.format.content_type(), "image/png");
            assert_eq!(classified.model.version().as_str(), "food64-1");
        }

        #[tokio::test]
        async fn what_is_no_photo_is_the_senders_fault() {
            let outcome = inference(512_000_000).classify(Bytes::from_static(b"hello")).await;
            assert!(matches!(outcome, Err(InferenceError::Photo(PhotoError::NotAPicture))), "{outcome:?}");
        }

        #[tokio::test]
        async fn a_photo_that_alone_exceeds_the_budget_is_refused() {
            let outcome = inference(10_000).classify(picture()).await;
            assert!(matches!(outcome, Err(InferenceError::OverBudget { .. })), "{outcome:?}");
        }

        #[tokio::test]
        async fn photos_wait_for_the_budget_and_give_it_back() {
            let picture = picture();
            let needed = probe(&picture, &UploadLimits::default()).unwrap().decoded_bytes(64);
            // Room for one at a time.
            let inference = Arc::new(inference(needed + BUDGET_UNIT));
            let all = inference.budget.available_permits();
            let held = inference.reserve(needed).await.unwrap();
            let waiting = tokio::spawn({
                let (inference, picture) = (Arc::clone(&inference), picture.clone());
                async move { inference.classify(picture).await }
            });
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert!(!waiting.is_finished(), "the budget is spent");
            drop(held);
            waiting.await.unwrap().unwrap();
            assert_eq!(inference.budget.available_permits(), all);
        }

        #[tokio::test]
        async fn a_replaced_model_answers_the_next_photo() {
            let inference = inference(512_000_000);
            let other = Arc::new(gourmetgram_classifier::default_model().unwrap());
            inference.replace_model(Arc::clone(&other));
            let classified = inference.classify(picture()).await.unwrap();
            assert!(Arc::ptr_eq(&classified.model, &other));
        }
    }
}
