//! How long a campaign takes to choose photos: `make bench-selecting`.
//!
//! Fills a catalog with 10,000, 100,000 and 1,000,000 predictions, on SQLite and (where GOURMETGRAM_TEST_POSTGRES_URL
//! names one) PostgreSQL, and has campaigns look at all of them, and at the last half hour of them: as tables for
//! docs/benchmarks.md. While photos are written it asks for another small write over and over, and tells the longest that one
//! waited: what an upload would have. Numbers as arguments are other sizes.

#[path = "../explore/filling.rs"]
mod filling;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::Context;
use chrono::{DateTime, TimeDelta};
use gourmetgram::catalog::Catalog;
use gourmetgram_api::{CampaignRule, Interval, LabelledIn, LowConfidence, NewCampaign, RandomDraw, Uncertainty};
use sea_orm::{ConnectionTrait, Database};
use secrecy::{ExposeSecret, SecretString};

const SIZES: [i64; 3] = [10_000, 100_000, 1_000_000];
/// Photos that are chosen of each interval.
const CHOSEN: u64 = 10_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sizes: Vec<i64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    let folder = tempfile::tempdir()?;
    for &size in &sizes {
        let file = folder.path().join(format!("{size}.sqlite"));
        measure("SQLite", &format!("sqlite:{}", file.display()), size).await?;
        let Ok(server) = std::env::var("GOURMETGRAM_TEST_POSTGRES_URL") else {
            say("GOURMETGRAM_TEST_POSTGRES_URL names no PostgreSQL: left out");
            continue;
        };
        let connection = Database::connect(&server).await.context("PostgreSQL cannot be reached")?;
        let name = format!("bench_{}", uuid::Uuid::now_v7().simple());
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
        let mut url = url::Url::parse(&server)?;
        url.set_path(&name);
        let outcome = measure("PostgreSQL", url.as_str(), size).await;
        connection.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        outcome?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "its output is for people")]
fn say(line: &str) {
    println!("{line}");
}

fn rules() -> Vec<(&'static str, CampaignRule)> {
    let random = RandomDraw::PerInterval(CHOSEN);
    let entropy = LowConfidence { measure: Uncertainty::Entropy, threshold: 0.99 };
    vec![
        ("random", CampaignRule::Random { draw: random }),
        ("unsure by entropy, capped", CampaignRule::LowConfidence { unsure: entropy, at_most: Some(CHOSEN) }),
    ]
}

async fn measure(database: &str, url: &str, size: i64) -> anyhow::Result<()> {
    let url = SecretString::from(url);
    let catalog = Catalog::open(&url, 0).await?;
    let connection = Database::connect(url.expose_secret()).await?;
    filling::fill(&connection, 0, size, size).await?;
    filling::analyze(&connection).await?;
    say(&format!("\n{database}, {size} predictions\n"));
    say("| | photos | chosen | looked ahead | chosen and written | another write waited |\n|---|---|---|---|---|---|");
    let first = DateTime::from_timestamp_millis(1_764_000_000_001).context("the first photo's time")?;
    let end = first + TimeDelta::seconds(size * 10);
    let all = Interval { start: first, end };
    let half_hour = Interval { start: end - TimeDelta::minutes(30), end };
    for (name, rule) in rules() {
        for (span, interval) in [("the last half hour", half_hour), ("all", all)] {
            let campaign = NewCampaign {
                name: format!("{name}, {span}"),
                rule: rule.clone(),
                blind: true,
                labelled_in: LabelledIn::Review,
                double_share: 0.05,
                starts_at: None,
                ends_at: None,
                seed: Some(1),
                schedule: None,
            };
            let campaign = catalog.add_campaign(&campaign).await?.context("the name is taken")?;
            let began = Instant::now();
            catalog.select(campaign.id, interval, true).await?;
            let ahead = began.elapsed();
            let began = Instant::now();
            let others = tokio::spawn(longest_wait(catalog.clone()));
            let selected = catalog.select(campaign.id, interval, false).await?;
            let written = began.elapsed();
            others.abort();
            let waited = LONGEST_WAIT_MS.swap(0, Ordering::Relaxed);
            say(&format!(
                "| {name}, {span} | {} | {} | {} | {} | {} |",
                selected.considered,
                selected.chosen,
                seconds(ahead),
                seconds(written),
                seconds(Duration::from_millis(waited))
            ));
        }
    }
    Ok(())
}

static LONGEST_WAIT_MS: AtomicU64 = AtomicU64::new(0);

/// Writes next to nothing, over and over.
async fn longest_wait(catalog: Catalog) {
    loop {
        let began = Instant::now();
        if catalog.release_claims(uuid::Uuid::nil()).await.is_err() {
            return;
        }
        let waited = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        LONGEST_WAIT_MS.fetch_max(waited, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
