//! Who may do more than a visitor: accounts, their sessions, one-time operator links, machines' tokens.

mod links;
mod sessions;
mod tokens;
mod users;

pub use links::OPERATOR_LINK_LIFETIME;
pub use sessions::{Session, SessionLimits};
pub use tokens::AccessToken;
