//! GourmetGram's pages: rendered on the server, hydrated in the browser.
//!
//! One code for both sides. The server (feature `ssr`) renders [`shell`] with what its [`backend`] gives; the browser
//! (feature `hydrate`) takes the same pages over, each by a bundle of its own, and talks to the API through [`client`]. Every form on a page also
//! works with scripts off: it posts to a path of [`forms`], and the server answers with a redirect.

#![expect(unreachable_pub, reason = "the component macro makes a `pub` item within a private module of each component")]

pub mod album;
#[cfg(feature = "ssr")]
pub mod backend;
#[cfg(feature = "ssr")]
pub mod campaigns;
pub mod client;
pub mod components;
pub mod device;
pub mod explore;
pub mod forms;
pub mod home;
pub mod judgement;
pub mod line;
#[cfg(feature = "ssr")]
pub mod measured;
pub mod offline;
pub mod pages;
pub mod posted;
pub mod review;
pub mod trouble;
pub mod upload;
pub mod visit;
pub mod wording;
#[cfg(feature = "ssr")]
pub mod work;

mod app;
#[cfg(not(feature = "ssr"))]
pub mod bundles;

#[cfg(feature = "ssr")]
pub use app::{App, shell};
