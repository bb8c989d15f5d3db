//! What a photo shows, as far as the names of its folders say.

use gourmetgram_api::{ClassIndex, Classes};

/// What a photo shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// This class of the model.
    Class(ClassIndex),
    /// No food at all.
    NotFood,
    /// Nobody says.
    Unknown,
}

/// The truth about a photo in these folders, the outermost first: the innermost that says something counts.
///
/// `class_07`, `07`, `7` and a label of the model name a class; letters' case, spaces and signs do not matter, because
/// no folder can be called `Noodles/Pasta`.
pub fn truth<'a>(folders: impl DoubleEndedIterator<Item = &'a str>, classes: &Classes) -> Truth {
    folders.rev().find_map(|folder| read(folder, classes)).unwrap_or(Truth::Unknown)
}

fn read(folder: &str, classes: &Classes) -> Option<Truth> {
    let name = plain(folder);
    if let Some((index, _)) = classes.iter().find(|(_, label)| plain(label) == name) {
        return Some(Truth::Class(index));
    }
    match name.as_str() {
        "unlabelled" | "unlabeled" | "unknown" => return Some(Truth::Unknown),
        "notfood" | "nofood" => return Some(Truth::NotFood),
        _ => {}
    }
    let digits = name.strip_prefix("class").unwrap_or(&name);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let index = ClassIndex(digits.parse().ok()?);
    classes.label(index).map(|_| Truth::Class(index))
}

fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes() -> Classes {
        let labels = ["Bread", "Dairy product", "Noodles/Pasta"].map(str::to_owned).to_vec();
        Classes::new(labels).unwrap()
    }

    #[test]
    fn a_class_is_known_by_number_and_by_label() {
        for name in ["class_02", "class_2", "02", "2", "Noodles-Pasta", "noodles pasta", "NoodlesPasta"] {
            assert_eq!(read(name, &classes()), Some(Truth::Class(ClassIndex(2))), "{name}");
        }
        assert_eq!(read("dairy_product", &classes()), Some(Truth::Class(ClassIndex(1))));
    }

    #[test]
    fn other_names_say_nothing() {
        for name in ["", "photos", "3", "99999999999", "class_", "class_x", "..", "Bread2"] {
            assert_eq!(read(name, &classes()), None, "{name}");
        }
        assert_eq!(read("unlabelled", &classes()), Some(Truth::Unknown));
        assert_eq!(read("not_food", &classes()), Some(Truth::NotFood));
    }

    #[test]
    fn the_innermost_folder_that_says_something_counts() {
        let of = |path: &str| truth(path.split('/'), &classes());
        assert_eq!(of("train/01/phone"), Truth::Class(ClassIndex(1)));
        assert_eq!(of("1/0"), Truth::Class(ClassIndex(0)));
        assert_eq!(of("1/unlabelled"), Truth::Unknown);
        assert_eq!(of("train"), Truth::Unknown);
    }
}
