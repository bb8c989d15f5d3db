//! The command line: one binary, subcommands, one clear line on failure.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use gourmetgram_classifier::{
    Licence, ResizeRule, Version,
    import::{ImportOptions, classes_from_text, import_file},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    app::Application,
    catalog::{Catalog, Role},
    config::Settings,
    http::{new_access_token, sha256_hex},
    telemetry,
};

/// The food-photo service that knows how accurate it is.
#[derive(Debug, Parser)]
#[command(name = "gourmetgram", version, about, propagate_version = true)]
struct Cli {
    /// Settings file [default: gourmetgram.toml, where it exists].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    #[command(after_help = "Example:\n  GOURMETGRAM__SERVER__LISTEN=0.0.0.0:8080 gourmetgram serve")]
    Serve {
        /// Print the settings as they come out of file and environment, secrets masked, and stop.
        #[arg(long)]
        print_config: bool,
    },
    /// Models: bring your own.
    #[command(subcommand)]
    Model(ModelCommand),
    /// People and machines that may do more than visitors.
    #[command(subcommand)]
    User(UserCommand),
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Make a model directory from an ONNX classifier.
    #[command(
        after_help = "Example:\n  gourmetgram model import mobilenet.onnx --out models/mobilenet --version-name mobilenet-1 \\\n    --classes classes.txt --resize stretch\n\nThen serve it with model.directory = \"models/mobilenet\"."
    )]
    Import(ImportArguments),
}

#[derive(Debug, Args)]
struct ImportArguments {
    /// The ONNX file: one image input, one output of class scores.
    file: PathBuf,
    /// Directory to make.
    #[arg(long, value_name = "DIRECTORY")]
    out: PathBuf,
    /// Version that goes into every prediction, for example mobilenet-1.
    #[arg(long, value_name = "NAME")]
    version_name: String,
    /// File with one class a line, in the order of the scores.
    #[arg(long, value_name = "FILE")]
    classes: PathBuf,
    /// Licence of the weights.
    #[arg(long, default_value = "unknown")]
    licence: String,
    /// Mean of red, green and blue, on the scale 0 to 1.
    #[arg(long, value_delimiter = ',', num_args = 3, default_value = "0.485,0.456,0.406")]
    mean: Vec<f32>,
    /// Standard deviation of red, green and blue, on the scale 0 to 1.
    #[arg(long, value_delimiter = ',', num_args = 3, default_value = "0.229,0.224,0.225")]
    std: Vec<f32>,
    /// How a photo is brought to the input's size.
    #[arg(long, value_enum, default_value_t = Resize::CenterSquare)]
    resize: Resize,
    /// Width and height of the input, where the file leaves them open.
    #[arg(long, value_delimiter = ',', num_args = 2)]
    size: Option<Vec<u32>>,
    /// Name of the output with the class scores, where there are several.
    #[arg(long)]
    output: Option<String>,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Resize {
    /// Cut out the central square, then scale it.
    CenterSquare,
    /// Scale width and height independently.
    Stretch,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make an access token for an operator or a machine; it is shown once.
    #[command(
        after_help = "Example:\n  gourmetgram user add backup-script --role operator\n  curl -H \"Authorization: Bearer ggo_…\" http://127.0.0.1:8080/api/v1/predictions"
    )]
    Add {
        /// A name to know the token by.
        name: String,
        /// What it may do.
        #[arg(long, value_enum, default_value_t = RoleName::Operator)]
        role: RoleName,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// Everything.
    Operator,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is nobody left to tell then.
            let _ = writeln!(io::stderr(), "gourmetgram: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let load = || Settings::load(cli.config.as_deref());
    match cli.command {
        Command::Serve { print_config: true } => print(&load()?.to_toml()?),
        Command::Serve { print_config: false } => runtime()?.block_on(serve(load()?)),
        Command::Model(ModelCommand::Import(arguments)) => import(&arguments),
        Command::User(UserCommand::Add { name, role: RoleName::Operator, json }) => {
            runtime()?.block_on(add_user(&load()?, &name, json))
        }
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the async runtime")
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    telemetry::start(&settings.log)?;
    let application = Application::build(settings).await?;
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let on_signal = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        on_signal.cancel();
    });
    if let Some(s3) = application.embedded_s3_address() {
        print(&format!("embedded S3 at http://{s3} (keys in s3-credentials.toml in the data directory)\n"))?;
    }
    print(&format!("GourmetGram at http://{}\n", application.address()?))?;
    application.run(stop).await
}

#[derive(Serialize)]
struct ImportReport<'a> {
    version: &'a str,
    directory: &'a std::path::Path,
    largest_difference: f32,
    warnings: &'a [String],
}

fn import(arguments: &ImportArguments) -> anyhow::Result<()> {
    let classes = std::fs::read_to_string(&arguments.classes)
        .with_context(|| format!("cannot read the classes in {}", arguments.classes.display()))?;
    let options = ImportOptions {
        version: Version::new(&arguments.version_name).map_err(anyhow::Error::msg).context("--version-name")?,
        classes: classes_from_text(&classes).context("--classes")?,
        licence: Licence(arguments.licence.clone()),
        mean: three(&arguments.mean).context("--mean")?,
        std: three(&arguments.std).context("--std")?,
        resize: match arguments.resize {
            Resize::CenterSquare => ResizeRule::CenterSquare,
            Resize::Stretch => ResizeRule::Stretch,
        },
        size: match arguments.size.as_deref() {
            None => None,
            Some([width, height]) => Some((*width, *height)),
            Some(_) => anyhow::bail!("--size takes width,height"),
        },
        output: arguments.output.clone(),
    };
    let imported = import_file(&arguments.file, &options)
        .with_context(|| format!("cannot import {}", arguments.file.display()))?;
    imported.write(&arguments.out).with_context(|| format!("cannot write {}", arguments.out.display()))?;
    let report = ImportReport {
        version: &arguments.version_name,
        directory: &arguments.out,
        largest_difference: imported.largest_difference,
        warnings: &imported.warnings,
    };
    if arguments.json {
        return print(&format!("{}\n", serde_json::to_string(&report)?));
    }
    let mut text = format!("{} is in {}\n", report.version, report.directory.display());
    for warning in report.warnings {
        text.push_str(&format!("note: {warning}\n"));
    }
    print(&text)
}

fn three(values: &[f32]) -> anyhow::Result<[f32; 3]> {
    values.try_into().map_err(|_| anyhow::anyhow!("takes three numbers, for example 0.5,0.5,0.5"))
}

async fn add_user(settings: &Settings, name: &str, json: bool) -> anyhow::Result<()> {
    anyhow::ensure!((1..=100).contains(&name.len()), "a name has 1 to 100 bytes");
    crate::spool::create_durable_folder(&settings.data_dir)
        .with_context(|| format!("cannot use data_dir {}", settings.data_dir.display()))?;
    let catalog = Catalog::open(&settings.catalog_url(), 1).await.context("cannot open the catalog")?;
    let token = new_access_token();
    let hash = sha256_hex(token.expose_secret().as_bytes());
    anyhow::ensure!(catalog.add_token(name, Role::Operator, hash).await?, "the name {name:?} is taken: choose another");
    if json {
        let report =
            serde_json::json!({ "name": name, "role": Role::Operator.as_str(), "token": token.expose_secret() });
        return print(&format!("{report}\n"));
    }
    print(&format!("{}\n", token.expose_secret()))
}

fn print(text: &str) -> anyhow::Result<()> {
    io::stdout().lock().write_all(text.as_bytes()).context("cannot write to standard output")
}
