//! One module a page.

#[cfg(feature = "ssr")]
mod campaigns;
#[cfg(feature = "ssr")]
mod dashboard;
pub mod home;
#[cfg(feature = "ssr")]
mod loading;
pub mod login;
#[cfg(feature = "ssr")]
mod models;
#[cfg(feature = "ssr")]
mod not_found;
#[cfg(feature = "ssr")]
mod not_now;
mod photos;
#[cfg(feature = "ssr")]
mod pipelines;
mod review;

pub use home::HomePage;
pub use photos::{PhotoPage, PhotosPage};
pub use review::ReviewPage;
#[cfg(feature = "ssr")]
pub use {
    campaigns::CampaignsPage,
    dashboard::{DashboardPage, StatisticsPage, SuspectsPage},
    login::{AccountPage, LinkPage, NotAllowedPage, SignInPage},
    models::ModelsPage,
    not_found::NotFoundPage,
    not_now::NotNowPage,
    pipelines::{PipelinesPage, RunPage},
};

/// The bundle that makes the page at `path` come alive. The other pages are documents and nothing more: nothing on
/// them moves, so they get no scripts.
#[cfg(feature = "ssr")]
pub(crate) fn bundle(path: &str) -> Option<&'static str> {
    match path.trim_matches('/') {
        "" => Some("home"),
        "photos" => Some("photos"),
        "review" => Some("review"),
        path => path.strip_prefix("photos/").filter(|id| !id.contains('/')).map(|_| "photos"),
    }
}
