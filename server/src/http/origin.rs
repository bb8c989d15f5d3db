//! Whether a request comes from our own pages, or another site made a browser send it.
//!
//! A browser adds cookies by itself, and signs in whoever posts a name and a password. So a request that changes
//! something and is not made with a bearer token, which no other site can add, must come from here. Browsers say where
//! a request comes from, in headers that pages cannot set: `Sec-Fetch-Site`, and `Origin` with every `POST`, `PUT` and
//! `DELETE`. We believe those rather than a token of our own in every form: they need no state, cannot be forgotten in
//! one form, and work for scripts and forms alike. A client that sends neither is no browser of the last years: it is
//! allowed to act as nobody or as a visitor, never for somebody who is signed in.
//!
//! Cookies are `SameSite=Lax` besides; this holds where a browser ignores that, and against another port of the host.

use axum::http::{HeaderMap, HeaderValue, Method, header};
use gourmetgram_api::ProblemKind;
use url::Url;

use super::Refusal;

/// Refuses a request that would change something on behalf of another site. `is_signed_in` says whether it carries a
/// session's cookie, `public_url` is the address people use where it differs from the one we see.
pub fn refuse_foreign(
    method: &Method,
    headers: &HeaderMap,
    public_url: Option<&Url>,
    is_signed_in: bool,
) -> Result<(), Refusal> {
    if method.is_safe() {
        return Ok(());
    }
    let foreign = || {
        Refusal::new(
            ProblemKind::Forbidden,
            "this request comes from another site; open the page it belongs to here and try there",
        )
    };
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => return Ok(()),
        Some(_) => return Err(foreign()),
        None => {}
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return if is_signed_in {
            Err(Refusal::new(
                ProblemKind::Forbidden,
                "the request does not say which site it comes from, which a signed-in browser must: send the header \
                 Origin, or use an access token",
            ))
        } else {
            Ok(())
        };
    };
    let origin = origin.to_str().unwrap_or_default();
    let is_public =
        public_url.is_some_and(|url| url.origin().is_tuple() && url.origin().ascii_serialization() == origin);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let is_host = origin.split_once("://").is_some_and(|(_, place)| Some(place) == host);
    if is_public || is_host { Ok(()) } else { Err(foreign()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn requests_that_other_sites_cause_are_refused() {
        let host = ("host", "food.example:8080");
        let public_url = "https://food.example/".parse().unwrap();
        for (pairs, allowed) in [
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (vec![host, ("sec-fetch-site", "none")], true),
            (vec![host, ("sec-fetch-site", "cross-site")], false),
            (vec![host, ("sec-fetch-site", "same-site")], false),
            (vec![host, ("sec-fetch-site", "nonsense")], false),
            (vec![host, ("sec-fetch-site", "cross-site"), ("origin", "http://food.example:8080")], false),
            (vec![host, ("origin", "http://food.example:8080")], true),
            (vec![host, ("origin", "https://food.example")], true),
            (vec![host, ("origin", "http://food.example:9000")], false),
            (vec![host, ("origin", "https://evil.example")], false),
            (vec![host, ("origin", "https://food.example.evil.example")], false),
            (vec![host, ("origin", "null")], false),
            (vec![("origin", "food.example")], false),
        ] {
            let outcome = refuse_foreign(&Method::POST, &headers(&pairs), Some(&public_url), true);
            assert_eq!(outcome.is_ok(), allowed, "{pairs:?}");
            assert!(refuse_foreign(&Method::GET, &headers(&pairs), None, true).is_ok());
        }
    }

    #[test]
    fn a_client_that_does_not_say_where_it_comes_from_never_acts_for_somebody_signed_in() {
        let silent = headers(&[("host", "food.example")]);
        assert!(refuse_foreign(&Method::POST, &silent, None, false).is_ok());
        assert!(refuse_foreign(&Method::POST, &silent, None, true).is_err());
    }
}
