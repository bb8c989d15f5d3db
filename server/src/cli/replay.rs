//! `gourmetgram replay`: photos as simulated visitors, for demonstrations, load and evaluation.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use clap::Args;
use gourmetgram_api::{Classes, LiveModel};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;

use super::print;
use crate::accounts::Scope;
use crate::replay::{Annotators, Arrivals, Pace, Plan, Progress, Report, Server, Shares, Source, Traffic, label, run};

/// What a replay's access token must be good for.
const SCOPES: [Scope; 4] =
    [Scope::PredictionsWrite, Scope::PredictionsBackdate, Scope::PredictionsRead, Scope::FeedbackWrite];
/// The same, where its photos are labelled, too.
const SCOPES_TO_LABEL: [Scope; 2] = [Scope::Admin, Scope::PredictionsBackdate];
/// How the arguments look.
const EXAMPLES: &str = "Example:
  A folder with a folder a class, as the past week's traffic, within about a minute:
    gourmetgram replay photos/ --over 7d --speedup 10000 --rhythm --token-file replay.token
  An archive as load, 20 photos a second:
    gourmetgram replay photos.zip --rate 20 --concurrency 32 --limit 5000 --token-file replay.token
  300 photos of dishes that nobody cooked:
    gourmetgram replay --made 300 --over 7d --speedup 10000 --token-file replay.token
  The same, and annotators who label nine tenths of what a campaign chooses of them (the token needs admin, too):
    gourmetgram replay --made 300 --over 7d --speedup 10000 --label Continuous --label-share 0.9 --token-file replay.token
  What would be sent:
    gourmetgram replay photos.zip --over 7d --dry-run

  A token for it:
    gourmetgram user token add replay \
      --scope predictions:write,predictions:backdate,predictions:read,feedback:write > replay.token

Everything sent is recorded as simulated. The same command again goes on where the last one stopped and sends nothing
twice; another --seed is another replay.";

/// What to replay, how fast, and how people behave.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReplayArguments {
    /// Folder or ZIP archive with photos, in folders named by class: class_07, 07, 7, or a label of the model.
    #[arg(value_name = "DIR|ZIP", required_unless_present = "made", conflicts_with = "made")]
    photos: Option<PathBuf>,
    /// So many photos of dishes that nobody cooked, painted for the purpose.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    made: Option<u32>,
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    /// File with the access token; without it the environment variable GOURMETGRAM_TOKEN holds the token.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// The same seed replays the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// At most so many photos.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Photos a second of simulated time, on average.
    #[arg(long, value_name = "NUMBER", default_value = "2", value_parser = positive, conflicts_with = "over")]
    rate: f64,
    /// Spread the photos over this past time instead, for example 7d or 36h; ends now, or begins at --start.
    #[arg(long, value_name = "TIME", value_parser = span)]
    over: Option<Duration>,
    /// Simulated time begins here, for example 2026-11-01T08:00:00Z.
    #[arg(long, value_name = "TIME")]
    start: Option<DateTime<Utc>>,
    /// Simulated time runs so many times faster than a clock. Without it, photos of the past are sent as fast as the
    /// server answers.
    #[arg(long, value_name = "NUMBER", value_parser = positive)]
    speedup: Option<f64>,
    /// People eat and sleep: more photos at mealtimes, few at night.
    #[arg(long)]
    rhythm: bool,
    /// At most so many requests at once.
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,
    /// How long a request is tried again while the server is busy or away.
    #[arg(long, default_value = "2m", value_name = "TIME", value_parser = span)]
    patience: Duration,

    /// Simulated visitors; some return often [default: a quarter of the photos].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    visitors: Option<u32>,
    /// How often a wrong answer is flagged, 0 to 1.
    #[arg(long, default_value_t = Shares::default().flag, value_name = "SHARE", value_parser = share)]
    flag_share: f64,
    /// How often a wrong answer is corrected.
    #[arg(long, default_value_t = Shares::default().correct, value_name = "SHARE", value_parser = share)]
    correct_share: f64,
    /// How often such a correction names a wrong class.
    #[arg(long, default_value_t = Shares::default().wrong, value_name = "SHARE", value_parser = share)]
    wrong_share: f64,
    /// How often a right answer is flagged or corrected all the same.
    #[arg(long, default_value_t = Shares::default().mistaken, value_name = "SHARE", value_parser = share)]
    mistaken_share: f64,
    /// How often a flag is taken back.
    #[arg(long, default_value_t = Shares::default().undo, value_name = "SHARE", value_parser = share)]
    undo_share: f64,

    /// Then have this campaign choose among the photos, and simulated annotators label them by the folders' names.
    #[arg(long, value_name = "CAMPAIGN")]
    label: Option<String>,
    /// How much of what it chose they label; the rest is left to people.
    #[arg(long, default_value_t = 1.0, value_name = "SHARE", value_parser = share, requires = "label")]
    label_share: f64,
    /// How often such a label names a wrong class.
    #[arg(long, default_value_t = 0.02, value_name = "SHARE", value_parser = share, requires = "label")]
    label_wrong_share: f64,

    /// Print the plan and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub async fn replay(arguments: ReplayArguments) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    if arguments.dry_run {
        return dry_run(&arguments, &stop).await;
    }
    let token = token(&arguments)?;
    let server = Server::new(&arguments.url, token, arguments.patience).context("cannot start the HTTP client")?;
    let model = server.model(&stop).await?;
    let source = open(&arguments, &model.classes)?;
    let plan = plan(&arguments, &source);
    let (pace, first_start) = pace(&arguments, &plan);
    let known = server.known(&plan.key.source(), &stop).await?;
    let start = known.and_then(|id| plan.start_of(id)).unwrap_or(first_start);
    if pace != Pace::Live {
        anyhow::ensure!(
            start + plan.length() <= Utc::now() || arguments.start.is_none(),
            "--start is too late: this replay would reach into the future; begin it {} earlier",
            humantime::format_duration(Duration::from_secs(
                (start + plan.length() - Utc::now()).num_seconds().max(0).unsigned_abs() + 1
            ))
        );
    }
    let photos = plan.visits.len();
    let on_signal = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            on_signal.cancel();
        }
    });
    let progress = Progress::new(photos as u64);
    let concurrency = usize::from(arguments.concurrency);
    let (plan, source, server) = (Arc::new(plan), Arc::new(source), Arc::new(server));
    let classes = model.classes.clone();
    let sending =
        run(plan.clone(), source.clone(), server.clone(), model, (pace, start), concurrency, progress, stop.clone());
    let mut report = sending.await?;
    let mut labelled = Ok(());
    if let Some(annotators) = annotators(&arguments)
        && verdict(&report).is_ok()
    {
        match label(&annotators, (&plan, &source, start), &server, &classes, &stop).await {
            Ok(labels) => report.labels = Some(labels),
            Err(trouble) => labelled = Err(trouble),
        }
    }
    let text = if arguments.json { format!("{}\n", serde_json::to_string(&report)?) } else { report.to_text() };
    print(&text)?;
    verdict(&report)?;
    labelled.context("the photos are there, but not labelled")
}

