//! The calls this server answers. What is not here answers `NotImplemented`.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderName, HeaderValue};
use s3s::{
    S3, S3Request, S3Response, S3Result,
    crypto::{Checksum, Md5},
    dto::*,
    s3_error,
};
use uuid::Uuid;

use crate::{
    body::bounded,
    failure,
    listing::{self, MAX_KEYS, Page, Query},
    part_checksum::PartChecksum,
    preconditions::{ReadConditions, WriteConditions},
    records::{Record, now_ms, time_of},
    storage::{Storage, bare},
    tags::Tags,
    uploads::Upload,
    versions::Draft,
};

/// What S3 calls bytes of no stated type.
const UNKNOWN_TYPE: &str = "binary/octet-stream";
/// All parts of a multipart upload but the last are at least so long, in bytes.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;
/// At most so many objects are removed by one request.
const MAX_DELETES: usize = 1000;
/// How often reading an object starts again because the object was replaced meanwhile.
const READ_ATTEMPTS: usize = 20;

#[async_trait::async_trait]
impl S3 for Storage {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        let bucket = req.input.bucket.clone();
        let _guards = self.lock_all().await;
        let is_ours = bucket.clone();
        if self.blocking(move |storage| Ok(storage.records.has_bucket(&is_ours))).await? {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        match self.bytes.create_bucket(req).await {
            Ok(_) => {}
            // Made, and then cut off before its records: go on from there.
            Err(error) if *error.code() == s3s::S3ErrorCode::BucketAlreadyExists => {}
            Err(error) => return Err(failure::from_s3s_fs(error)),
        }
        let location = format!("/{bucket}");
        self.blocking(move |storage| {
            storage.versions.sync_buckets().map_err(failure::from_disk)?;
            storage.records.add_bucket(&bucket).map_err(failure::from_disk)
        })
        .await?;
        Ok(S3Response::new(CreateBucketOutput { location: Some(location) }))
    }

    async fn delete_bucket(&self, req: S3Request<DeleteBucketInput>) -> S3Result<S3Response<DeleteBucketOutput>> {
        let bucket = req.input.bucket.clone();
        self.require_bucket(&bucket).await?;
        let _guards = self.lock_all().await;
        self.blocking(move |storage| {
            if !storage.records.keys(&bucket, "", None).map_err(failure::from_disk)?.is_empty() {
                return Err(s3_error!(BucketNotEmpty));
            }
            storage.records.remove_bucket(&bucket).map_err(failure::from_disk)
        })
        .await?;
        self.bytes.delete_bucket(req).await.map_err(failure::from_s3s_fs)
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.require_bucket(&req.input.bucket).await?;
        self.bytes.head_bucket(req).await.map_err(failure::from_s3s_fs)
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.require_bucket(&req.input.bucket).await?;
        self.bytes.get_bucket_location(req).await.map_err(failure::from_s3s_fs)
    }

    async fn list_buckets(&self, req: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let mut response = self.bytes.list_buckets(req).await.map_err(failure::from_s3s_fs)?;
        if let Some(buckets) = &mut response.output.buckets {
            buckets.sort_by(|one, other| one.name.cmp(&other.name));
        }
        Ok(response)
    }

    async fn put_object(&self, mut req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = &mut req.input;
        refuse_customer_key(input.sse_customer_algorithm.as_deref())?;
        let tags = Tags::from_header(input.tagging.take().as_deref())?;
        // s3s-fs would look for the version, which is always new. They are checked when it takes its place.
        let conditions = WriteConditions { if_match: input.if_match.take(), if_none_match: input.if_none_match.take() };
        let bucket = input.bucket.clone();
        self.require_bucket(&bucket).await?;

        let version = Uuid::new_v4();
        let key = std::mem::replace(&mut input.key, version.to_string());
        let body = input.body.take().ok_or_else(|| s3_error!(IncompleteBody))?;
        let (body, fate) = bounded(body, input.content_length, self.max_body_bytes);
        input.body = Some(body);

        let draft = self.begin(&bucket, &key, version).await?;
        let response = self.bytes.put_object(req).await.map_err(|error| fate.explain(failure::from_s3s_fs(error)))?;
        self.publish(draft, &bucket, &key, tags, conditions).await?;
        Ok(response)
    }

