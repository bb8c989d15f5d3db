//! One module a page.

pub mod home;
pub mod login;
mod not_found;

pub use home::HomePage;
pub use login::{AccountPage, LinkPage, NotAllowedPage, SignInPage};
pub use not_found::NotFoundPage;
