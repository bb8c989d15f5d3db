//! How long the dashboard takes, however many photos there are: `make bench-evaluating`.
//!
//! For 10,000, 100,000 and 1,000,000 predictions (or those that are given as arguments), on SQLite and (where
//! GOURMETGRAM_TEST_POSTGRES_URL names one) PostgreSQL, it fills a catalog of its own, has a campaign select day by day, labels
//! everything chosen, and starts the server. It prints how long counting everything took, and the times of `/dashboard` and of
//! `GET /api/v1/evaluation`, beside the smallest catalog's. With `--within 1.5` a ratio above that is a failure.

mod filling;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use gourmetgram::{
    accounts::Scope,
    app::Application,
    catalog::now,
    config::Settings,
    http::{new_access_token, sha256_hex},
};
use gourmetgram_api::{CampaignRule, Interval, LabelledIn, LowConfidence, NewCampaign, RandomDraw};
use sea_orm::{ConnectionTrait, Database};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

const SIZES: [i64; 3] = [10_000, 100_000, 1_000_000];
/// Each question is asked so often; the median of the fastest quarter counts, because other work only ever adds.
const REPEATS: usize = 40;
const QUESTIONS: [&str; 4] =
    ["/dashboard", "/api/v1/evaluation", "/api/v1/evaluation?window=1d", "/api/v1/evaluation?window=all"];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let within = arguments.iter().position(|word| word == "--within").and_then(|at| arguments.get(at + 1));
    let within: Option<f64> = within.map(|text| text.parse()).transpose().context("--within takes a number")?;
    let sizes: Vec<i64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    let mut worst: f64 = 0.0;
    worst = worst.max(measure("SQLite", None, &sizes).await?);
    match std::env::var("GOURMETGRAM_TEST_POSTGRES_URL") {
        Ok(server) => worst = worst.max(measure("PostgreSQL", Some(&server), &sizes).await?),
        Err(_) => say("GOURMETGRAM_TEST_POSTGRES_URL names no PostgreSQL: left out"),
    }
    if let Some(within) = within {
        ensure!(
            worst <= within,
            "the slowest took {worst:.2} times as long as with the fewest photos, more than {within}"
        );
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "its output is for people")]
fn say(line: &str) {
    println!("{line}");
}

/// Answers the greatest ratio to the first size.
async fn measure(name: &str, postgres: Option<&str>, sizes: &[i64]) -> anyhow::Result<f64> {
    say(&format!("\n{name}\n\n| predictions | labels | counting all of them | {} |", QUESTIONS.join(" | ")));
    say("|---|---|---|---|---|---|---|");
    let (mut first, mut worst) = (None, 1.0_f64);
    for &size in sizes {
        let database = match postgres {
            None => None,
            Some(server) => {
                let connection = Database::connect(server).await.context("PostgreSQL cannot be reached")?;
                let database = format!("bench_{}", uuid::Uuid::now_v7().simple());
                connection.execute_unprepared(&format!("CREATE DATABASE {database}")).await?;
                Some((connection, database, server))
            }
        };
        let url = database.as_ref().map(|(_, database, server)| {
            let mut url = url::Url::parse(server)?;
            url.set_path(database);
            anyhow::Ok(url.to_string())
        });
        let times = of_size(size, url.transpose()?).await;
        if let Some((connection, database, _)) = database {
            connection.execute_unprepared(&format!("DROP DATABASE {database} WITH (FORCE)")).await?;
        }
        let Measured { labels, counting, times } = times?;
        let least = first.get_or_insert_with(|| times.clone());
        let cells = times.iter().zip(least.iter()).map(|(time, least)| {
            let ratio = time.as_secs_f64() / least.as_secs_f64();
            worst = worst.max(ratio);
            format!("{:.1} ms ({ratio:.2})", time.as_secs_f64() * 1000.0)
        });
        let cells: Vec<String> = cells.collect();
        say(&format!("| {size} | {labels} | {:.1} s | {} |", counting.as_secs_f64(), cells.join(" | ")));
    }
    Ok(worst)
}

