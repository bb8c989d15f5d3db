//! Where a replay's photos come from: a folder, a ZIP archive, or the painter.
//!
//! Photos are listed first and read one by one when they are sent, so that an archive of many gigabytes needs no
//! memory. Nothing is ever unpacked to a disk: a name in an archive is only ever read for what it says of the photo.
//! Links are not followed, and no photo is read further than a server would take it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::Context;
use bytes::Bytes;
use gourmetgram_api::{ClassIndex, Classes};
use painted_dishes::{Photo, Subject};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::folder_names::{Truth, truth};

/// File names' endings that are taken for photos.
const ENDINGS: [&str; 5] = ["jpg", "jpeg", "png", "webp", "gif"];
/// Most photos of one replay.
const MOST_PHOTOS: usize = 1_000_000;

/// Photos, and what they show.
pub struct Source {
    pictures: Vec<Picture>,
    archive: Option<Arc<Mutex<ZipArchive<File>>>>,
    left_out: BTreeMap<&'static str, usize>,
}

struct Picture {
    name: String,
    truth: Truth,
    bytes: u64,
    place: Place,
}

#[derive(Clone)]
enum Place {
    File(PathBuf),
    Entry(usize),
    Painted(Photo),
}

/// Why a photo of the source was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// More bytes than the server takes.
    #[error("larger than {0} bytes, the most the server takes")]
    TooLarge(u64),
    /// The file or the archive's entry is damaged, or went away.
    #[error("cannot be read: {0}")]
    Damaged(String),
}

impl Source {
    /// Lists a folder's or a ZIP archive's photos. `classes` are the model's: what folders' names may mean.
    pub fn open(path: &Path, classes: &Classes) -> anyhow::Result<Self> {
        let metadata = path.metadata().with_context(|| format!("cannot read {}", path.display()))?;
        let mut source = if metadata.is_dir() { Self::folder(path, classes)? } else { Self::archive(path, classes)? };
        anyhow::ensure!(
            !source.pictures.is_empty(),
            "there are no photos in {}: it should hold {} files, in folders named by class",
            path.display(),
            ENDINGS.join(", ")
        );
        source.pictures.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(source)
    }

    /// So many photos of dishes that nobody cooked.
    pub fn painted(count: u32, seed: u64, classes: &Classes) -> Self {
        let pictures = (0..count)
            .map(|number| {
                let photo = Photo::new(seed, number);
                let (subject, folder) = (photo.subject(), photo.subject().folder());
                let truth = match subject {
                    Subject::NotFood => Truth::NotFood,
                    food => classes.index_of(food.label()).map_or(Truth::Unknown, Truth::Class),
                };
                Picture {
                    name: format!("{folder}/{}", photo.file_name()),
                    truth,
                    bytes: 0,
                    place: Place::Painted(photo),
                }
            })
            .collect();
        Self { pictures, archive: None, left_out: BTreeMap::new() }
    }

    fn folder(root: &Path, classes: &Classes) -> anyhow::Result<Self> {
        let mut source = Self { pictures: Vec::new(), archive: None, left_out: BTreeMap::new() };
        for entry in walkdir::WalkDir::new(root).follow_links(false).follow_root_links(true) {
            let entry = entry.with_context(|| format!("cannot list {}", root.display()))?;
            let kind = entry.file_type();
            if kind.is_dir() {
                continue;
            }
            let name = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string_lossy().into_owned();
            if kind.is_symlink() {
                source.leave_out("links");
            } else if !kind.is_file() {
                source.leave_out("pipes, sockets and devices");
            } else {
                let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
                source.take(name, bytes, Place::File(entry.into_path()), classes)?;
            }
        }
        Ok(source)
    }

