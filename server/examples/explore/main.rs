//! How long pages of the list of photos take: `make bench-explore`.
//!
//! Fills a catalog with 10,000, 100,000 and 1,000,000 predictions, on SQLite and (where GOURMETGRAM_TEST_POSTGRES_URL
//! names one) PostgreSQL, and prints how long the server's own queries take, as tables for docs/benchmarks.md. The
//! words `plans` as an argument prints how the database finds each page instead.

mod filling;
mod labelling;

use std::time::{Duration, Instant};

use anyhow::Context;
use gourmetgram::catalog::{Catalog, Whose};
use gourmetgram_api::{Confidence, FlagReason, Place, PredictionQuery, SortKey};
use sea_orm::{ConnectionTrait, Database};
use secrecy::SecretString;

const SIZES: [i64; 3] = [10_000, 100_000, 1_000_000];
/// Each question is asked so often; the median counts.
const REPEATS: usize = 7;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let plans = arguments.iter().any(|argument| argument == "plans");
    let sizes: Vec<i64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    let folder = tempfile::tempdir()?;
    measure("SQLite", &format!("sqlite:{}", folder.path().join("catalog.sqlite").display()), &sizes, plans).await?;
    match std::env::var("GOURMETGRAM_TEST_POSTGRES_URL") {
        Ok(server) => {
            let connection = Database::connect(&server).await.context("PostgreSQL cannot be reached")?;
            let name = format!("bench_{}", uuid::Uuid::now_v7().simple());
            connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
            let mut url = url::Url::parse(&server)?;
            url.set_path(&name);
            let outcome = measure("PostgreSQL", url.as_str(), &sizes, plans).await;
            connection.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
            outcome?;
        }
        Err(_) => say("GOURMETGRAM_TEST_POSTGRES_URL names no PostgreSQL: left out"),
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "its output is for people")]
fn say(line: &str) {
    println!("{line}");
}

/// A question, without its order.
fn questions() -> Vec<(&'static str, PredictionQuery)> {
    let all = PredictionQuery { limit: Some(60), ..PredictionQuery::default() };
    let confidence = |value: f32| Confidence::new(value).ok();
    let day = |day: &str| day.parse().ok();
    vec![
        ("all, first page", all.clone()),
        ("one class", PredictionQuery { class: Some("Soup".to_owned()), ..all.clone() }),
        (
            "confidence 40 to 60 %",
            PredictionQuery { confidence_min: confidence(0.4), confidence_max: confidence(0.6), ..all.clone() },
        ),
        (
            "confidence 50.00 to 50.02 %",
            PredictionQuery { confidence_min: confidence(0.5), confidence_max: confidence(0.5002), ..all.clone() },
        ),
        ("flagged", PredictionQuery { flagged: Some(true), ..all.clone() }),
        ("flagged as no food", PredictionQuery { reason: Some(FlagReason::NotFood), ..all.clone() }),
        ("not flagged", PredictionQuery { flagged: Some(false), ..all.clone() }),
        ("corrected", PredictionQuery { corrected: Some(true), ..all.clone() }),
        ("annotated", PredictionQuery { annotated: Some(true), ..all.clone() }),
        ("by one annotator", PredictionQuery { annotator: Some("annotator 3".to_owned()), ..all.clone() }),
        ("labelled as Soup", PredictionQuery { label: Some("Soup".to_owned()), ..all.clone() }),
        (
            "a campaign's label, of one version",
            PredictionQuery {
                label: Some("Soup".to_owned()),
                campaign: Some(labelling::CAMPAIGN.to_owned()),
                model_version: Some("food64-2".to_owned()),
                ..all.clone()
            },
        ),
        ("a trial's model version", PredictionQuery { model_version: Some("trial-3".to_owned()), ..all.clone() }),
        ("the old model version", PredictionQuery { model_version: Some("food64-1".to_owned()), ..all.clone() }),
        (
            "one day",
            PredictionQuery { from: day("2025-11-25T00:00:00Z"), to: day("2025-11-26T00:00:00Z"), ..all.clone() },
        ),
        ("in label-wait", PredictionQuery { place: Some(Place::LabelWait), ..all.clone() }),
        ("in clean", PredictionQuery { place: Some(Place::Clean), ..all.clone() }),
        (
            "one class, flagged, unsure",
            PredictionQuery {
                class: Some("Soup".to_owned()),
                flagged: Some(true),
                confidence_max: confidence(0.2),
                ..all.clone()
            },
        ),
        (
            "nothing: noisy and corrected by nobody's model",
            PredictionQuery {
                place: Some(Place::Noisy),
                corrected: Some(true),
                model_version: Some("none".to_owned()),
                ..all.clone()
            },
        ),
        (
            "nothing: one class, sure, on a day without photos",
            PredictionQuery {
                class: Some("Soup".to_owned()),
                confidence_min: confidence(0.99),
                from: day("2025-01-01T00:00:00Z"),
                to: day("2025-01-02T00:00:00Z"),
                ..all
            },
        ),
    ]
}

