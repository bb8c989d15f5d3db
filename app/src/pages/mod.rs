//! One module a page.

#[cfg(feature = "ssr")]
mod campaigns;
#[cfg(feature = "ssr")]
mod dashboard;
#[cfg(not(feature = "ssr"))]
mod document;
pub mod home;
#[cfg(feature = "ssr")]
mod loading;
pub mod login;
#[cfg(feature = "ssr")]
mod models;
mod not_found;
#[cfg(feature = "ssr")]
mod not_now;
mod photos;
#[cfg(feature = "ssr")]
mod pipelines;
mod review;

#[cfg(not(feature = "ssr"))]
pub use document::{CampaignsPage, DashboardPage, ModelsPage, NotNowPage, PipelinesPage, RunPage};
pub use home::HomePage;
pub use login::{AccountPage, LinkPage, NotAllowedPage, SignInPage};
pub use not_found::NotFoundPage;
pub use photos::{PhotoPage, PhotosPage};
pub use review::ReviewPage;
#[cfg(feature = "ssr")]
pub use {
    campaigns::CampaignsPage,
    dashboard::DashboardPage,
    models::ModelsPage,
    not_now::NotNowPage,
    pipelines::{PipelinesPage, RunPage},
};

/// Whether the page at `path` is a document and nothing more: nothing on it moves, so it gets no scripts, and they need
/// not carry it.
#[cfg(feature = "ssr")]
pub(crate) fn is_document(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    login::is_here(path)
        || path.starts_with("/pipelines/")
        || ["/campaigns", "/dashboard", "/models", "/pipelines", crate::forms::NOT_NOW].contains(&path)
}