    async fn copy_object(&self, mut req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = &mut req.input;
        refuse_customer_key(input.sse_customer_algorithm.as_deref())?;
        let CopySource::Bucket { bucket: source_bucket, key: source_key, .. } = input.copy_source.clone() else {
            return Err(s3_error!(NotImplemented, "Only a bucket's object can be copied."));
        };
        let replaces_tags = input.tagging_directive.as_ref().is_some_and(|it| it.as_str() == TaggingDirective::REPLACE);
        let replaces_metadata =
            input.metadata_directive.as_ref().is_some_and(|it| it.as_str() == MetadataDirective::REPLACE);
        let bucket = input.bucket.clone();
        if *source_bucket == *bucket && *source_key == *input.key && !replaces_tags && !replaces_metadata {
            return Err(s3_error!(
                InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing it."
            ));
        }
        let new_tags = replaces_tags.then(|| Tags::from_header(input.tagging.as_deref())).transpose()?;
        self.require_bucket(&bucket).await?;

        // The lock keeps the source's version from being replaced, and so removed, while it is read.
        let guard = self.lock(&source_bucket, &source_key).await;
        let source = self.record(&source_bucket, &source_key).await?;
        let version = Uuid::new_v4();
        let key = std::mem::replace(&mut input.key, version.to_string());
        input.copy_source =
            CopySource::Bucket { bucket: source_bucket, key: source.version.to_string().into(), version_id: None };
        let draft = self.begin(&bucket, &key, version).await?;
        let mut response = self.bytes.copy_object(req).await.map_err(failure::from_s3s_fs)?;
        drop(guard);

        let tags = new_tags.unwrap_or(source.tags);
        let record = self.publish(draft, &bucket, &key, tags, WriteConditions::default()).await?;
        if let Some(result) = &mut response.output.copy_object_result {
            result.last_modified = Some(record.modified());
        }
        Ok(response)
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = req.input;
        let conditions = ReadConditions {
            if_match: input.if_match.clone(),
            if_none_match: input.if_none_match.clone(),
            if_modified_since: input.if_modified_since.clone(),
            if_unmodified_since: input.if_unmodified_since.clone(),
        };
        for _ in 0..READ_ATTEMPTS {
            let record = self.record(&input.bucket, &input.key).await?;
            conditions.check(&record)?;
            let range = input.range.map(|range| within(range, record.size)).transpose()?;
            let of_version = GetObjectInput { key: record.version.to_string(), range, ..input.clone() };
            let answer = self.bytes.get_object(bare(of_version)).await;
            // A version is several files. Whatever was said of one that was being removed meanwhile does not count.
            if self.record(&input.bucket, &input.key).await?.version != record.version {
                continue;
            }
            let mut response = answer.map_err(failure::from_s3s_fs)?;
            let output = &mut response.output;
            output.accept_ranges = Some("bytes".to_owned());
            output.content_type.get_or_insert_with(|| UNKNOWN_TYPE.to_owned());
            output.last_modified = Some(record.modified());
            output.tag_count = record.tags.count();
            return Ok(response);
        }
        // Replaced again and again while we looked.
        Err(s3_error!(SlowDown))
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = req.input;
        let conditions = ReadConditions {
            if_match: input.if_match.clone(),
            if_none_match: input.if_none_match.clone(),
            if_modified_since: input.if_modified_since.clone(),
            if_unmodified_since: input.if_unmodified_since.clone(),
        };
        for _ in 0..READ_ATTEMPTS {
            let record = self.record(&input.bucket, &input.key).await?;
            conditions.check(&record)?;
            let of_version = HeadObjectInput { key: record.version.to_string(), ..input.clone() };
            let answer = self.bytes.head_object(bare(of_version)).await;
            // A version is several files. Whatever was said of one that was being removed meanwhile does not count.
            if self.record(&input.bucket, &input.key).await?.version != record.version {
                continue;
            }
            let mut response = answer.map_err(failure::from_s3s_fs)?;
            let output = &mut response.output;
            output.accept_ranges = Some("bytes".to_owned());
            output.content_type.get_or_insert_with(|| UNKNOWN_TYPE.to_owned());
            output.last_modified = Some(record.modified());
            if let Some(count) = record.tags.count() {
                let name = HeaderName::from_static("x-amz-tagging-count");
                response.headers.insert(name, HeaderValue::from(count));
            }
            return Ok(response);
        }
        Err(s3_error!(SlowDown))
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = req.input;
        self.require_bucket(&input.bucket).await?;
        self.remove(&input.bucket, vec![input.key]).await?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let DeleteObjectsInput { bucket, delete, .. } = req.input;
        self.require_bucket(&bucket).await?;
        if delete.objects.is_empty() || delete.objects.len() > MAX_DELETES {
            return Err(s3_error!(MalformedXML, "between 1 and {MAX_DELETES} objects can be deleted by one request"));
        }
        let keys: Vec<String> = delete.objects.into_iter().map(|object| object.key).collect();
        self.remove(&bucket, keys.clone()).await?;
        let deleted = keys.into_iter().map(|key| DeletedObject { key: Some(key), ..Default::default() });
        let is_quiet = delete.quiet.unwrap_or_default();
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: (!is_quiet).then(|| deleted.collect()),
            ..Default::default()
        }))
    }

    async fn get_object_tagging(
        &self,
        req: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        let record = self.record(&req.input.bucket, &req.input.key).await?;
        Ok(S3Response::new(GetObjectTaggingOutput { tag_set: record.tags.to_answer(), version_id: None }))
    }

    async fn put_object_tagging(
        &self,
        req: S3Request<PutObjectTaggingInput>,
    ) -> S3Result<S3Response<PutObjectTaggingOutput>> {
        let PutObjectTaggingInput { bucket, key, tagging, .. } = req.input;
        self.retag(&bucket, &key, Tags::from_request(tagging)?).await?;
        Ok(S3Response::new(PutObjectTaggingOutput::default()))
    }

    async fn delete_object_tagging(
        &self,
        req: S3Request<DeleteObjectTaggingInput>,
    ) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
        self.retag(&req.input.bucket, &req.input.key, Tags::default()).await?;
        Ok(S3Response::new(DeleteObjectTaggingOutput::default()))
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
        let input = req.input;
        let limit = limit(input.max_keys)?;
        let asked = Asked {
            prefix: input.prefix.clone(),
            delimiter: input.delimiter.clone(),
            after: input.marker.clone(),
            limit,
        };
        let listed = self.list(&input.bucket, asked, input.encoding_type.as_ref()).await?;
        // S3 says where to go on only where it is not simply the last key.
        let next_marker = listed.next.filter(|_| input.delimiter.is_some());
        let shown = |text: Option<String>| text.map(|text| encoded(text, input.encoding_type.as_ref()));
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(encoded(input.prefix.unwrap_or_default(), input.encoding_type.as_ref())),
            marker: Some(encoded(input.marker.unwrap_or_default(), input.encoding_type.as_ref())),
            max_keys: i32::try_from(limit).ok(),
            is_truncated: Some(listed.is_truncated),
            contents: Some(listed.objects),
            common_prefixes: Some(listed.common_prefixes),
            delimiter: shown(input.delimiter),
            next_marker: shown(next_marker),
            encoding_type: input.encoding_type.clone(),
            ..Default::default()
        }))
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = req.input;
        let limit = limit(input.max_keys)?;
        let token = input.continuation_token.as_deref().map(key_of_token).transpose()?;
        let asked = Asked {
            prefix: input.prefix.clone(),
            delimiter: input.delimiter.clone(),
            after: token.or_else(|| input.start_after.clone()),
            limit,
        };
        let listed = self.list(&input.bucket, asked, input.encoding_type.as_ref()).await?;
        let shown = |text: Option<String>| text.map(|text| encoded(text, input.encoding_type.as_ref()));
        let count = listed.objects.len() + listed.common_prefixes.len();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(encoded(input.prefix.unwrap_or_default(), input.encoding_type.as_ref())),
            max_keys: i32::try_from(limit).ok(),
            key_count: i32::try_from(count).ok(),
            continuation_token: input.continuation_token,
            is_truncated: Some(listed.is_truncated),
            next_continuation_token: listed.next.map(|key| token_of_key(&key)),
            contents: Some(listed.objects),
            common_prefixes: Some(listed.common_prefixes),
            delimiter: shown(input.delimiter),
            start_after: shown(input.start_after),
            encoding_type: input.encoding_type.clone(),
            ..Default::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        mut req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = &mut req.input;
        refuse_customer_key(input.sse_customer_algorithm.as_deref())?;
        let tags = Tags::from_header(input.tagging.take().as_deref())?;
        let bucket = input.bucket.clone();
        self.require_bucket(&bucket).await?;
        let version = Uuid::new_v4();
        let key = std::mem::replace(&mut input.key, version.to_string());
        let input = req.input;
        let mut response = self.bytes.create_multipart_upload(bare(input)).await.map_err(failure::from_s3s_fs)?;
        let upload_id = upload_id(response.output.upload_id.as_deref().unwrap_or_default())?;
        let upload = Upload { bucket, key: key.clone(), version, tags, started_ms: now_ms() };
        self.blocking(move |storage| storage.uploads.add(upload_id, &upload).map_err(failure::from_disk)).await?;
        response.output.key = Some(key);
        Ok(response)
    }

    async fn upload_part(&self, mut req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let input = &mut req.input;
        let part_number = part_number(input.part_number)?;
        let (_, upload) = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let body = input.body.take().ok_or_else(|| s3_error!(IncompleteBody))?;
        let (body, fate) = bounded(body, input.content_length, self.max_body_bytes);
        input.body = Some(body);
        let checksum = PartChecksum::watch(input, &req.headers);
        let trailers = req.trailing_headers.clone();

        let upload_id = req.input.upload_id.clone();
        let input = UploadPartInput { key: upload.version.to_string(), ..req.input };
        let response =
            self.bytes.upload_part(bare(input)).await.map_err(|error| fate.explain(failure::from_s3s_fs(error)))?;
        let is_right = checksum.check(trailers.and_then(|trailers| trailers.take()));
        self.blocking(move |storage| match is_right {
            Ok(()) => storage.versions.sync_part(&upload_id, part_number).map_err(failure::from_disk),
            Err(error) => {
                storage.versions.remove_part(&upload_id, part_number).map_err(failure::from_disk)?;
                Err(error)
            }
        })
        .await?;
        Ok(response)
    }

    async fn upload_part_copy(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let input = req.input;
        let part_number = part_number(input.part_number)?;
        let (_, upload) = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let CopySource::Bucket { bucket: source_bucket, key: source_key, .. } = input.copy_source.clone() else {
            return Err(s3_error!(NotImplemented, "Only a bucket's object can be copied."));
        };
        let _guard = self.lock(&source_bucket, &source_key).await;
        let source = self.record(&source_bucket, &source_key).await?;
        let copy_source =
            CopySource::Bucket { bucket: source_bucket, key: source.version.to_string().into(), version_id: None };
        let upload_id = input.upload_id.clone();
        let input = UploadPartCopyInput { key: upload.version.to_string(), copy_source, ..input };
        let response = self.bytes.upload_part_copy(bare(input)).await.map_err(failure::from_s3s_fs)?;
        self.blocking(move |storage| storage.versions.sync_part(&upload_id, part_number).map_err(failure::from_disk))
            .await?;
        Ok(response)
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = req.input;
        let limit = limit(input.max_parts)?;
        let after = input.part_number_marker.unwrap_or_default();
        self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let mut response = self.bytes.list_parts(bare(input)).await.map_err(failure::from_s3s_fs)?;
        let output = &mut response.output;
        let mut parts = output.parts.take().unwrap_or_default();
        parts.retain(|part| part.part_number.is_some_and(|number| number > after));
        parts.sort_by_key(|part| part.part_number);
        output.is_truncated = Some(parts.len() > limit);
        parts.truncate(limit);
        output.next_part_number_marker = parts.last().and_then(|part| part.part_number);
        output.max_parts = i32::try_from(limit).ok();
        output.parts = Some(parts);
        Ok(response)
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let mut input = req.input;
        let conditions = WriteConditions { if_match: input.if_match.take(), if_none_match: input.if_none_match.take() };
        // One client may finish an upload, or give it up; the other finds it gone.
        let guard = self.lock_upload(&input.upload_id).await;
        let (upload_id, upload) = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let parts = input.multipart_upload.as_ref().and_then(|upload| upload.parts.clone()).unwrap_or_default();
        let expected = self.check_parts(upload_id, parts).await?;

        let Upload { bucket, key, version, tags, .. } = upload;
        let draft = self.begin(&bucket, &key, version).await?;
        input.key = version.to_string();
        let joined = self.join_parts(input).await;
        let record = match joined {
            Ok(()) => self.publish_whole(draft, &bucket, &key, tags, conditions, expected).await,
            Err(error) => Err(error),
        };
        // Joined or not: s3s-fs has let go of the upload, so a client that tries again has to start again.
        self.forget_upload(&bucket, version, upload_id).await?;
        drop(guard);
        let record = record?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            location: Some(format!("/{bucket}/{}", listing::url_encoded(&key))),
            bucket: Some(bucket),
            e_tag: Some(record.e_tag()),
            key: Some(key),
            ..Default::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = req.input;
        let _guard = self.lock_upload(&input.upload_id).await;
        let (upload_id, upload) = self.upload(&input.bucket, &input.key, &input.upload_id).await?;
        let input = AbortMultipartUploadInput { key: upload.version.to_string(), ..input };
        let bucket = input.bucket.clone();
        let response = self.bytes.abort_multipart_upload(bare(input)).await.map_err(failure::from_s3s_fs)?;
        self.forget_upload(&bucket, upload.version, upload_id).await?;
        Ok(response)
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = req.input;
        if input.delimiter.is_some() {
            return Err(s3_error!(NotImplemented, "Uploads in progress are listed without a delimiter."));
        }
        self.require_bucket(&input.bucket).await?;
        let limit = limit(input.max_uploads)?;
        let mut uploads = self.blocking(|storage| storage.uploads.all().map_err(failure::from_disk)).await?;
        let prefix = input.prefix.clone().unwrap_or_default();
        let after = input.key_marker.as_deref().map(|key| (key, input.upload_id_marker.as_deref().unwrap_or("~")));
        uploads.retain(|(id, upload)| {
            let is_after = after.is_none_or(|after| (upload.key.as_str(), id.to_string().as_str()) > after);
            upload.bucket == input.bucket && upload.key.starts_with(&prefix) && is_after
        });
        uploads.sort_by(|(id, one), (other_id, other)| (&one.key, id).cmp(&(&other.key, other_id)));
        let is_truncated = uploads.len() > limit;
        uploads.truncate(limit);
        let last = uploads.last().filter(|_| is_truncated);
        let key_encoding = input.encoding_type.as_ref();
        let next_key_marker = last.map(|(_, upload)| encoded(upload.key.clone(), key_encoding));
        let next_upload_id_marker = last.map(|(id, _)| id.to_string());
        let shown = uploads.into_iter().map(|(id, upload)| MultipartUpload {
            initiated: Some(time_of(upload.started_ms)),
            key: Some(encoded(upload.key, key_encoding)),
            upload_id: Some(id.to_string()),
            ..Default::default()
        });
        Ok(S3Response::new(ListMultipartUploadsOutput {
            uploads: Some(shown.collect()),
            bucket: Some(input.bucket),
            prefix: Some(prefix),
            key_marker: input.key_marker,
            upload_id_marker: input.upload_id_marker,
            is_truncated: Some(is_truncated),
            max_uploads: i32::try_from(limit).ok(),
            next_key_marker,
            next_upload_id_marker,
            encoding_type: input.encoding_type.clone(),
            ..Default::default()
        }))
    }
}

