//! What accounts and tokens are made of: names, passwords, scopes.

mod name;
mod password;
mod scope;

pub use name::{AccountName, BadName};
pub use password::{Password, PasswordError, Passwords, WeakPassword};
pub use scope::{Scope, Scopes, UnknownScope};
