//! Label Studio as GourmetGram uses it: a [project](Project) for each campaign, [photos](SourceStorage) that it fetches from
//! our buckets itself, [tasks](NewTask), and [annotations](Annotation).
//!
//! A pure client of Label Studio's HTTP interface, written against version 1.23.2. What it adds to single calls:
//!
//! - **Both kinds of tokens** ([`ApiToken`]): legacy ones, and personal access tokens, which buy short-lived ones.
//! - **Trouble is sorted** ([`LabelStudioError`]): what may pass by itself is tried again, with growing pauses; what somebody has
//!   to put right says what and where. Every call ends, and no answer is read beyond a bound.
//! - **Nothing happens twice** that cannot be told apart: what creates something is never repeated blindly. Projects,
//!   storages, webhooks and tasks carry a mark of ours by which they are found again after an answer that got lost.
//! - **Nothing is cut silently**: lists are walked to the end, and each page's length is compared with what Label Studio
//!   says is left.
//! - **Blind is blind** ([`Showing`]): a blind task has the photo and nothing else.
//!
//! [`collect`] turns what was pulled into what changed since last time, without any input or output.

mod annotations;
mod call;
pub mod collect;
mod connection;
mod error;
mod ids;
mod import;
mod interface;
mod patience;
mod projects;
mod settings;
mod storages;
mod tasks;
mod token;
mod users;
mod webhooks;

pub use annotations::{Annotation, Answer, Unusable};
pub use connection::LabelStudio;
pub use error::LabelStudioError;
pub use ids::{AnnotationId, ProjectId, RemoteTaskId, StorageId, UserId, WebhookId};
pub use import::{Imported, ModelAnswer, NewTask};
pub use interface::{LabellingInterface, Showing};
pub use patience::Patience;
pub use projects::{NewProject, Project, ProjectTitle, UnusableTitle};
pub use settings::Settings;
pub use storages::{Purpose, SourceStorage, Synchronised};
pub use tasks::RemoteTask;
pub use token::{ApiToken, UnusableToken};
pub use users::User;
pub use webhooks::{NewWebhook, WebhookHint};