    fn archive(path: &Path, classes: &Classes) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut archive = ZipArchive::new(file)
            .with_context(|| format!("{} is neither a folder nor a ZIP archive that can be read", path.display()))?;
        let mut source = Self { pictures: Vec::new(), archive: None, left_out: BTreeMap::new() };
        for index in 0..archive.len() {
            let Ok(entry) = archive.by_index_raw(index) else {
                source.leave_out("damaged entries");
                continue;
            };
            let Ok(name) = entry.name().map(|name| name.into_owned()) else {
                source.leave_out("damaged entries");
                continue;
            };
            if entry.is_dir() {
                continue;
            }
            if entry.is_symlink() {
                source.leave_out("links");
            } else if entry.encrypted() {
                source.leave_out("encrypted entries");
            } else {
                let bytes = entry.size();
                source.take(name.replace('\\', "/"), bytes, Place::Entry(index), classes)?;
            }
        }
        source.archive = Some(Arc::new(Mutex::new(archive)));
        Ok(source)
    }

    fn take(&mut self, name: String, bytes: u64, place: Place, classes: &Classes) -> anyhow::Result<()> {
        let path = Path::new(&name);
        let mut parts: Vec<&str> = path
            .components()
            .filter_map(|part| match part {
                Component::Normal(part) => part.to_str(),
                _ => None,
            })
            .collect();
        let file = parts.pop().unwrap_or_default();
        if file.starts_with('.') || parts.iter().any(|part| part.starts_with('.') || *part == "__MACOSX") {
            self.leave_out("hidden files");
            return Ok(());
        }
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        if !ENDINGS.contains(&ending.as_str()) {
            self.leave_out("files of other kinds");
            return Ok(());
        }
        anyhow::ensure!(
            self.pictures.len() < MOST_PHOTOS,
            "there are more than {MOST_PHOTOS} photos: replay a part of them"
        );
        let truth = truth(parts.into_iter(), classes);
        self.pictures.push(Picture { name, truth, bytes, place });
        Ok(())
    }

    fn leave_out(&mut self, why: &'static str) {
        *self.left_out.entry(why).or_default() += 1;
    }

    /// How many photos there are.
    #[expect(clippy::len_without_is_empty, reason = "an empty one is an error where it is opened")]
    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    /// What a photo shows.
    pub fn truth(&self, picture: usize) -> Truth {
        self.pictures.get(picture).map_or(Truth::Unknown, |picture| picture.truth)
    }

    /// A photo's name, fit to be shown: without signs that a terminal would obey.
    pub fn name(&self, picture: usize) -> String {
        let name = self.pictures.get(picture).map_or("", |picture| picture.name.as_str());
        name.chars().filter(|letter| !letter.is_control()).take(200).collect()
    }

    /// What was found and is not sent, with its number.
    pub fn left_out(&self) -> &BTreeMap<&'static str, usize> {
        &self.left_out
    }

    /// Tells these photos from others: their names and sizes.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for picture in &self.pictures {
            hash.update((picture.name.len() as u64).to_be_bytes());
            hash.update(&picture.name);
            hash.update(picture.bytes.to_be_bytes());
        }
        hash.finalize().into()
    }

    /// How many photos show which class; those of no class last.
    pub fn by_truth(&self, classes: &Classes) -> Vec<(String, usize)> {
        let count = |wanted: &dyn Fn(Truth) -> bool| self.pictures.iter().filter(|one| wanted(one.truth)).count();
        let of_class = |index: ClassIndex| count(&move |truth| truth == Truth::Class(index));
        let mut counts: Vec<(String, usize)> =
            classes.iter().map(|(index, label)| (label.to_owned(), of_class(index))).collect();
        counts.push(("not food".to_owned(), count(&|truth| truth == Truth::NotFood)));
        counts.push(("(nobody says)".to_owned(), count(&|truth| truth == Truth::Unknown)));
        counts.retain(|(_, count)| *count > 0);
        counts
    }

    /// Reads a photo of at most `most` bytes.
    pub async fn read(&self, picture: usize, most: u64) -> Result<Bytes, Unreadable> {
        let gone = || Unreadable::Damaged("there is no such photo".to_owned());
        let place = self.pictures.get(picture).ok_or_else(gone)?.place.clone();
        let archive = self.archive.clone();
        let reading = tokio::task::spawn_blocking(move || match place {
            Place::Painted(photo) => Ok(photo.paint().into()),
            Place::File(path) => read_at_most(File::open(path).map_err(damaged)?, most),
            Place::Entry(index) => {
                let archive = archive.ok_or_else(gone)?;
                let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                read_at_most(archive.by_index(index).map_err(damaged)?, most)
            }
        });
        reading.await.map_err(damaged)?
    }
}

fn damaged(error: impl std::fmt::Display) -> Unreadable {
    Unreadable::Damaged(error.to_string())
}

/// An archive's entry may say that it is small and never end.
fn read_at_most(reader: impl Read, most: u64) -> Result<Bytes, Unreadable> {
    let mut bytes = Vec::new();
    reader.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(damaged)?;
    if bytes.len() as u64 > most { Err(Unreadable::TooLarge(most)) } else { Ok(bytes.into()) }
}

#[cfg(test)]
mod tests;
