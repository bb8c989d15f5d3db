//! One module a page.

mod dashboard;
pub mod home;
mod loading;
pub mod login;
mod models;
mod not_found;
mod photos;
mod pipelines;
mod review;

pub use dashboard::DashboardPage;
pub use home::HomePage;
pub use login::{AccountPage, LinkPage, NotAllowedPage, SignInPage};
pub use models::ModelsPage;
pub use not_found::NotFoundPage;
pub use photos::{PhotoPage, PhotosPage};
pub use pipelines::PipelinesPage;
pub use review::ReviewPage;
