//! Where to go after signing in: a path of this site, and nothing that a browser could take for another one.

use std::{fmt, str::FromStr};

use axum::http::{HeaderValue, Uri};
use url::Url;

const MAX_BYTES: usize = 2048;

/// A path, with or without a query, on this very site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

/// Text that leads elsewhere, or nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLocal;

impl LocalPath {
    /// The start page.
    pub fn start() -> Self {
        Self("/".to_owned())
    }

    /// The page that `uri` asks for.
    pub fn of(uri: &Uri) -> Self {
        uri.path_and_query().and_then(|path| path.as_str().parse().ok()).unwrap_or_else(Self::start)
    }

    /// The path as a query parameter's value.
    pub fn encoded(&self) -> String {
        url::form_urlencoded::byte_serialize(self.0.as_bytes()).collect()
    }

    /// The path for the header `Location`.
    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("/"))
    }
}

impl FromStr for LocalPath {
    type Err = NotLocal;

    fn from_str(text: &str) -> Result<Self, NotLocal> {
        // Browsers drop tabs and line ends from an address and take `\` for `/`: neither is in an address we make.
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let is_path = text.starts_with('/') && !text.starts_with("//") && text.len() <= MAX_BYTES;
        if !(is_plain && is_path) {
            return Err(NotLocal);
        }
        // And as a browser would read it, in case we overlooked something.
        let here = Url::parse("http://here.invalid/").map_err(|_| NotLocal)?;
        let there = here.join(text).map_err(|_| NotLocal)?;
        // Coming back to the door would only ask again.
        let is_door = ["/login", "/logout"]
            .iter()
            .any(|door| there.path().strip_prefix(door).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        if there.origin() == here.origin() && !is_door { Ok(Self(text.to_owned())) } else { Err(NotLocal) }
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_this_site_are_taken_as_they_are() {
        for good in
            ["/", "/photos", "/photos?class=Soup&from=2026-01-01", "/?photo=x", "/a//b", "/loginfo", "/@evil.example"]
        {
            assert_eq!(good.parse::<LocalPath>().map(|path| path.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn nothing_leads_to_another_site() {
        for bad in [
            "",
            "photos",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a\\..\\..\\evil",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nSet-Cookie: a=b",
            " /photos",
            "/pho tos",
            "/ä",
            "/\0",
            "/\u{202e}",
            "/login",
            "/login?next=/photos",
            "/login/link",
            "/a/../login",
            "/logout",
        ] {
            assert_eq!(bad.parse::<LocalPath>(), Err(NotLocal), "{bad:?}");
        }
        assert_eq!(format!("/{}", "a".repeat(3000)).parse::<LocalPath>(), Err(NotLocal));
    }

    #[test]
    fn a_path_survives_being_a_query_parameter() {
        let path: LocalPath = "/photos?class=Noodles%2FPasta&flagged=true".parse().unwrap();
        let query = format!("next={}", path.encoded());
        let (_, back) = url::form_urlencoded::parse(query.as_bytes()).next().unwrap();
        assert_eq!(back.parse(), Ok(path.clone()));
        assert_eq!(LocalPath::of(&path.to_string().parse().unwrap()), path);
    }
}
