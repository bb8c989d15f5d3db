//! Small pictures of photos: made when asked for, kept on the disk within a bound, gone with their photo.
//!
//! A picture is decoded and encoded anew, so nothing of the photo's metadata is in it, and it is upright. Whether
//! somebody may see it is decided by the catalog at every request; what lies on the disk is only a saving of work.
//!
//! **Erasure.** The catalog's tombstone comes first, then the files are removed. A picture that is being made meanwhile
//! is written, and then its maker asks the catalog again, in a task that goes on when the client hangs up: whichever of
//! the two is last removes it. Other servers that share the catalog, and a server that died in between, find out when
//! they [`sweep`], at start and every ten minutes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use gourmetgram_api::PredictionId;
use gourmetgram_classifier::RgbPhoto;
use image::{ExtendedColorType, ImageError, codecs::jpeg::JpegEncoder};
use lru::LruCache;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::{app::App, spool::create_durable_folder};

/// How often a server looks for pictures of photos that were erased elsewhere.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// So many are looked up in the catalog at once.
const SWEEP_STEP: usize = 500;

/// How large a small picture is: the longer side, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Size {
    /// A line of a table.
    Small,
    /// A tile of a grid.
    Medium,
    /// A tile on a screen with many pixels, or a preview.
    Large,
    /// A photo that has the screen to itself.
    Screen,
}

impl Size {
    /// Every size. Few and fixed, or anybody could have us make and keep any number of pictures of one photo.
    pub const ALL: [Self; 4] = [Self::Small, Self::Medium, Self::Large, Self::Screen];

    /// The longer side, in pixels.
    pub fn side(self) -> u32 {
        match self {
            Self::Small => 96,
            Self::Medium => 256,
            Self::Large => 512,
            Self::Screen => 1024,
        }
    }

    /// How much of the picture its JPEG keeps, of 100. Of tiles and lines there are many on a page, each seen at about
    /// half its size.
    fn quality(self) -> u8 {
        match self {
            Self::Small | Self::Medium => 70,
            Self::Large | Self::Screen => 80,
        }
    }

    /// The size of this side, if it is one of ours.
    pub fn of_side(side: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.side() == side)
    }
}

/// Why there is no small picture.
#[derive(Debug, thiserror::Error)]
pub enum ThumbnailError {
    /// It could not be resized: a defect.
    #[error(transparent)]
    Resize(#[from] gourmetgram_classifier::ResamplingError),
    /// It could not be encoded: a defect.
    #[error("a small picture could not be encoded: {0}")]
    Encode(#[from] ImageError),
}

/// A small JPEG of a photo, without metadata.
pub fn encode(photo: RgbPhoto, size: Size) -> Result<Bytes, ThumbnailError> {
    let small = photo.shrunk(size.side())?;
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, size.quality()).encode(
        small.pixels(),
        small.width(),
        small.height(),
        ExtendedColorType::Rgb8,
    )?;
    Ok(jpeg.into())
}

/// The pictures on this server's disk. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Thumbnails(Arc<Shelf>);

#[derive(Debug)]
struct Shelf {
    folder: PathBuf,
    max_bytes: u64,
    kept: Mutex<Kept>,
    places: Semaphore,
}

/// What is on the disk, longest unasked for last. Locked while a file is written or removed, so that both agree.
#[derive(Debug)]
struct Kept {
    files: LruCache<(PredictionId, Size), u64>,
    bytes: u64,
}

impl Thumbnails {
    /// Opens the folder, which is made where it is missing. `at_once` bounds the pictures being made.
    pub fn open(folder: &Path, max_bytes: u64, at_once: usize) -> io::Result<Self> {
        create_durable_folder(folder)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_name().to_str().and_then(read_name) {
                Some(name) => {
                    let metadata = entry.metadata()?;
                    found.push((metadata.modified()?, name, metadata.len()));
                }
                // Half written by a server that was killed.
                None => fs::remove_file(entry.path())?,
            }
        }
        found.sort_by_key(|(written, ..)| *written);
        let mut kept = Kept { files: LruCache::unbounded(), bytes: 0 };
        for (_, name, bytes) in found {
            kept.files.put(name, bytes);
            kept.bytes += bytes;
        }
        let shelf = Shelf {
            folder: folder.to_owned(),
            max_bytes,
            kept: Mutex::new(kept),
            places: Semaphore::new(at_once.max(1)),
        };
        shelf.make_room(&mut shelf.kept.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(Self(Arc::new(shelf)))
    }

    /// A place to make a picture; `None` where all are taken, and the client should come back.
    pub fn enter(&self) -> Option<SemaphorePermit<'_>> {
        self.0.places.try_acquire().ok()
    }

