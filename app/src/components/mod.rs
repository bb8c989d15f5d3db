//! The parts pages are made of.

mod confirmation;
mod erase;
mod icon;
mod moment;
mod notice;
mod picker;

pub use confirmation::Confirmation;
pub use erase::Erase;
pub use icon::{Icon, Wordmark};
pub use moment::Moment;
pub use notice::{Notice, TroubleNotice};
pub use picker::PhotoPicker;