fn annotators(arguments: &ReplayArguments) -> Option<Annotators> {
    let campaign = arguments.label.clone()?;
    Some(Annotators { campaign, share: arguments.label_share, wrong: arguments.label_wrong_share })
}

/// Success, or one line that says what is missing and how to go on.
fn verdict(report: &Report) -> anyhow::Result<()> {
    let done = report.sent + report.already_there;
    anyhow::ensure!(
        !report.interrupted,
        "stopped after {done} of {} photos; the same command again goes on from there",
        report.photos
    );
    anyhow::ensure!(
        report.failed.is_empty(),
        "{} photos or words did not arrive ({}); the same command again sends them",
        report.failures(),
        report.failed.keys().next().map_or("", String::as_str)
    );
    anyhow::ensure!(
        done > 0 || report.photos == 0,
        "the server took none of {} photos: {}",
        report.photos,
        report.refused.keys().next().map_or("", String::as_str)
    );
    Ok(())
}

async fn dry_run(arguments: &ReplayArguments, stop: &CancellationToken) -> anyhow::Result<()> {
    let asked = Server::new(&arguments.url, SecretString::default(), Duration::from_millis(100))
        .context("cannot start the HTTP client")?;
    let (classes, whose) = match asked.model(stop).await {
        Ok(LiveModel { classes, version, .. }) => (classes, format!("{version} at {}", arguments.url)),
        Err(trouble) => {
            let built_in = gourmetgram_classifier::default_model().context("cannot load the built-in model")?;
            (built_in.classes().clone(), format!("the built-in model ({trouble})"))
        }
    };
    let source = open(arguments, &classes)?;
    let plan = plan(arguments, &source);
    let (pace, start) = pace(arguments, &plan);
    let time = |visit: Option<&crate::replay::Visit>| visit.map(|visit| plan.time(visit, start));
    let (from, to) = (time(plan.visits.first()), time(plan.visits.last()));
    let mut photos_of = std::collections::BTreeMap::<u32, usize>::new();
    for visit in &plan.visits {
        *photos_of.entry(visit.visitor).or_default() += 1;
    }
    let busiest = photos_of.values().max().copied().unwrap_or_default();
    let classes_found = source.by_truth(&classes);
    if arguments.json {
        let document = serde_json::json!({
            "source": plan.key.source(), "photos": plan.visits.len(), "classes_of": whose,
            "classes": classes_found.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            "left_out": source.left_out(), "visitors": photos_of.len(), "most_photos_of_a_visitor": busiest,
            "from": from, "to": to,
        });
        return print(&format!("{document}\n"));
    }
    let mut text = format!("{} photos, nothing is sent (source {})\n", plan.visits.len(), plan.key.source());
    text.push_str(&format!("classes of       {whose}\n"));
    for (label, count) in classes_found {
        text.push_str(&format!("  {label:<18}{count:>6}\n"));
    }
    for (why, count) in source.left_out() {
        text.push_str(&format!("left out         {count} {why}\n"));
    }
    text.push_str(&format!("visitors         {}, the most faithful sends {busiest}\n", photos_of.len()));
    if let (Some(from), Some(to)) = (from, to) {
        let shown = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M:%SZ").to_string();
        text.push_str(&format!("simulated time   {} to {}\n", shown(from), shown(to)));
    }
    let wall = match pace {
        Pace::Past(None) => "as fast as the server answers".to_owned(),
        Pace::Past(Some(speedup)) => takes(plan.length(), speedup),
        Pace::Live => takes(plan.length(), 1.0),
    };
    text.push_str(&format!("takes            {wall}\n"));
    print(&text)
}

