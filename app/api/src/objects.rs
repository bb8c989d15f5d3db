//! What the object store has of one photo, as it is now.

use serde::{Deserialize, Serialize};

use crate::Place;

/// One tag of an object, whoever set it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ObjectTag {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What was found at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ObjectState {
    /// The object is there.
    Present {
        /// Its tags, ours and others'.
        tags: Vec<ObjectTag>,
    },
    /// There is no such object.
    Absent,
    /// The object store did not answer: nobody knows just now.
    Unknown,
}

/// The photo's object in one bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoredObject {
    /// What the bucket is for.
    pub place: Place,
    /// What the bucket is called.
    pub bucket: String,
    /// The object's key in it.
    pub key: String,
    /// What was found.
    #[serde(flatten)]
    pub found: ObjectState,
}

/// Answer of `GET /api/v1/predictions/{id}/objects`: read from the object store at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoredObjects {
    /// One for each bucket that holds photos.
    pub objects: Vec<StoredObject>,
}