/// What a listing is asked for, in either version of the call.
struct Asked {
    prefix: Option<String>,
    delimiter: Option<String>,
    after: Option<String>,
    limit: usize,
}

/// What a listing answers, in either version of the call.
struct Listed {
    objects: Vec<Object>,
    common_prefixes: Vec<CommonPrefix>,
    is_truncated: bool,
    next: Option<String>,
}

impl Storage {
    async fn list(&self, bucket: &str, asked: Asked, encoding: Option<&EncodingType>) -> S3Result<Listed> {
        self.require_bucket(bucket).await?;
        let bucket = bucket.to_owned();
        let encoding = encoding.cloned();
        self.blocking(move |storage| {
            let prefix = asked.prefix.as_deref().unwrap_or_default();
            let after = asked.after.as_deref();
            let delimiter = asked.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
            let keys = storage.records.keys(&bucket, prefix, after).map_err(failure::from_disk)?;
            let query = Query { prefix, delimiter, after, limit: asked.limit };
            let Page { keys, common_prefixes, next } = listing::page(keys, query);
            let mut objects = Vec::with_capacity(keys.len());
            for key in keys {
                // One that was removed in between is simply no longer there.
                let Some(record) = storage.records.read(&bucket, &key).map_err(failure::from_disk)? else { continue };
                objects.push(Object {
                    e_tag: Some(record.e_tag()),
                    last_modified: Some(record.modified()),
                    size: i64::try_from(record.size).ok(),
                    storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                    key: Some(encoded(key, encoding.as_ref())),
                    ..Default::default()
                });
            }
            let shown = |prefix| CommonPrefix { prefix: Some(encoded(prefix, encoding.as_ref())) };
            Ok(Listed {
                objects,
                common_prefixes: common_prefixes.into_iter().map(shown).collect(),
                is_truncated: next.is_some(),
                next,
            })
        })
        .await
    }