/// The middle of a list: what a page there is asked by.
async fn deep(catalog: &Catalog, sort: SortKey, size: i64) -> anyhow::Result<PredictionQuery> {
    let all = PredictionQuery { sort: Some(sort), limit: Some(60), ..PredictionQuery::default() };
    let beyond = match sort {
        SortKey::Time => {
            let middle = chrono::DateTime::from_timestamp_millis(1_764_000_000_001 + size / 2 * 10_000);
            PredictionQuery { to: middle, ..all.clone() }
        }
        SortKey::Confidence => PredictionQuery { confidence_min: Confidence::new(0.5).ok(), ..all.clone() },
        SortKey::Class => PredictionQuery { class: Some("Meat".to_owned()), ..all.clone() },
    };
    let page = catalog.predictions(Whose::Everybodys, &beyond).await?;
    Ok(PredictionQuery { cursor: page.next_cursor, ..all })
}

async fn measure(database: &str, url: &str, sizes: &[i64], plans: bool) -> anyhow::Result<()> {
    let url = SecretString::from(url);
    let catalog = Catalog::open(&url, 0).await?;
    let connection = Database::connect(secrecy::ExposeSecret::expose_secret(&url)).await?;
    let mut filled = 0;
    for &size in sizes {
        let began = Instant::now();
        filling::fill(&connection, filled, size, size).await?;
        labelling::label(&connection).await?;
        filling::analyze(&connection).await?;
        // As after a restart: connections that have not looked at the database before.
        let catalog = {
            drop(catalog.clone());
            Catalog::open(&url, 0).await?
        };
        say(&format!("\n{database}, {size} predictions ({} more in {:.0?})\n", size - filled, began.elapsed()));
        filled = size;
        if !plans {
            say("| | by time | by confidence | by class |\n|---|---|---|---|");
        }
        let mut middle = Vec::new();
        for sort in SortKey::ALL {
            middle.push(deep(&catalog, sort, size).await?);
        }
        line(&catalog, "all, a page in the middle", &middle, plans).await?;
        for (name, question) in questions() {
            let sorted = SortKey::ALL.map(|sort| PredictionQuery { sort: Some(sort), ..question.clone() });
            line(&catalog, name, &sorted, plans).await?;
        }
        if !plans {
            let counted = PredictionQuery { limit: Some(1), count: Some(true), ..PredictionQuery::default() };
            let counting = median(async || catalog.predictions(Whose::Everybodys, &counted).await.map(drop)).await?;
            let facets = median(async || catalog.facets().await.map(drop)).await?;
            say(&format!("\nCounting to 1,000: {}. What filters offer: {}.", ms(counting), ms(facets)));
        }
    }
    Ok(())
}

async fn line(catalog: &Catalog, name: &str, sorted: &[PredictionQuery], plans: bool) -> anyhow::Result<()> {
    let mut times = Vec::new();
    for query in sorted {
        if plans {
            let plan = catalog.explain(Whose::Everybodys, query, false).await?;
            say(&format!(
                "{name}, by {}:\n    {}",
                query.sort.unwrap_or_default().as_str(),
                plan.replace('\n', "\n    ")
            ));
        } else {
            times.push(ms(median(async || catalog.predictions(Whose::Everybodys, query).await.map(drop)).await?));
        }
    }
    if !plans {
        say(&format!("| {name} | {} |", times.join(" | ")));
    }
    Ok(())
}

async fn median<E>(mut work: impl AsyncFnMut() -> Result<(), E>) -> Result<Duration, E> {
    let mut times = Vec::with_capacity(REPEATS);
    for _ in 0..REPEATS {
        let began = Instant::now();
        work().await?;
        times.push(began.elapsed());
    }
    times.sort();
    Ok(times[REPEATS / 2])
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
