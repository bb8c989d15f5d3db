//! Pages that are documents and nothing more, as the browser's router knows them. Links to them load them; should the
//! router come to one all the same, it fetches the document.

pub use super::login::{
    ByDocument as CampaignsPage, ByDocument as DashboardPage, ByDocument as ModelsPage, ByDocument as NotNowPage,
    ByDocument as PipelinesPage, ByDocument as RunPage,
};
