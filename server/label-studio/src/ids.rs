//! Numbers by which Label Studio names things.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    )*};
}

ids! {
    /// A project.
    ProjectId,
    /// A task; later tasks have greater numbers.
    RemoteTaskId,
    /// An annotation.
    AnnotationId,
    /// A user.
    UserId,
    /// A source storage.
    StorageId,
    /// A webhook.
    WebhookId,
}
