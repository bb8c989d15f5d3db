//! `/login` and what lies below it: the door for those who run the service.
//!
//! These pages are plain forms and nothing else. They are rendered on the server for each request, come without
//! scripts, and never come alive: who may do what is asked where it is known.

#[cfg(feature = "ssr")]
mod account;
#[cfg(feature = "ssr")]
mod field;
#[cfg(feature = "ssr")]
mod link;
#[cfg(feature = "ssr")]
mod not_allowed;
#[cfg(feature = "ssr")]
mod sign_in;

#[cfg(feature = "ssr")]
pub use self::{
    account::Account as AccountPage, link::Link as LinkPage, not_allowed::NotAllowed as NotAllowedPage,
    sign_in::SignIn as SignInPage,
};

/// Where the pages lie.
pub const DOOR: &str = "/login";

/// Whether the page at `path` is one of these.
pub fn is_here(path: &str) -> bool {
    path.split(['?', '#'])
        .next()
        .and_then(|path| path.strip_prefix(DOOR))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_door_and_what_lies_below_it_is_here() {
        for here in ["/login", "/login?next=/photos", "/login/link", "/login/account"] {
            assert!(is_here(here), "{here}");
        }
        for elsewhere in ["/", "/loginfo", "/photos?next=/login"] {
            assert!(!is_here(elsewhere), "{elsewhere}");
        }
    }
}
