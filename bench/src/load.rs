//! A client that loads a server over connections that stay open, and keeps every latency, so that quantiles are exact.

use std::{
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::{net::TcpStream, task::JoinSet, time};

const BOUNDARY: &str = "gourmetgram-bench";

#[derive(clap::Args)]
pub struct Options {
    /// Host and port of the server.
    #[arg(long)]
    host: String,
    /// What is sent where.
    #[arg(long, value_enum)]
    route: Route,
    /// Clients; each sends its next photo when it has the last one's answer.
    #[arg(long, default_value_t = 1)]
    clients: usize,
    /// Photos a second instead, sent whether or not earlier ones were answered; `clients` is then ignored.
    #[arg(long)]
    rate: Option<f64>,
    /// Seconds that count.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Seconds before that do not.
    #[arg(long, default_value_t = 0.5)]
    warm_up: f64,
    /// Photos, sent in turn.
    photos: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Route {
    /// `POST /predict`: base64 in JSON.
    Predict,
    /// `POST /api/v1/predictions`: multipart.
    Predictions,
}

impl Route {
    fn path(self) -> &'static str {
        match self {
            Self::Predict => "/predict",
            Self::Predictions => "/api/v1/predictions",
        }
    }

    fn content_type(self) -> String {
        match self {
            Self::Predict => "application/json".to_owned(),
            Self::Predictions => format!("multipart/form-data; boundary={BOUNDARY}"),
        }
    }

    fn body(self, photo: &[u8]) -> Bytes {
        match self {
            Self::Predict => format!("{{\"image\":\"{}\"}}", BASE64_STANDARD.encode(photo)).into(),
            Self::Predictions => {
                let head = format!(
                    "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"photo.jpg\"\r\n\
                     Content-Type: image/jpeg\r\n\r\n"
                );
                [head.as_bytes(), photo, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat().into()
            }
        }
    }
}

/// What became of one request.
struct Outcome {
    sent: Instant,
    took: Duration,
    /// `None` where the connection broke.
    status: Option<u16>,
}

/// Everything a row of the table needs.
#[derive(Serialize)]
struct Report {
    seconds: f64,
    answered: Latencies,
    /// Told to come back later: 503.
    refused: Latencies,
    /// Any other status, and broken connections.
    failed: usize,
    per_second: f64,
}

#[derive(Serialize)]
struct Latencies {
    count: usize,
    p50_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

impl Latencies {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let at = |share: f64| {
            let index = (share * took.len() as f64).ceil() as usize;
            took.get(index.saturating_sub(1)).map_or(0.0, |took| took.as_secs_f64() * 1e3)
        };
        Self { count: took.len(), p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1.0) }
    }
}

#[expect(clippy::print_stdout, reason = "the report is what this command is for")]
pub fn run(options: Options) -> anyhow::Result<()> {
    ensure!(!options.photos.is_empty(), "name at least one photo");
    let bodies: Vec<Bytes> = options
        .photos
        .iter()
        .map(|path| fs::read(path).with_context(|| format!("{} cannot be read", path.display())))
        .map(|photo| photo.map(|photo| options.route.body(&photo)))
        .collect::<Result<_, _>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(load(Arc::new(Target { options, bodies })))?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

struct Target {
    options: Options,
    bodies: Vec<Bytes>,
}

impl Target {
    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&self.options.host).await.context("no connection")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn send(&self, sender: &mut SendRequest<Full<Bytes>>, number: usize) -> anyhow::Result<u16> {
        let route = self.options.route;
        let request = Request::post(route.path())
            .header(header::HOST, &self.options.host)
            .header(header::CONTENT_TYPE, route.content_type())
            .body(Full::new(self.bodies[number % self.bodies.len()].clone()))?;
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        response.into_body().collect().await?;
        Ok(status)
    }

    async fn time(&self, sender: &mut SendRequest<Full<Bytes>>, number: usize) -> Outcome {
        let sent = Instant::now();
        let status = self.send(sender, number).await.ok();
        Outcome { sent, took: sent.elapsed(), status }
    }
}

async fn load(target: Arc<Target>) -> anyhow::Result<Report> {
    let begin = Instant::now() + Duration::from_secs_f64(target.options.warm_up);
    let end = begin + Duration::from_secs_f64(target.options.seconds);
    let outcomes = match target.options.rate {
        None => in_turn(&target, end).await?,
        Some(rate) => at_a_rate(&target, rate, end).await?,
    };
    let counted: Vec<Outcome> =
        outcomes.into_iter().filter(|outcome| outcome.sent >= begin && outcome.sent < end).collect();
    let took = |wanted: fn(u16) -> bool| {
        counted.iter().filter(|outcome| outcome.status.is_some_and(wanted)).map(|outcome| outcome.took).collect()
    };
    let answered = Latencies::of(took(|status| (200..300).contains(&status)));
    let refused = Latencies::of(took(|status| status == 503));
    let seconds = target.options.seconds;
    Ok(Report {
        seconds,
        failed: counted.len() - answered.count - refused.count,
        per_second: answered.count as f64 / seconds,
        answered,
        refused,
    })
}

/// Clients that wait for each answer.
async fn in_turn(target: &Arc<Target>, end: Instant) -> anyhow::Result<Vec<Outcome>> {
    let mut clients = JoinSet::new();
    for client in 0..target.options.clients {
        let target = Arc::clone(target);
        clients.spawn(async move {
            let mut outcomes = Vec::new();
            let mut sender = target.connect().await?;
            let mut number = client;
            while Instant::now() < end {
                let outcome = target.time(&mut sender, number).await;
                if outcome.status.is_none() {
                    sender = target.connect().await?;
                }
                outcomes.push(outcome);
                number += 1;
            }
            anyhow::Ok(outcomes)
        });
    }
    let mut outcomes = Vec::new();
    while let Some(client) = clients.join_next().await {
        outcomes.extend(client??);
    }
    Ok(outcomes)
}

/// Clients that do not wait for one another: each photo has a connection of its own.
async fn at_a_rate(target: &Arc<Target>, rate: f64, end: Instant) -> anyhow::Result<Vec<Outcome>> {
    let mut clients = JoinSet::new();
    let mut ticks = time::interval(Duration::from_secs_f64(1.0 / rate));
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Burst);
    for number in 0.. {
        ticks.tick().await;
        if Instant::now() >= end {
            break;
        }
        let target = Arc::clone(target);
        clients.spawn(async move {
            let sent = Instant::now();
            match target.connect().await {
                Ok(mut sender) => Outcome { sent, ..target.time(&mut sender, number).await },
                Err(_) => Outcome { sent, took: sent.elapsed(), status: None },
            }
        });
    }
    let mut outcomes = Vec::new();
    while let Some(client) = clients.join_next().await {
        outcomes.push(client?);
    }
    Ok(outcomes)
}