    /// The picture, if it is on the disk.
    pub async fn read(&self, id: PredictionId, size: Size) -> io::Result<Option<Bytes>> {
        self.run(move |shelf| {
            let known = shelf.lock().files.get(&(id, size)).is_some();
            if !known {
                return Ok(None);
            }
            match fs::read(shelf.path(id, size)) {
                Ok(bytes) => Ok(Some(bytes.into())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Puts a picture on the disk, if there is to be room for it.
    pub async fn keep(&self, id: PredictionId, size: Size, picture: Bytes) -> io::Result<()> {
        self.run(move |shelf| {
            let bytes = picture.len() as u64;
            if bytes > shelf.max_bytes {
                return Ok(());
            }
            let mut kept = shelf.lock();
            let path = shelf.path(id, size);
            let half = path.with_extension("half");
            fs::write(&half, &picture)?;
            fs::rename(&half, &path)?;
            if let Some(before) = kept.files.put((id, size), bytes) {
                kept.bytes -= before;
            }
            kept.bytes += bytes;
            shelf.make_room(&mut kept)
        })
        .await
    }

    /// Removes the pictures of a photo.
    pub async fn forget(&self, id: PredictionId) -> io::Result<()> {
        self.run(move |shelf| {
            let mut kept = shelf.lock();
            for size in Size::ALL {
                if let Some(bytes) = kept.files.pop(&(id, size)) {
                    kept.bytes -= bytes;
                }
                remove(&shelf.path(id, size))?;
            }
            Ok(())
        })
        .await
    }

    /// Bytes on the disk.
    pub fn bytes(&self) -> u64 {
        self.0.lock().bytes
    }

    fn ids(&self) -> Vec<PredictionId> {
        let mut ids: Vec<PredictionId> = self.0.lock().files.iter().map(|((id, _), _)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shelf) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let shelf = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&shelf)).await.map_err(io::Error::other)?
    }
}

impl Shelf {
    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: PredictionId, size: Size) -> PathBuf {
        self.folder.join(format!("{id}-{}.jpg", size.side()))
    }

    fn make_room(&self, kept: &mut Kept) -> io::Result<()> {
        while kept.bytes > self.max_bytes {
            let Some(((id, size), bytes)) = kept.files.pop_lru() else { break };
            kept.bytes -= bytes;
            remove(&self.path(id, size))?;
        }
        Ok(())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn read_name(name: &str) -> Option<(PredictionId, Size)> {
    let (id, side) = name.strip_suffix(".jpg")?.rsplit_once('-')?;
    Some((id.parse().ok()?, Size::of_side(side.parse().ok()?)?))
}

/// Removes the pictures of photos that were erased through another server, or while this one was down.
pub async fn sweep(app: App, stop: CancellationToken) {
    loop {
        if let Err(error) = sweep_once(&app).await {
            tracing::warn!(%error, "small pictures cannot be compared with the catalog; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
    }
}

/// One round of [`sweep`].
pub async fn sweep_once(app: &App) -> anyhow::Result<()> {
    for ids in app.thumbnails().ids().chunks(SWEEP_STEP) {
        let living = app.catalog().living_among(ids.iter().map(|id| id.as_uuid()).collect()).await?;
        for id in ids.iter().filter(|id| !living.contains(&id.as_uuid())) {
            app.thumbnails().forget(*id).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn an_id() -> PredictionId {
        uuid::Uuid::now_v7().try_into().unwrap()
    }

    fn picture(bytes: usize) -> Bytes {
        vec![7; bytes].into()
    }

    #[tokio::test]
    async fn the_longest_unasked_for_makes_room() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Thumbnails::open(folder.path(), 250, 1).unwrap();
        let [first, second, third] = [an_id(), an_id(), an_id()];
        shelf.keep(first, Size::Small, picture(100)).await.unwrap();
        shelf.keep(second, Size::Small, picture(100)).await.unwrap();
        assert!(shelf.read(first, Size::Small).await.unwrap().is_some());
        shelf.keep(third, Size::Small, picture(100)).await.unwrap();
        assert!(shelf.read(second, Size::Small).await.unwrap().is_none());
        assert!(shelf.read(first, Size::Small).await.unwrap().is_some());
        assert_eq!(shelf.bytes(), 200);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        shelf.keep(second, Size::Large, picture(251)).await.unwrap();
        assert_eq!(shelf.bytes(), 200, "what never fits pushes nothing out");
    }

    #[tokio::test]
    async fn a_restart_finds_what_is_there_and_removes_what_is_half() {
        let folder = tempfile::tempdir().unwrap();
        let id = an_id();
        Thumbnails::open(folder.path(), 1000, 1).unwrap().keep(id, Size::Medium, picture(10)).await.unwrap();
        fs::write(folder.path().join(format!("{id}-96.half")), b"half").unwrap();
        let shelf = Thumbnails::open(folder.path(), 1000, 1).unwrap();
        assert_eq!(shelf.bytes(), 10);
        assert_eq!(shelf.read(id, Size::Medium).await.unwrap(), Some(picture(10)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        shelf.forget(id).await.unwrap();
        assert_eq!((shelf.bytes(), fs::read_dir(folder.path()).unwrap().count()), (0, 0));
    }

    #[test]
    fn a_small_picture_is_a_jpeg_that_says_nothing_but_its_pixels() {
        let photo = RgbPhoto::new(400, 300, vec![128; 400 * 300 * 3]).unwrap();
        let jpeg = encode(photo, Size::Medium).unwrap();
        let limits = gourmetgram_api::UploadLimits::default();
        let info = gourmetgram_classifier::probe(&jpeg, &limits).unwrap();
        assert_eq!((info.width, info.height, info.orientation), (256, 192, 1));
        assert!(!jpeg.windows(4).any(|bytes| bytes == b"Exif"));
    }
}
