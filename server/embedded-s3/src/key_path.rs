//! Object keys as file names.
//!
//! A key is any text of up to 1,024 bytes; a path is not. `a` and `a/b` may both be objects, `..` and the empty text
//! are ordinary parts of a key, `A` and `a` differ everywhere, also on file systems that ignore case. So each part of
//! a key between slashes is escaped into small letters, digits and `_-.` with `%` for the rest, the last part gets a
//! suffix that no escaped part can have, and parts too long for a file name are broken over several folders. Nothing
//! a client can send reaches a path in any other way, so no key can leave its bucket's folder.

use std::path::{Path, PathBuf};

/// Ends the file name of a record; `=` never stands in an escaped part.
const RECORD_SUFFIX: &str = "=.json";
/// Ends the name of a folder whose part goes on in the folder or file below; never stands in an escaped part.
const CONTINUED: char = '+';
/// Length of an escaped part's pieces, in bytes: with a suffix they stay below the 255 bytes file systems allow.
const PIECE_LENGTH: usize = 240;

/// The path of the record of `key`, below its bucket's folder.
pub(crate) fn record_path(bucket_folder: &Path, key: &str) -> PathBuf {
    let mut path = bucket_folder.to_owned();
    let mut parts = key.split('/').peekable();
    while let Some(part) = parts.next() {
        let escaped = escape(part);
        let mut rest = escaped.as_str();
        while rest.len() > PIECE_LENGTH {
            let (piece, after) = rest.split_at(piece_end(rest));
            path.push(format!("{piece}{CONTINUED}"));
            rest = after;
        }
        if parts.peek().is_some() {
            // What is left of a broken part may be dots only, and these no folder's name can be.
            path.push(escape_dots(rest).as_deref().unwrap_or(rest));
        } else {
            path.push(format!("{rest}{RECORD_SUFFIX}"));
        }
    }
    path
}

/// The key of a record called `file_name` in the folder of all keys that start with `folder_keys`; `None` where the
/// file is no record.
pub(crate) fn key_of_record(folder_keys: &str, file_name: &str) -> Option<String> {
    let part = unescape(file_name.strip_suffix(RECORD_SUFFIX)?)?;
    Some(format!("{folder_keys}{part}"))
}

/// What all keys below the folder called `folder_name` start with, itself in the folder of all keys that start with
/// `folder_keys`; `None` where the folder is none of ours.
pub(crate) fn keys_of_folder(folder_keys: &str, folder_name: &str) -> Option<String> {
    match folder_name.strip_suffix(CONTINUED) {
        Some(piece) => Some(format!("{folder_keys}{}", unescape(piece)?)),
        None => Some(format!("{folder_keys}{}/", unescape(folder_name)?)),
    }
}

/// Where to break an escaped part that is longer than [`PIECE_LENGTH`]: never within an escape, nor within a letter of
/// several escaped bytes, so that every piece can be read on its own.
fn piece_end(escaped: &str) -> usize {
    let bytes = escaped.as_bytes();
    let mut end = 0;
    let mut position = 0;
    while position < bytes.len() && position <= PIECE_LENGTH {
        let starts_letter = bytes[position] != b'%' || !is_continuation(&bytes[position..]);
        if starts_letter {
            end = position;
        }
        position += if bytes[position] == b'%' { 3 } else { 1 };
    }
    end
}

/// Whether an escape (`%xx`) stands for a byte of UTF-8 that is not the first of its letter.
fn is_continuation(escape: &[u8]) -> bool {
    matches!(escape.get(1), Some(b'8' | b'9' | b'a' | b'b'))
}

/// The empty part is `%`: it must be some file name, and no other part gives that one.
fn escape(part: &str) -> String {
    if part.is_empty() {
        return "%".to_owned();
    }
    if let Some(dots) = escape_dots(part) {
        return dots;
    }
    let mut escaped = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02x}")),
        }
    }
    escaped
}

/// The two names that mean folders to a path, as names that do not.
fn escape_dots(name: &str) -> Option<String> {
    matches!(name, "." | "..").then(|| name.replace('.', "%2e"))
}

fn unescape(escaped: &str) -> Option<String> {
    if escaped == "%" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Component;

    use proptest::prelude::*;

    use super::*;

    /// Reads the key back from a path, as listing does: folder by folder.
    fn key_at(path: &Path) -> Option<String> {
        let mut names: Vec<&str> = path.components().map(|part| part.as_os_str().to_str().unwrap()).collect();
        let file_name = names.pop()?;
        let folder_keys = names.into_iter().try_fold(String::new(), |keys, name| keys_of_folder(&keys, name))?;
        key_of_record(&folder_keys, file_name)
    }

    fn assert_is_kept(key: &str) {
        let path = record_path(Path::new(""), key);
        assert_eq!(key_at(&path).as_deref(), Some(key));
        for component in path.components() {
            let Component::Normal(name) = component else { panic!("{key:?} became {path:?}") };
            assert!(name.len() <= 255, "{key:?} became {path:?}");
        }
    }

    #[test]
    fn the_usual_key_stays_readable() {
        let path = record_path(Path::new("production"), "class_03/01890a5d-ac96-774b-bcce-b302099a8057.jpg");
        assert_eq!(path, Path::new("production/class_03/01890a5d-ac96-774b-bcce-b302099a8057.jpg=.json"));
    }

    #[test]
    fn keys_that_are_tricks_elsewhere_are_only_keys() {
        for key in [
            ".",
            "..",
            "/",
            "//",
            "../../etc/passwd",
            "/etc/passwd",
            "a/../b",
            "a//b",
            "a/",
            "a/./b",
            "a\0b",
            "a\\b",
            "%2e%2e/x",
            "+",
            "a+",
            "=.json",
            "a=.json",
            "A",
            "a",
            "ä/ö",
            "日本",
            "CON",
            " ",
            "~",
        ] {
            assert_is_kept(key);
        }
    }

    #[test]
    fn an_object_and_a_folder_of_the_same_name_do_not_collide() {
        let names = ["a", "a/", "a/b", "a=.json/b", "a/b=.json", "A", "a+", "a+/b"];
        let mut paths: Vec<PathBuf> = names.iter().map(|key| record_path(Path::new(""), key)).collect();
        for path in &paths {
            let parent = path.parent().unwrap();
            assert!(paths.iter().all(|other| other != parent), "{path:?} lies below another record");
        }
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), names.len());
    }

    #[test]
    fn the_longest_keys_fit() {
        for key in ["x".repeat(1024), "X".repeat(1024), "ß".repeat(512), "日".repeat(341), "/".repeat(1024)] {
            assert_is_kept(&key);
        }
    }

    #[test]
    fn dots_left_over_from_a_long_part_are_no_folders() {
        for dots in [".", "..", "..."] {
            for key in ["", "/", "/a", "/../a"].map(|rest| format!("{}{dots}{rest}", "a".repeat(PIECE_LENGTH))) {
                assert_is_kept(&key);
            }
        }
    }

    proptest! {
        #[test]
        fn every_key_is_read_back(key in "\\PC{1,200}|[a-zA-Z./%+=ä€𝄞]{1,256}") {
            assert_is_kept(&key);
        }
    }
}
