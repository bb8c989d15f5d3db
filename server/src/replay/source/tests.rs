use std::{
    io::{Cursor, Seek, SeekFrom, Write},
    os::unix::fs::symlink,
};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::*;

const MOST: u64 = 100_000;

fn classes() -> Classes {
    Classes::new(["Bread", "Egg", "Noodles/Pasta"].map(str::to_owned).to_vec()).unwrap()
}

/// Name, bytes, whether deflated.
type Entry<'a> = (&'a str, &'a [u8], bool);

fn archive(entries: &[Entry]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = ZipWriter::new(file.reopen().unwrap());
    for (name, bytes, deflated) in entries {
        let method = if *deflated { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap();
    file
}

fn listing(source: &Source) -> Vec<(String, Truth)> {
    (0..source.len()).map(|index| (source.name(index), source.truth(index))).collect()
}

const BREAD: Truth = Truth::Class(ClassIndex(0));
const EGG: Truth = Truth::Class(ClassIndex(1));
const PASTA: Truth = Truth::Class(ClassIndex(2));

#[tokio::test]
async fn a_folder_and_an_archive_of_the_same_photos_are_the_same_source() {
    let folder = tempfile::tempdir().unwrap();
    let entries: [Entry; 4] = [
        ("class_01/b.jpg", b"an egg", true),
        ("Noodles-Pasta/c.PNG", b"noodles", false),
        ("0/deep/a.webp", b"bread", true),
        ("unlabelled/d.jpeg", b"something", false),
    ];
    for (name, bytes, _) in entries {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let from_folder = Source::open(folder.path(), &classes()).unwrap();
    let zip = archive(&entries);
    let from_archive = Source::open(zip.path(), &classes()).unwrap();
    let expected = [
        ("0/deep/a.webp", BREAD),
        ("Noodles-Pasta/c.PNG", PASTA),
        ("class_01/b.jpg", EGG),
        ("unlabelled/d.jpeg", Truth::Unknown),
    ];
    let expected = expected.map(|(name, truth)| (name.to_owned(), truth));
    assert_eq!(listing(&from_folder), expected);
    assert_eq!(listing(&from_archive), expected);
    assert_eq!(from_folder.fingerprint(), from_archive.fingerprint());
    for index in 0..expected.len() {
        let bytes = from_folder.read(index, MOST).await.unwrap();
        assert_eq!(from_archive.read(index, MOST).await.unwrap(), bytes);
    }
    assert_eq!(from_archive.read(2, MOST).await.unwrap(), &b"an egg"[..]);
}

#[tokio::test]
async fn names_that_climb_out_of_an_archive_are_only_names() {
    let zip = archive(&[
        ("../../07/../1/up.jpg", b"up", true),
        ("/etc/0/absolute.jpg", b"absolute", false),
        ("1\\windows.jpg", b"windows", false),
        ("2/\u{1b}[2J\nred.jpg", b"escape", false),
    ]);
    // In a folder within a folder of its own: other tests make files beside theirs, and something that climbs lands here.
    let folder = tempfile::tempdir().unwrap();
    let (inner, path) = (folder.path().join("inner"), folder.path().join("inner/photos.zip"));
    std::fs::create_dir(&inner).unwrap();
    std::fs::copy(zip.path(), &path).unwrap();
    let source = Source::open(&path, &classes()).unwrap();
    let mut truths: Vec<(String, Truth)> = listing(&source);
    truths.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(truths.len(), 4);
    assert!(truths.iter().all(|(name, _)| !name.contains(char::is_control)), "{truths:?}");
    for index in 0..4 {
        source.read(index, MOST).await.unwrap();
    }
    for folder in [folder.path(), &inner] {
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1, "nothing is unpacked");
    }
    assert!(truths.contains(&("1/windows.jpg".to_owned(), EGG)));
    assert!(truths.contains(&("/etc/0/absolute.jpg".to_owned(), BREAD)));
}

#[tokio::test]
async fn a_bomb_is_not_unpacked_further_than_a_photo_may_be_large() {
    let bomb = vec![0; 60_000_000];
    let zip = archive(&[("0/bomb.jpg", &bomb, true), ("0/fine.jpg", b"fine", true)]);
    assert!(zip.path().metadata().unwrap().len() < 100_000);
    let source = Source::open(zip.path(), &classes()).unwrap();
    assert_eq!(source.read(0, MOST).await, Err(Unreadable::TooLarge(MOST)));
    assert_eq!(source.read(1, MOST).await.unwrap(), &b"fine"[..]);
}

#[tokio::test]
async fn damaged_entries_are_told_and_the_others_still_read() {
    let zip = archive(&[("0/a.jpg", &[7; 5000], false), ("0/b.jpg", b"fine", false)]);
    let mut file = zip.reopen().unwrap();
    file.seek(SeekFrom::Start(200)).unwrap();
    file.write_all(b"other bytes").unwrap();
    let source = Source::open(zip.path(), &classes()).unwrap();
    assert!(matches!(source.read(0, MOST).await, Err(Unreadable::Damaged(_))));
    assert_eq!(source.read(1, MOST).await.unwrap(), &b"fine"[..]);
}

#[test]
fn links_pipes_hidden_and_other_files_are_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::create_dir(folder.path().join("0")).unwrap();
    for name in ["0/a.jpg", "0/.hidden.jpg", "0/notes.txt", "README"] {
        std::fs::write(folder.path().join(name), "x").unwrap();
    }
    symlink(outside.path(), folder.path().join("0/link.jpg")).unwrap();
    symlink("/", folder.path().join("0/everything")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, folder.path().join("0/pipe.jpg"), rustix::fs::Mode::RWXU).unwrap();
    let source = Source::open(folder.path(), &classes()).unwrap();
    assert_eq!(listing(&source), [("0/a.jpg".to_owned(), BREAD)]);
    let expected = [("files of other kinds", 2), ("hidden files", 1), ("links", 2), ("pipes, sockets and devices", 1)];
    assert_eq!(source.left_out().clone().into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_no_source_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let failure = |path: &Path| format!("{:#}", Source::open(path, &classes()).err().unwrap());
    assert!(failure(folder.path()).contains("no photos"));
    let text = folder.path().join("notes.zip");
    std::fs::write(&text, "no archive").unwrap();
    assert!(failure(&text).contains("neither a folder nor a ZIP archive"));
    assert!(failure(&folder.path().join("nowhere")).contains("nowhere"));
}

#[tokio::test]
async fn painted_photos_are_photos_and_know_what_they_show() {
    let source = Source::painted(30, 1, &classes());
    assert_eq!(source.truth(0), BREAD);
    assert!(listing(&source).iter().any(|(_, truth)| *truth == Truth::NotFood));
    let photo = source.read(0, MOST).await.unwrap();
    let picture = image::ImageReader::new(Cursor::new(photo)).with_guessed_format().unwrap().decode().unwrap();
    assert!(picture.width() >= 600 && picture.height() >= 600);
}
