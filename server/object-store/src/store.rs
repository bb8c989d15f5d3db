//! The object store itself: what we ask of S3, one method each.

use std::{future::Future, time::Duration};

use aws_config::{BehaviorVersion, Region, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_s3::{
    Client,
    config::{Credentials, SharedCredentialsProvider, http::HttpResponse},
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
    types::{BucketLocationConstraint, CreateBucketConfiguration, MetadataDirective, Tag, Tagging, TaggingDirective},
};
use bytes::{Bytes, BytesMut};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;

use crate::{Bucket, BucketNames, ObjectKey, ObjectStoreError, Settings, TagChanges, Tags, Timeouts, bucket::Place};

/// How often a bucket is looked at again while another server may be making it.
const BUCKET_ATTEMPTS: u32 = 5;

/// A connection to an S3-compatible object store. Cheap to clone.
///
/// Every call ends within [`Timeouts::call`], whatever the store does.
#[derive(Clone, Debug)]
pub struct ObjectStore {
    client: Client,
    buckets: BucketNames,
    timeouts: Timeouts,
    /// What a new bucket has to say of where it is; `None` where S3 wants nothing said.
    location: Option<String>,
}

/// An object's bytes and what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The bytes.
    pub bytes: Bytes,
    /// For example `image/jpeg`; `None` where nobody said.
    pub content_type: Option<String>,
}

/// What is known of an object without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// Length in bytes.
    pub size: u64,
    /// For example `image/jpeg`; `None` where nobody said.
    pub content_type: Option<String>,
    /// Changes when the bytes change; in quotes, as HTTP writes it.
    pub e_tag: Option<String>,
}

/// Some of the keys of a bucket, in the order of their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyPage {
    /// The keys. Those of others that are no [`ObjectKey`] are left out.
    pub keys: Vec<ObjectKey>,
    /// Where the next page goes on; `None` on the last.
    pub next: Option<String>,
}