    /// An upload in progress of this very object; `NoSuchUpload` where there is none.
    async fn upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<(Uuid, Upload)> {
        let id = upload_id(id)?;
        let upload = self.blocking(move |storage| storage.uploads.read(id).map_err(failure::from_disk)).await?;
        let upload = upload.filter(|upload| upload.bucket == bucket && upload.key == key);
        upload.map(|upload| (id, upload)).ok_or_else(|| s3_error!(NoSuchUpload))
    }

    /// Checks what can be checked of a list of parts before `s3s-fs` joins them, which also removes them. Answers the
    /// entity tag the whole must have if every part is the one its client means.
    async fn check_parts(&self, upload_id: Uuid, parts: Vec<CompletedPart>) -> S3Result<String> {
        if parts.is_empty() {
            return Err(s3_error!(MalformedXML, "a multipart upload has at least one part"));
        }
        let mut digest = Md5::new();
        let mut numbers = Vec::with_capacity(parts.len());
        for (position, part) in parts.iter().enumerate() {
            let number = part.part_number.ok_or_else(|| s3_error!(MalformedXML, "a part needs its PartNumber"))?;
            if usize::try_from(number) != Ok(position + 1) {
                return Err(s3_error!(InvalidPartOrder, "this server takes parts numbered 1, 2, 3 … in that order"));
            }
            let e_tag = part.e_tag.as_ref().and_then(|e_tag| from_hex(e_tag.value()));
            digest.update(&e_tag.ok_or_else(|| s3_error!(InvalidPart))?);
            numbers.push(number);
        }
        let count = numbers.len();
        self.blocking(move |storage| {
            let mut sizes = Vec::with_capacity(count);
            for number in numbers {
                let size = storage.versions.part_size(&upload_id.to_string(), number).map_err(failure::from_disk)?;
                sizes.push(size.ok_or_else(|| s3_error!(InvalidPart))?);
            }
            let all_but_last = sizes.iter().take(count - 1);
            if all_but_last.min().is_some_and(|&smallest| smallest < SMALLEST_PART) {
                return Err(s3_error!(EntityTooSmall));
            }
            Ok(())
        })
        .await?;
        Ok(format!("{}-{count}", to_hex(&digest.finalize())))
    }

