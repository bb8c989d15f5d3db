//! The photos themselves, in an archive with a folder a class, as `torchvision.datasets.ImageFolder` and its kind read
//! them; `manifest.jsonl` at its end says what each is.

use std::io::Write;

use futures::{StreamExt, stream};
use gourmetgram_api::{FolderBy, Prediction};
use gourmetgram_object_store::{Bucket, Object, ObjectKey, ObjectStore, ObjectStoreError};
use serde::Serialize;
use tokio::runtime::Handle;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{ExportError, Pages, row::Row};

/// Photos that are read ahead.
const AHEAD: usize = 4;

/// A line of the manifest.
#[derive(Serialize)]
struct Entry<'a> {
    /// Where the photo lies in the archive; `None` where it could not be had.
    file: Option<&'a str>,
    /// What its folder stands for.
    label: &'a str,
    /// Why it is not there.
    missing: Option<&'static str>,
    #[serde(flatten)]
    row: &'a Row,
}

pub(super) fn write(
    pages: Pages<'_>,
    to: impl Write + Send,
    store: &ObjectStore,
    by: FolderBy,
) -> Result<u64, ExportError> {
    let runtime = pages.runtime;
    let mut archive = ZipWriter::new_stream(to);
    // Photos are compressed already.
    let photo_options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    // The manifest is written last, and may be longer than what is to be held in memory.
    let mut manifest = tempfile::tempfile()?;
    let mut count = 0;
    for page in pages {
        let wanted: Vec<(String, Prediction)> =
            page?.into_iter().filter_map(|prediction| Some((label_of(&prediction, by)?, prediction))).collect();
        for some in wanted.chunks(AHEAD) {
            for ((label, prediction), photo) in some.iter().zip(read(runtime, store, some)) {
                let photo = photo?;
                let row = Row::from(prediction.clone());
                let file = format!("{}/{}", folder(label), prediction.key.rsplit('/').next().unwrap_or_default());
                if let Some(photo) = &photo {
                    archive.start_file(&file, photo_options)?;
                    archive.write_all(&photo.bytes)?;
                    count += 1;
                }
                let missing = photo.is_none().then_some("it is not in the object store");
                let entry = Entry { file: photo.is_some().then_some(file.as_str()), label, missing, row: &row };
                serde_json::to_writer(&mut manifest, &entry)?;
                manifest.write_all(b"\n")?;
            }
        }
    }
    archive.start_file("manifest.jsonl", SimpleFileOptions::default().large_file(true))?;
    std::io::Seek::rewind(&mut manifest)?;
    std::io::copy(&mut manifest, &mut archive)?;
    archive.finish()?.into_inner().flush()?;
    Ok(count)
}

/// The photos of some predictions, in their order; `None` for one that is not there: erased meanwhile, or not yet stored.
fn read(
    runtime: &Handle,
    store: &ObjectStore,
    some: &[(String, Prediction)],
) -> Vec<Result<Option<Object>, ExportError>> {
    let reads = some.iter().map(|(_, prediction)| async move {
        let key: ObjectKey = prediction.key.parse().map_err(ObjectStoreError::from)?;
        match store.get(Bucket::Production, &key).await {
            Ok(object) => Ok(Some(object)),
            Err(ObjectStoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    });
    runtime.block_on(stream::iter(reads).buffered(AHEAD).collect())
}

fn label_of(prediction: &Prediction, by: FolderBy) -> Option<String> {
    match by {
        FolderBy::Predicted => Some(prediction.predicted_class.clone()),
        FolderBy::Annotated => prediction.annotation.as_ref().map(|annotation| annotation.label.clone()),
        FolderBy::Corrected => prediction.corrected_class.clone(),
    }
}

/// A label as the name of a folder, on whichever system: nothing leads out of the archive.
fn folder(label: &str) -> String {
    let plain = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => character,
        character if character.is_alphanumeric() => character,
        _ => '_',
    };
    let name: String = label.chars().map(plain).take(100).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_leads_out_of_its_folder() {
        for (label, name) in [
            ("Noodles/Pasta", "Noodles_Pasta"),
            ("Dairy product", "Dairy_product"),
            ("..", "__"),
            ("", "_"),
            ("C:\\Windows", "C__Windows"),
            ("Gemüse", "Gemüse"),
        ] {
            assert_eq!(folder(label), name);
        }
    }
}