impl ObjectStore {
    /// Prepares a client. Nothing is sent before the first call; credentials too are looked for then.
    pub async fn connect(settings: Settings) -> Self {
        let Settings { endpoint, region, credentials, path_style, buckets, timeouts, attempts } = settings;
        let limits = TimeoutConfig::builder()
            .connect_timeout(timeouts.connect)
            .operation_attempt_timeout(timeouts.attempt)
            .operation_timeout(timeouts.call)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .timeout_config(limits)
            .retry_config(RetryConfig::standard().with_max_attempts(attempts.max(1)));
        if let Some((key, secret)) = credentials {
            let given = Credentials::new(key, secret.expose_secret(), None, None, "settings");
            loader = loader.credentials_provider(SharedCredentialsProvider::new(given));
        }
        let has_endpoint = endpoint.is_some();
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint.as_str().trim_end_matches('/'));
        }
        let shared = loader.load().await;
        let has_endpoint = has_endpoint || shared.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&shared).force_path_style(path_style || has_endpoint).build();
        Self {
            client: Client::from_conf(config),
            buckets,
            timeouts,
            // Amazon's first region is the one that must not be named.
            location: (region != "us-east-1").then_some(region),
        }
    }

    /// What the buckets are called.
    pub fn bucket_names(&self) -> &BucketNames {
        &self.buckets
    }

    /// Makes the buckets that are missing. May run on several servers at once, and as often as one likes.
    pub async fn ensure_buckets(&self) -> Result<(), ObjectStoreError> {
        for bucket in Bucket::ALL {
            self.ensure_bucket(bucket).await?;
        }
        Ok(())
    }

    async fn ensure_bucket(&self, bucket: Bucket) -> Result<(), ObjectStoreError> {
        let mut attempt = 1;
        loop {
            match self.head_bucket(bucket).await {
                Err(ObjectStoreError::BucketMissing { .. }) => {}
                answer => return answer,
            }
            match self.create_bucket(bucket).await {
                Ok(()) => {
                    tracing::info!(bucket = self.buckets.of(bucket), "made a bucket in the object store");
                    return Ok(());
                }
                // Whoever was faster: what counts is that it is there and that we may use it.
                Err(ObjectStoreError::Refused { status: 409, .. } | ObjectStoreError::Unavailable { .. })
                    if attempt < BUCKET_ATTEMPTS =>
                {
                    tokio::time::sleep(Duration::from_millis(100) * attempt).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn head_bucket(&self, bucket: Bucket) -> Result<(), ObjectStoreError> {
        let call = self.client.head_bucket().bucket(self.buckets.of(bucket)).send();
        self.answer("HeadBucket", self.place(bucket), call).await.map(drop)
    }

    async fn create_bucket(&self, bucket: Bucket) -> Result<(), ObjectStoreError> {
        let location = self.location.as_deref().map(|region| {
            let constraint = BucketLocationConstraint::from(region);
            CreateBucketConfiguration::builder().location_constraint(constraint).build()
        });
        let name = self.buckets.of(bucket);
        let call = self.client.create_bucket().bucket(name).set_create_bucket_configuration(location).send();
        self.answer("CreateBucket", self.place(bucket), call).await.map(drop)
    }

    /// Whether the store answers and lets us at the bucket `production`: asked for readiness, so it asks only once and
    /// waits only [`Timeouts::check`].
    pub async fn check(&self) -> Result<(), ObjectStoreError> {
        let limit = self.timeouts.check;
        match tokio::time::timeout(limit, self.head_bucket(Bucket::Production)).await {
            Ok(answer) => answer,
            Err(_) => Err(ObjectStoreError::too_slow("HeadBucket", self.place(Bucket::Production), limit)),
        }
    }

    /// Puts an object with exactly these tags, in one step: bytes and tags change together. What was there is replaced,
    /// its tags too; merge them first where others may have set some.
    pub async fn put(
        &self,
        bucket: Bucket,
        key: &ObjectKey,
        bytes: impl Into<Bytes>,
        content_type: &str,
        tags: &Tags,
    ) -> Result<(), ObjectStoreError> {
        let call = self
            .client
            .put_object()
            .bucket(self.buckets.of(bucket))
            .key(key.as_str())
            .content_type(content_type)
            .set_tagging(tags.to_header())
            .body(ByteStream::from(bytes.into()))
            .send();
        self.answer("PutObject", self.place_of(bucket, key), call).await.map(drop)
    }

    /// Reads an object of at most `limit` bytes; a longer one is [`ObjectStoreError::TooLarge`].
    pub async fn get_at_most(&self, bucket: Bucket, key: &ObjectKey, limit: u64) -> Result<Object, ObjectStoreError> {
        const OPERATION: &str = "GetObject";
        let place = || self.place_of(bucket, key);
        let too_large = || ObjectStoreError::TooLarge { place: place(), limit };
        let read = async {
            let call = self.client.get_object().bucket(self.buckets.of(bucket)).key(key.as_str()).send();
            let mut found = self.answer(OPERATION, place(), call).await?;
            let length = found.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
            if length > limit {
                return Err(too_large());
            }
            // What is announced is within the limit; what comes is counted all the same.
            let mut bytes = BytesMut::with_capacity(usize::try_from(length).unwrap_or_default());
            loop {
                match found.body.try_next().await {
                    Ok(Some(chunk)) if (bytes.len() + chunk.len()) as u64 > limit => return Err(too_large()),
                    Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                    Ok(None) => break,
                    Err(error) => return Err(ObjectStoreError::broke_off(OPERATION, place(), &error)),
                }
            }
            Ok(Object { bytes: bytes.freeze(), content_type: found.content_type })
        };
        // The client's own limits end with the head of the answer.
        let answer = tokio::time::timeout(self.timeouts.call, read).await;
        answer.unwrap_or_else(|_| Err(ObjectStoreError::too_slow(OPERATION, place(), self.timeouts.call)))
    }

    /// Reads an object of at most [`Self::DEFAULT_LIMIT`].
    pub async fn get(&self, bucket: Bucket, key: &ObjectKey) -> Result<Object, ObjectStoreError> {
        self.get_at_most(bucket, key, Self::DEFAULT_LIMIT).await
    }

    /// How much [`Self::get`] reads into memory, in bytes: 64 MiB, three times the longest photo.
    pub const DEFAULT_LIMIT: u64 = 64 * 1024 * 1024;

    /// Asks what an object is, without reading it.
    pub async fn head(&self, bucket: Bucket, key: &ObjectKey) -> Result<ObjectHead, ObjectStoreError> {
        let call = self.client.head_object().bucket(self.buckets.of(bucket)).key(key.as_str()).send();
        let found = self.answer("HeadObject", self.place_of(bucket, key), call).await?;
        Ok(ObjectHead {
            size: found.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default(),
            content_type: found.content_type,
            e_tag: found.e_tag,
        })
    }

    /// Reads all tags of an object, ours and others'.
    pub async fn read_tags(&self, bucket: Bucket, key: &ObjectKey) -> Result<Tags, ObjectStoreError> {
        let call = self.client.get_object_tagging().bucket(self.buckets.of(bucket)).key(key.as_str()).send();
        let found = self.answer("GetObjectTagging", self.place_of(bucket, key), call).await?;
        Ok(Tags::from_store(found.tag_set.into_iter().map(|tag| (tag.key, tag.value))))
    }

    /// Changes our own tags of an object and keeps all others; answers what stands there then. Where nothing changes,
    /// nothing is written. Where they do not fit together, nothing is written either:
    /// [`TagsError::TooMany`](crate::TagsError::TooMany).
    ///
    /// S3 has no way to change tags only if nobody else did meanwhile: a tag that somebody sets in the moment between
    /// our reading and writing is lost. Writers of our own take turns for each object (the outbox).
    pub async fn merge_tags(
        &self,
        bucket: Bucket,
        key: &ObjectKey,
        own: &TagChanges,
    ) -> Result<Tags, ObjectStoreError> {
        let standing = self.read_tags(bucket, key).await?;
        self.write_merged(bucket, key, standing, own).await
    }

    /// The second half of [`ObjectStore::merge_tags`], for who has read what stands there.
    pub async fn write_merged(
        &self,
        bucket: Bucket,
        key: &ObjectKey,
        standing: Tags,
        own: &TagChanges,
    ) -> Result<Tags, ObjectStoreError> {
        let merged = standing.merge(own)?;
        if merged != standing {
            self.write_tags(bucket, key, &merged).await?;
        }
        Ok(merged)
    }

    async fn write_tags(&self, bucket: Bucket, key: &ObjectKey, tags: &Tags) -> Result<(), ObjectStoreError> {
        let place = self.place_of(bucket, key);
        if tags.is_empty() {
            // Not every store takes an empty set.
            let call = self.client.delete_object_tagging().bucket(self.buckets.of(bucket)).key(key.as_str()).send();
            return self.answer("DeleteObjectTagging", place, call).await.map(drop);
        }
        let invalid = |reason: String| ObjectStoreError::Misconfigured {
            operation: "PutObjectTagging",
            place: self.place_of(bucket, key),
            reason,
        };
        let tags: Result<Vec<Tag>, _> =
            tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let tagging = tags.and_then(|tags| Tagging::builder().set_tag_set(Some(tags)).build());
        let tagging = tagging.map_err(|error| invalid(error.to_string()))?;
        let name = self.buckets.of(bucket);
        let call = self.client.put_object_tagging().bucket(name).key(key.as_str()).tagging(tagging).send();
        self.answer("PutObjectTagging", place, call).await.map(drop)
    }

    /// Copies an object with its content type and all its tags. What is at the target is replaced.
    pub async fn copy(&self, from: (Bucket, &ObjectKey), to: (Bucket, &ObjectKey)) -> Result<(), ObjectStoreError> {
        let call = self
            .client
            .copy_object()
            .copy_source(self.source(from))
            .bucket(self.buckets.of(to.0))
            .key(to.1.as_str())
            .tagging_directive(TaggingDirective::Copy)
            .send();
        // What can be missing is the source.
        self.answer("CopyObject", self.place_of(from.0, from.1), call).await.map(drop)
    }

    /// Copies an object's bytes and nothing else: the copy has this content type, exactly these tags, and none of what
    /// others may have noted beside the original. What is at the target is replaced, in one step.
    pub async fn copy_with_tags(
        &self,
        from: (Bucket, &ObjectKey),
        to: (Bucket, &ObjectKey),
        content_type: &str,
        tags: &Tags,
    ) -> Result<(), ObjectStoreError> {
        let call = self
            .client
            .copy_object()
            .copy_source(self.source(from))
            .bucket(self.buckets.of(to.0))
            .key(to.1.as_str())
            .metadata_directive(MetadataDirective::Replace)
            .content_type(content_type)
            .tagging_directive(TaggingDirective::Replace)
            .set_tagging(tags.to_header())
            .send();
        self.answer("CopyObject", self.place_of(from.0, from.1), call).await.map(drop)
    }

    fn source(&self, (bucket, key): (Bucket, &ObjectKey)) -> String {
        const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
        format!("{}/{}", self.buckets.of(bucket), utf8_percent_encode(key.as_str(), &KEPT))
    }

    /// Removes an object with its tags. That there is none is no error.
    pub async fn delete(&self, bucket: Bucket, key: &ObjectKey) -> Result<(), ObjectStoreError> {
        let call = self.client.delete_object().bucket(self.buckets.of(bucket)).key(key.as_str()).send();
        match self.answer("DeleteObject", self.place_of(bucket, key), call).await {
            Ok(_) | Err(ObjectStoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The keys of a bucket that start with `prefix`: the first page of at most 1,000, or the one that goes on where
    /// the last one said.
    pub async fn list(&self, bucket: Bucket, prefix: &str, go_on: Option<String>) -> Result<KeyPage, ObjectStoreError> {
        let name = self.buckets.of(bucket);
        let call = self.client.list_objects_v2().bucket(name).prefix(prefix).set_continuation_token(go_on).send();
        let found = self.answer("ListObjectsV2", self.place(bucket), call).await?;
        let keys = found.contents.unwrap_or_default().into_iter();
        Ok(KeyPage {
            keys: keys.filter_map(|object| ObjectKey::new(object.key?).ok()).collect(),
            next: found.next_continuation_token,
        })
    }

    /// The first page of at most 1,000 keys that start with `prefix` and come after one.
    pub async fn list_after(
        &self,
        bucket: Bucket,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<ObjectKey>, ObjectStoreError> {
        let call = self.client.list_objects_v2().bucket(self.buckets.of(bucket)).prefix(prefix);
        let call = call.set_start_after(after.map(str::to_owned)).send();
        let found = self.answer("ListObjectsV2", self.place(bucket), call).await?;
        let keys = found.contents.unwrap_or_default().into_iter();
        Ok(keys.filter_map(|object| ObjectKey::new(object.key?).ok()).collect())
    }

    async fn answer<T, E>(
        &self,
        operation: &'static str,
        place: Place,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, ObjectStoreError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        call.await.map_err(|error| ObjectStoreError::of_sdk(operation, place, error))
    }

    fn place(&self, bucket: Bucket) -> Place {
        Place { bucket: self.buckets.of(bucket).to_owned(), key: None }
    }

    fn place_of(&self, bucket: Bucket, key: &ObjectKey) -> Place {
        Place { key: Some(key.to_string()), ..self.place(bucket) }
    }
}
