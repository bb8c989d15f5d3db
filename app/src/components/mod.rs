//! The parts pages are made of.

#[cfg(feature = "ssr")]
pub mod charts;
mod confirmation;
mod empty;
mod erase;
mod icon;
mod later;
mod moment;
mod navigation;
mod notice;
mod picker;
mod reasons;

pub use confirmation::Confirmation;
pub use empty::{EmptyState, Reason};
pub use erase::Erase;
pub use icon::{Icon, Wordmark};
pub(crate) use later::{Sleeping, is_alive, later, once_alive};
pub use moment::Moment;
pub(crate) use moment::local_text;
pub use navigation::Masthead;
pub use notice::{Notice, TroubleNotice};
pub use picker::{PhotoPicker, files_of};
pub use reasons::FlagReasons;