fn takes(length: TimeDelta, speedup: f64) -> String {
    let seconds = length.to_std().unwrap_or_default().as_secs_f64() / speedup;
    format!("about {}", humantime::format_duration(Duration::from_secs(seconds.ceil() as u64)))
}

fn open(arguments: &ReplayArguments, classes: &Classes) -> anyhow::Result<Source> {
    match (&arguments.photos, arguments.made) {
        (Some(path), _) => Source::open(path, classes),
        (None, Some(count)) => Ok(Source::painted(count, arguments.seed, classes)),
        (None, None) => anyhow::bail!("say which photos: a folder, a ZIP archive, or --made N"),
    }
}

fn plan(arguments: &ReplayArguments, source: &Source) -> Plan {
    let arrivals = match arguments.over {
        Some(length) => Arrivals::Over(TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX)),
        None => Arrivals::Rate(arguments.rate),
    };
    let traffic = Traffic {
        seed: arguments.seed,
        limit: arguments.limit,
        visitors: arguments.visitors,
        arrivals,
        rhythm: arguments.rhythm,
        shares: Shares {
            flag: arguments.flag_share,
            correct: arguments.correct_share,
            wrong: arguments.wrong_share,
            mistaken: arguments.mistaken_share,
            undo: arguments.undo_share,
        },
        start: arguments.start,
    };
    Plan::new(source.len(), &source.fingerprint(), traffic)
}

/// Live, or of the past; and when a first run begins.
fn pace(arguments: &ReplayArguments, plan: &Plan) -> (Pace, DateTime<Utc>) {
    let now = Utc::now().trunc_subsecs(3);
    let is_live = arguments.over.is_none()
        && arguments.start.is_none()
        && !arguments.rhythm
        && arguments.speedup.is_none_or(|speedup| speedup == 1.0);
    if is_live {
        return (Pace::Live, now);
    }
    let start = arguments.start.unwrap_or_else(|| plan.start_for_end(now));
    (Pace::Past(arguments.speedup), start.trunc_subsecs(3))
}

fn token(arguments: &ReplayArguments) -> anyhow::Result<SecretString> {
    let scopes: &[Scope] = if arguments.label.is_some() { &SCOPES_TO_LABEL } else { &SCOPES };
    let token: SecretString = match (&arguments.token_file, std::env::var("GOURMETGRAM_TOKEN")) {
        (Some(path), _) => read_token(path)?,
        (None, Ok(token)) => token.trim().to_owned().into(),
        (None, Err(_)) => anyhow::bail!(
            "a replay needs an access token: make one with `gourmetgram user token add replay --scope {}` and name its file \
             with --token-file",
            scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",")
        ),
    };
    anyhow::ensure!(!token.expose_secret().is_empty(), "the access token is empty");
    Ok(token)
}

fn read_token(path: &Path) -> anyhow::Result<SecretString> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the token in {}", path.display()))?;
    Ok(text.trim().to_owned().into())
}

fn span(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text).map_err(|error| format!("{error}: write 7d, 36h or 90m"))?;
    let longest = Duration::from_secs(5 * 366 * 24 * 3600);
    if span.is_zero() || span > longest { Err("takes up to five years".to_owned()) } else { Ok(span) }
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "takes a number from 0 to 1".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    number.filter(|number| *number > 0.0 && number.is_finite()).ok_or_else(|| "takes a number above 0".to_owned())
}