    /// Lets `s3s-fs` write the parts one after the other as one version.
    async fn join_parts(&self, input: CompleteMultipartUploadInput) -> S3Result<()> {
        let joined = self.bytes.complete_multipart_upload(bare(input)).await.map_err(failure::from_s3s_fs)?.output;
        match joined.future {
            Some(rest) => rest.await.map(drop).map_err(failure::from_s3s_fs),
            None => Ok(()),
        }
    }

    /// Removes all there is of an upload but the object it became.
    async fn forget_upload(&self, bucket: &str, version: Uuid, upload_id: Uuid) -> S3Result<()> {
        let bucket = bucket.to_owned();
        self.blocking(move |storage| {
            storage.versions.forget_upload(&bucket, version, upload_id).map_err(failure::from_disk)?;
            storage.uploads.remove(upload_id).map_err(failure::from_disk)
        })
        .await
    }

    /// Publishes joined parts if they are the ones their client means.
    async fn publish_whole(
        &self,
        draft: Draft,
        bucket: &str,
        key: &str,
        tags: Tags,
        conditions: WriteConditions,
        expected_e_tag: String,
    ) -> S3Result<Record> {
        let written = HeadObjectInput::builder().bucket(bucket.to_owned()).key(draft.version().to_string()).build();
        let written = written.map_err(|error| s3_error!(error, InternalError))?;
        let written = self.bytes.head_object(bare(written)).await.map_err(failure::from_s3s_fs)?.output;
        if written.e_tag.is_none_or(|e_tag| e_tag.value() != expected_e_tag) {
            return Err(s3_error!(InvalidPart, "a part is not the one with the ETag you specified"));
        }
        self.publish(draft, bucket, key, tags, conditions).await
    }
}

