//! The tags of a photo: what others have changed in them comes in, what we have to say goes out.

use gourmetgram_object_store::{Bucket, ObjectKey, ObjectStore, ObjectStoreError, TagChanges, Tags};
use uuid::Uuid;

use super::{VisitError, key};
use crate::{
    app::App,
    catalog::{Catalog, CatalogError, TaggedFeedback, TakenIn, entity::prediction},
};

/// Reads the tags of photos, and takes in what others have changed. Cheap to clone.
#[derive(Clone)]
pub struct TagReader {
    catalog: Catalog,
    store: ObjectStore,
}

/// Why tags cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum TagsUnread {
    /// The object store does not answer, say.
    #[error(transparent)]
    ObjectStore(#[from] ObjectStoreError),
    /// The catalog does not.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The catalog has a key that is none.
    #[error(transparent)]
    Key(#[from] gourmetgram_object_store::InvalidObjectKey),
}

impl TagReader {
    /// With these parts of a server.
    pub fn new(catalog: Catalog, store: ObjectStore) -> Self {
        Self { catalog, store }
    }

    /// Takes in what others have changed; `None` where the photo is not there any more.
    pub async fn take_in(&self, id: Uuid, object_key: &str) -> Result<Option<TakenIn>, TagsUnread> {
        let before = self.catalog.tags_known(id).await?;
        let Some(standing) = self.read(object_key).await? else { return Ok(None) };
        match self.catalog.take_in_tags(id, &feedback_in(&standing), Some(&before)).await {
            Ok(taken) => Ok(Some(taken)),
            Err(CatalogError::NotFound | CatalogError::Erased) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the tags say something else than the catalog.
    pub async fn differs(&self, id: Uuid, object_key: &str) -> Result<bool, TagsUnread> {
        let Some(standing) = self.read(object_key).await? else { return Ok(false) };
        let Ok(id) = id.try_into() else { return Ok(false) };
        let row = self.catalog.prediction(id).await?;
        Ok(row.is_some_and(|row| row.erased_at.is_none() && TaggedFeedback::of(&row) != feedback_in(&standing)))
    }

    async fn read(&self, object_key: &str) -> Result<Option<Tags>, TagsUnread> {
        let key: ObjectKey = object_key.parse()?;
        match self.store.read_tags(Bucket::Production, &key).await {
            Ok(tags) => Ok(Some(tags)),
            Err(ObjectStoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Makes the tags of a stored photo like the catalog, with what others have changed meanwhile taken in first. `tags` says
/// what is ours for a row. Answers the row as it is then, and all tags that stand there.
pub(super) async fn carry_over(
    app: &App,
    row: &prediction::Model,
    tags: impl Fn(&prediction::Model) -> TagChanges,
) -> Result<(prediction::Model, Tags), VisitError> {
    let (store, catalog) = (app.object_store(), app.catalog());
    let key = key(&row.object_key)?;
    let standing = store.read_tags(Bucket::Production, &key).await?;
    let taken = catalog.take_in_tags(row.id, &feedback_in(&standing), None).await?;
    if let Some(label) = taken.unknown_class {
        tracing::warn!(prediction = %row.id, label, "the tag corrected_class names no class; it is replaced by what we know");
    }
    let row = taken.prediction;
    let said = TaggedFeedback::of(&row);
    let is_news = catalog.announce_tags(row.id, &said).await?;
    let standing = store.write_merged(Bucket::Production, &key, standing, &tags(&row)).await?;
    if is_news {
        catalog.confirm_tags(row.id, &said).await?;
    }
    Ok((row, standing))
}

fn feedback_in(tags: &Tags) -> TaggedFeedback {
    TaggedFeedback {
        flagged: tags.get("flagged") == Some("true"),
        corrected_class: tags.get("corrected_class").filter(|label| !label.is_empty()).map(str::to_owned),
    }
}
