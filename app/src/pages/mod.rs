//! One module a page.

mod dashboard;
pub mod home;
mod loading;
mod models;
mod not_found;
mod pipelines;
mod review;

pub use dashboard::DashboardPage;
pub use home::HomePage;
pub use models::ModelsPage;
pub use not_found::NotFoundPage;
pub use pipelines::PipelinesPage;
pub use review::ReviewPage;
