//! `gourmetgram model`: bring your own.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use gourmetgram_classifier::{
    Licence, ResizeRule, Version,
    import::{ImportOptions, classes_from_text, import_file},
};
use serde::Serialize;

use super::print;

/// What can be done with models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Make a model directory from an ONNX classifier.
    #[command(
        after_help = "Example:\n  gourmetgram model import mobilenet.onnx --out models/mobilenet --version-name mobilenet-1 \\\n    --classes classes.txt --resize stretch\n\nThen serve it with model.directory = \"models/mobilenet\"."
    )]
    Import(ImportArguments),
}

/// What an import needs to know.
#[derive(Debug, Args)]
pub struct ImportArguments {
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

/// Runs one of them.
pub fn run(command: &ModelCommand) -> anyhow::Result<()> {
    match command {
        ModelCommand::Import(arguments) => import(arguments),
    }
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
