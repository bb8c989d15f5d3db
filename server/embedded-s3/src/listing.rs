//! One page of a bucket's listing: which keys and common prefixes it shows and where the next one goes on.
//!
//! Pure, so that it can be checked against a plain model; reading keys is [`Records::keys`](crate::records::Records).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// S3 never shows more on one page.
pub(crate) const MAX_KEYS: usize = 1000;

/// What a client asked to see.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'a> {
    /// Only keys that start so.
    pub(crate) prefix: &'a str,
    /// Keys that have this after the prefix are shown as one common prefix, up to and including it. Never empty.
    pub(crate) delimiter: Option<&'a str>,
    /// Go on after this key, or after all keys of this common prefix.
    pub(crate) after: Option<&'a str>,
    /// At most so many keys and common prefixes together.
    pub(crate) limit: usize,
}

/// What is shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) keys: Vec<String>,
    pub(crate) common_prefixes: Vec<String>,
    /// Where the next page goes on: the last key or common prefix of this one. `None` on the last page.
    pub(crate) next: Option<String>,
}

/// The page of `sorted_keys` (by bytes, as S3 orders them) that answers `query`.
pub(crate) fn page(sorted_keys: impl IntoIterator<Item = String>, query: Query<'_>) -> Page {
    let mut page = Page::default();
    if query.limit == 0 {
        return page;
    }
    let mut last: Option<String> = None;
    for key in sorted_keys {
        let Some(rest) = key.strip_prefix(query.prefix) else { continue };
        let common_prefix = query.delimiter.and_then(|delimiter| {
            let end = query.prefix.len() + rest.find(delimiter)? + delimiter.len();
            Some(&key[..end])
        });
        let shown = common_prefix.unwrap_or(&key);
        if last.as_deref() == Some(shown) {
            continue;
        }
        if query.after.is_some_and(|after| key.as_str() <= after || shown == after) {
            continue;
        }
        if page.keys.len() + page.common_prefixes.len() == query.limit {
            page.next = last;
            return page;
        }
        last = Some(shown.to_owned());
        match common_prefix {
            Some(prefix) => page.common_prefixes.push(prefix.to_owned()),
            None => page.keys.push(key),
        }
    }
    page
}

/// A key as clients want it that asked for `encoding-type=url`, because XML cannot carry every character.
pub(crate) fn url_encoded(key: &str) -> String {
    const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
    utf8_percent_encode(key, &KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(keys: &[&str], query: Query<'_>) -> Page {
        page(keys.iter().map(|key| (*key).to_owned()), query)
    }

    const ALL: Query<'static> = Query { prefix: "", delimiter: None, after: None, limit: 1000 };

    #[test]
    fn folders_are_shown_once() {
        let found = list(&["a", "b/1", "b/2", "c", "d/e/f"], Query { delimiter: Some("/"), ..ALL });
        assert_eq!(found.keys, ["a", "c"]);
        assert_eq!(found.common_prefixes, ["b/", "d/"]);
        assert_eq!(found.next, None);
    }

    #[test]
    fn a_page_that_ends_in_a_folder_does_not_show_it_again() {
        let keys = ["a/1", "a/2", "b"];
        let query = Query { delimiter: Some("/"), limit: 1, ..ALL };
        let first = list(&keys, query);
        assert_eq!((first.common_prefixes, first.next.as_deref()), (vec!["a/".to_owned()], Some("a/")));
        let second = list(&keys, Query { after: Some("a/"), ..query });
        assert_eq!((second.keys, second.next), (vec!["b".to_owned()], None));
    }

    #[test]
    fn no_keys_asked_for_means_none_and_no_more() {
        assert_eq!(list(&["a"], Query { limit: 0, ..ALL }), Page::default());
    }

    proptest! {
        /// All pages together show what one unlimited page shows, whatever the keys, prefix, delimiter and page size.
        #[test]
        fn pages_add_up(
            keys in prop::collection::btree_set("[ab/€]{1,5}", 0..40),
            prefix in "[ab/]{0,2}",
            delimiter in prop::option::of("[/€]|a/"),
            limit in 1_usize..5,
        ) {
            let query = Query { prefix: &prefix, delimiter: delimiter.as_deref(), after: None, limit: 1000 };
            let whole = page(keys.iter().cloned(), query);
            prop_assert_eq!(&whole.next, &None);

            let mut together = Page::default();
            let mut after: Option<String> = None;
            loop {
                let part = page(keys.iter().cloned(), Query { after: after.as_deref(), limit, ..query });
                prop_assert!(part.keys.len() + part.common_prefixes.len() <= limit);
                together.keys.extend(part.keys);
                together.common_prefixes.extend(part.common_prefixes);
                after = part.next;
                if after.is_none() { break; }
            }
            prop_assert_eq!(&together, &whole);

            // And that page shows every key under the prefix: itself, or by its common prefix.
            for key in keys.iter().filter(|key| key.starts_with(&prefix)) {
                let shown = whole.keys.contains(key) || whole.common_prefixes.iter().any(|p| key.starts_with(p));
                prop_assert!(shown, "{} is missing", key);
            }
        }
    }
}