/// We would keep the bytes as they are, and the client would believe them encrypted.
fn refuse_customer_key(algorithm: Option<&str>) -> S3Result<()> {
    match algorithm {
        Some(_) => Err(s3_error!(NotImplemented, "This server does not encrypt.")),
        None => Ok(()),
    }
}

/// A range that lies within `size` bytes, said the way that `s3s-fs` reads without fault.
fn within(range: Range, size: u64) -> S3Result<Range> {
    let bytes = range.check(size)?;
    if bytes.is_empty() {
        return Err(s3_error!(InvalidRange));
    }
    Ok(Range::Int { first: bytes.start, last: Some(bytes.end - 1) })
}

/// How many keys, parts or uploads to show: as asked, at most 1,000.
fn limit(asked: Option<i32>) -> S3Result<usize> {
    let asked = asked.map_or(Ok(MAX_KEYS), usize::try_from);
    let asked = asked.map_err(|error| s3_error!(error, InvalidArgument, "a page cannot have less than 0 entries"))?;
    Ok(asked.min(MAX_KEYS))
}

fn upload_id(text: &str) -> S3Result<Uuid> {
    text.parse().map_err(|_| s3_error!(NoSuchUpload))
}

fn part_number(number: i32) -> S3Result<i32> {
    if (1..=10_000).contains(&number) {
        Ok(number)
    } else {
        Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"))
    }
}

fn encoded(text: String, encoding: Option<&EncodingType>) -> String {
    match encoding {
        Some(encoding) if encoding.as_str() == EncodingType::URL => listing::url_encoded(&text),
        _ => text,
    }
}

/// Opaque, so that nobody builds one; a token is also safe where a key may hold characters that XML cannot.
fn token_of_key(key: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(key)
}

fn key_of_token(token: &str) -> S3Result<String> {
    let key = BASE64_URL_SAFE_NO_PAD.decode(token).ok().and_then(|key| String::from_utf8(key).ok());
    key.ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}

fn from_hex(digits: &str) -> Option<[u8; 16]> {
    u128::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 32).map(u128::to_be_bytes)
}

fn to_hex(bytes: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*bytes))
}
