//! How much one client may ask for: a budget for each kind of request, filled up again little by little.
//!
//! The budgets are of one node, in memory: behind several nodes a client has several. A client is an address (see
//! [`ClientAddress::network`]), because whatever else tells clients apart is theirs to change.

use std::{net::IpAddr, num::NonZeroU32, time::Duration};

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequestParts, Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use gourmetgram_api::{Problem, ProblemKind};
use governor::{DefaultKeyedRateLimiter, Quota, clock::Clock};

use super::{Caller, ClientAddress, Refusal, pages};
use crate::{accounts::Scope, app::App, config};

/// So many minutes' worth may come at once: an album chosen in one go, a page with all its pictures.
const BURST_MINUTES: u32 = 5;
/// Clients remembered in one budget, about 5 MB. Beyond that whole regions of the net share (see [`remembered_as`]).
const MAX_CLIENTS: usize = 50_000;
/// How often clients whose budget is full again are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// What a request takes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// A photo to classify.
    Uploads,
    /// Any other change.
    Feedback,
    /// Pages, files, queries.
    Reads,
    /// A try to sign in.
    SignIns,
}

impl Budget {
    /// What this request takes from; nothing for the one probe that must always answer, and for what the page is drawn
    /// with that says why there is no other.
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        match path {
            "/livez" => None,
            _ if method.is_safe() && is_dress(path) => None,
            _ if method.is_safe() => Some(Self::Reads),
            "/predict" | "/api/v1/predictions" | "/photos" => Some(Self::Uploads),
            "/login" => Some(Self::SignIns),
            _ => Some(Self::Feedback),
        }
    }

    /// What a client that has used it up is told.
    fn refusal(self, wait: Duration) -> Refusal {
        let seconds = wait.as_secs() + 1;
        let what = match self {
            Self::Uploads => "many photos were sent",
            Self::Feedback => "many changes were made",
            Self::Reads => "many requests were made",
            Self::SignIns => "many tries to sign in were made",
        };
        let when = if seconds == 1 { "in a second".to_owned() } else { format!("in {seconds} seconds") };
        let detail = format!("too {what} from your network in a short time: try again {when}");
        Refusal(Box::new(Problem::new(ProblemKind::RateLimited, detail).retry_after(seconds)))
    }
}

/// Style sheet and typeface: small files in memory, that browsers keep.
fn is_dress(path: &str) -> bool {
    path.starts_with("/pkg/") && (path.ends_with(".css") || path.ends_with(".woff2"))
}

/// The budgets of all clients.
pub struct RateLimits {
    uploads: Option<Clients>,
    feedback: Option<Clients>,
    reads: Option<Clients>,
    sign_ins: Option<Clients>,
}

impl RateLimits {
    /// Full budgets of these sizes.
    pub fn new(limits: &config::Limits) -> Self {
        Self {
            uploads: Clients::new(limits.uploads_per_minute),
            feedback: Clients::new(limits.feedback_per_minute),
            reads: Clients::new(limits.reads_per_minute),
            sign_ins: Clients::new(limits.sign_ins_per_minute),
        }
    }

    /// Takes one request from a client's budget.
    ///
    /// # Errors
    /// The budget is used up; the refusal says when to come back.
    pub fn take(&self, budget: Budget, client: ClientAddress) -> Result<(), Refusal> {
        match self.clients(budget) {
            None => Ok(()),
            Some(clients) => clients.take(client.network()).map_err(|wait| budget.refusal(wait)),
        }
    }

    fn clients(&self, budget: Budget) -> Option<&Clients> {
        match budget {
            Budget::Uploads => self.uploads.as_ref(),
            Budget::Feedback => self.feedback.as_ref(),
            Budget::Reads => self.reads.as_ref(),
            Budget::SignIns => self.sign_ins.as_ref(),
        }
    }

    fn forget_idle_clients(&self) {
        for clients in [&self.uploads, &self.feedback, &self.reads, &self.sign_ins].into_iter().flatten() {
            clients.limiter.retain_recent();
            clients.limiter.shrink_to_fit();
        }
    }
}

/// Forgets clients whose budgets are full again, for as long as it is polled.
pub async fn keep_small(app: App) {
    loop {
        tokio::time::sleep(FORGET_EVERY).await;
        app.rate_limits().forget_idle_clients();
    }
}

struct Clients {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
}

impl Clients {
    fn new(per_minute: u32) -> Option<Self> {
        let per_minute = NonZeroU32::new(per_minute)?;
        let burst = per_minute.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_MINUTES - 1));
        Some(Self { limiter: DefaultKeyedRateLimiter::keyed(Quota::per_minute(per_minute).allow_burst(burst)) })
    }

    /// Takes one; otherwise says how long to wait for the next.
    fn take(&self, network: IpAddr) -> Result<(), Duration> {
        let client = remembered_as(network, self.limiter.len() >= MAX_CLIENTS);
        self.limiter.check_key(&client).map_err(|until| until.wait_time_from(self.limiter.clock().now()))
    }
}