struct Measured {
    labels: u64,
    counting: Duration,
    times: Vec<Duration>,
}

async fn of_size(size: i64, url: Option<String>) -> anyhow::Result<Measured> {
    let folder = tempfile::tempdir()?;
    let mut settings = Settings { data_dir: folder.path().to_owned(), ..Settings::default() };
    settings.server.listen.set_port(0);
    settings.server.shutdown_grace_seconds = 1;
    settings.limits.reads_per_minute = 0;
    settings.pipelines.enabled = false;
    settings.evaluation.publish_every_hours = 0;
    settings.records.every_seconds = 1_000_000;
    settings.log.filter = "error".to_owned();
    settings.catalog.url = url.map(Into::into);
    // Nothing is carried over: nobody listens there.
    settings.s3.endpoint = Some("http://127.0.0.1:1".to_owned());
    settings.s3.access_key_id = Some("key".to_owned());
    settings.s3.secret_access_key = Some("secret".to_owned().into());
    let application = Application::build(settings).await?;
    let app = application.app().clone();
    let catalog = app.catalog();
    let connection = Database::connect(app.settings().catalog_url().expose_secret()).await?;
    let at = now();
    let start = filling::fill(&connection, size, &app.live_model().version, at).await?;
    let asked = NewCampaign {
        name: "Continuous".to_owned(),
        rule: CampaignRule::Continuous {
            unsure: LowConfidence::default(),
            low_confidence_at_most: None,
            flagged_at_most: None,
            corrected_at_most: None,
            random: RandomDraw::Rate(0.05),
        },
        blind: true,
        labelled_in: LabelledIn::Review,
        double_share: 0.0,
        starts_at: None,
        ends_at: None,
        seed: Some(1),
        schedule: None,
    };
    let campaign = catalog.add_campaign(&asked).await?.context("the name is taken")?;
    let mut from = start;
    while from < at {
        let to = from + TimeDelta::days(1);
        catalog.select(campaign.id, Interval { start: from, end: to }, false).await?;
        from = to;
    }
    filling::label(&connection).await?;
    // As where everything has been carried over and recorded.
    for table in ["outbox", "record_marks"] {
        connection.execute_unprepared(&format!("DELETE FROM {table}")).await?;
    }
    catalog.take_stock().await?;
    if connection.get_database_backend() == sea_orm::DbBackend::Postgres {
        connection.execute_unprepared("VACUUM ANALYZE").await?;
    }
    let began = Instant::now();
    while !catalog.count_evaluations(None, 10_000, now()).await? {}
    let counting = began.elapsed();

    let token = new_access_token();
    let hash = sha256_hex(token.expose_secret().as_bytes());
    catalog.add_access_token("bench", &[Scope::Admin].into_iter().collect(), hash, None).await?;
    let address = application.url()?;
    let stop = CancellationToken::new();
    let until = stop.clone();
    let serving = tokio::spawn(application.run(until));
    let client = reqwest::Client::new();
    let mut labels = 0;
    let mut times = Vec::new();
    for question in QUESTIONS {
        let mut own = Vec::with_capacity(REPEATS);
        for _ in 0..REPEATS {
            let began = Instant::now();
            let asked = client.get(format!("{address}{question}")).bearer_auth(token.expose_secret());
            let answer = asked.send().await?.error_for_status()?;
            let body = answer.bytes().await?;
            own.push(began.elapsed());
            if let Ok(evaluation) = serde_json::from_slice::<gourmetgram_api::Evaluation>(&body) {
                ensure!(evaluation.uncounted == 0, "{} changes are not counted", evaluation.uncounted);
                labels = labels.max(evaluation.headline.accuracy.labels);
            }
        }
        own.sort();
        times.push(own[REPEATS / 8]);
    }
    stop.cancel();
    serving.await??;
    connection.close().await?;
    Ok(Measured { labels, counting, times })
}