/// Under whose name a client is counted. When too many are remembered, whoever sends from a hundred thousand addresses
/// must not fill our memory: then the first 8 bits (IPv4) or 16 bits (IPv6) of an address are one client.
fn remembered_as(network: IpAddr, crowded: bool) -> IpAddr {
    match network {
        _ if !crowded => network,
        IpAddr::V4(address) => [address.octets()[0], 0, 0, 0].into(),
        IpAddr::V6(address) => [address.segments()[0], 0, 0, 0, 0, 0, 0, 0].into(),
    }
}

/// Middleware: takes each request from its client's budget, or refuses it.
pub async fn hold(State(app): State<App>, client: ClientAddress, request: Request, next: Next) -> Response {
    let Some(budget) = Budget::of(request.method(), request.uri().path()) else { return next.run(request).await };
    let Err(refusal) = app.rate_limits().take(budget, client) else { return next.run(request).await };
    let (mut parts, body) = request.into_parts();
    // Operators work through lists and run imports, and a replay is many visitors at one address; who they are is only
    // looked up once it matters.
    let is_exempt = |caller: Caller| caller.is_operator() || caller.may(Scope::PredictionsBackdate);
    if budget != Budget::SignIns && Caller::from_request_parts(&mut parts, &app).await.is_ok_and(is_exempt) {
        return next.run(Request::from_parts(parts, body)).await;
    }
    tracing::info!(%client, ?budget, "a client has used up its budget");
    let is_form = parts.method == Method::POST && parts.uri.path().starts_with("/photos");
    // A browser that is still sending would show a broken connection instead of the answer.
    drain(body, app.settings().server.max_photo_bytes).await;
    if is_form && app.rate_limits().take(Budget::Reads, client).is_ok() {
        return pages::page_with_problem(app, Request::from_parts(parts, Body::empty()), None, refusal).await;
    }
    refusal.into_response()
}

/// Reads a body and throws it away, up to a bound.
async fn drain(body: Body, at_most: u64) {
    if body.size_hint().lower() > at_most {
        return;
    }
    let mut chunks = body.into_data_stream();
    let mut drained = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        drained += chunk.len() as u64;
        if drained > at_most {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_budget_is_one_clients_own_and_says_when_there_is_more() {
        let clients = Clients::new(2).unwrap();
        let (ann, bob) = (address("203.0.113.5"), address("203.0.113.6"));
        for _ in 0..2 * BURST_MINUTES {
            clients.take(ann).unwrap();
        }
        let wait = clients.take(ann).unwrap_err();
        assert!(wait > Duration::from_secs(20) && wait <= Duration::from_secs(30), "{wait:?}");
        clients.take(bob).unwrap();
    }

    #[test]
    fn no_limit_is_zero() {
        assert!(Clients::new(0).is_none());
    }

    #[test]
    fn a_crowd_of_addresses_does_not_fill_the_memory() {
        let clients = Clients::new(1).unwrap();
        for number in 0..(MAX_CLIENTS as u32 + 20_000) {
            let _ = clients.take(IpAddr::from((0x0A00_0000 + number).to_be_bytes()));
        }
        let remembered = clients.limiter.len();
        assert!(remembered <= MAX_CLIENTS + 256, "{remembered}");
    }

    #[test]
    fn every_change_has_a_budget_and_only_the_probe_of_life_has_none() {
        for (method, path, budget) in [
            (Method::GET, "/livez", None),
            (Method::GET, "/readyz", Some(Budget::Reads)),
            (Method::GET, "/", Some(Budget::Reads)),
            (Method::GET, "/pkg/0123456789abcdef/gourmetgram.css", None),
            (Method::GET, "/pkg/0123456789abcdef/gourmetgram_bg.wasm", Some(Budget::Reads)),
            (Method::GET, "/photos.css", Some(Budget::Reads)),
            (Method::GET, "/login", Some(Budget::Reads)),
            (Method::POST, "/login", Some(Budget::SignIns)),
            (Method::POST, "/predict", Some(Budget::Uploads)),
            (Method::POST, "/photos", Some(Budget::Uploads)),
            (Method::POST, "/api/v1/predictions", Some(Budget::Uploads)),
            (Method::POST, "/photos/1/flag", Some(Budget::Feedback)),
            (Method::DELETE, "/api/v1/predictions/1", Some(Budget::Feedback)),
            (Method::POST, "/something/new", Some(Budget::Feedback)),
        ] {
            assert_eq!(Budget::of(&method, path), budget, "{method} {path}");
        }
    }
}
