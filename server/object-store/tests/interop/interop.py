"""Checks that boto3 and the AWS command line work against the server at an endpoint.

usage: interop.py ENDPOINT KEY SECRET READ_ONLY_KEY READ_ONLY_SECRET

Every function called `check_…` is one check; they share a bucket and keep to a prefix of their own.
"""

import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import traceback
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT, KEY, SECRET, READ_ONLY_KEY, READ_ONLY_SECRET = sys.argv[1:6]
BUCKET = "interop"
MIB = 1024 * 1024


def client(key=KEY, secret=SECRET, **config):
    return boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, **config),
    )


def aws(*arguments, key=KEY, secret=SECRET):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": tempfile.gettempdir(),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": ENDPOINT,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_MAX_ATTEMPTS": "1",
    }
    program = os.path.join(os.path.dirname(sys.executable), "aws")
    done = subprocess.run([sys.executable, program, *arguments], env=environment, capture_output=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"aws {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout


def tags_of(key, bucket=BUCKET):
    answer = s3.get_object_tagging(Bucket=bucket, Key=key)
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


def tag_set(**tags):
    return {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, f"refused with {found} instead of {code}"
        return
    raise AssertionError(f"not refused, though it should be with {code}")


def random_bytes(length, seed=1):
    return random.Random(seed).randbytes(length)


s3 = client()


def check_put_and_get_keep_bytes_type_and_metadata():
    body = random_bytes(300_000)
    answer = s3.put_object(
        Bucket=BUCKET,
        Key="put/ä b+c.jpg",
        Body=body,
        ContentType="image/jpeg",
        CacheControl="max-age=60",
        Metadata={"camera": "phone"},
    )
    found = s3.get_object(Bucket=BUCKET, Key="put/ä b+c.jpg")
    assert found["Body"].read() == body
    assert found["ContentType"] == "image/jpeg"
    assert found["CacheControl"] == "max-age=60"
    assert found["Metadata"] == {"camera": "phone"}
    assert found["ETag"] == answer["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    head = s3.head_object(Bucket=BUCKET, Key="put/ä b+c.jpg")
    assert head["ContentLength"] == len(body) and head["LastModified"] == found["LastModified"]


def check_an_object_without_a_type_has_the_unknown_type():
    s3.put_object(Bucket=BUCKET, Key="put/empty")
    assert s3.get_object(Bucket=BUCKET, Key="put/empty")["Body"].read() == b""
    assert s3.head_object(Bucket=BUCKET, Key="put/empty")["ContentType"] == "binary/octet-stream"


def check_every_checksum_and_way_of_sending():
    body = random_bytes(200_000)
    for algorithm in ["CRC32", "SHA1", "SHA256"]:
        key = f"checksum/{algorithm}"
        s3.put_object(Bucket=BUCKET, Key=key, Body=body, ChecksumAlgorithm=algorithm)
        # A body that cannot be rewound or measured goes chunked, with the checksum after it.
        found = s3.get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        assert found["Body"].read() == body and found[f"Checksum{algorithm}"]
    for calculation in ["when_supported", "when_required"]:
        other = client(request_checksum_calculation=calculation)
        other.upload_fileobj(io.BytesIO(body), BUCKET, f"checksum/{calculation}")
        assert other.get_object(Bucket=BUCKET, Key=f"checksum/{calculation}")["Body"].read() == body


def check_a_wrong_checksum_changes_nothing():
    s3.put_object(Bucket=BUCKET, Key="checksum/kept", Body=b"old", Tagging="a=1")
    refused("BadDigest", s3.put_object, Bucket=BUCKET, Key="checksum/kept", Body=b"new", ChecksumCRC32="AAAAAA==")
    refused("BadDigest", s3.put_object, Bucket=BUCKET, Key="checksum/kept", Body=b"new", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
    assert s3.get_object(Bucket=BUCKET, Key="checksum/kept")["Body"].read() == b"old"
    assert tags_of("checksum/kept") == {"a": "1"}


def check_ranges():
    body = random_bytes(10_000)
    s3.put_object(Bucket=BUCKET, Key="range", Body=body)
    for asked, expected in [
        ("bytes=0-0", body[:1]),
        ("bytes=100-199", body[100:200]),
        ("bytes=9990-", body[9990:]),
        ("bytes=-10", body[-10:]),
        ("bytes=-99999", body),
        ("bytes=5000-99999", body[5000:]),
    ]:
        found = s3.get_object(Bucket=BUCKET, Key="range", Range=asked)
        assert found["Body"].read() == expected, asked
        assert found["ResponseMetadata"]["HTTPStatusCode"] == 206, asked
        assert found["ContentRange"].endswith("/10000"), asked
    for asked in ["bytes=10000-", "bytes=-0"]:
        refused("InvalidRange", s3.get_object, Bucket=BUCKET, Key="range", Range=asked)
    s3.put_object(Bucket=BUCKET, Key="range/empty", Body=b"")
    refused("InvalidRange", s3.get_object, Bucket=BUCKET, Key="range/empty", Range="bytes=-5")


def check_conditional_reads():
    tag = s3.put_object(Bucket=BUCKET, Key="condition", Body=b"x")["ETag"]
    modified = s3.head_object(Bucket=BUCKET, Key="condition")["LastModified"]
    assert s3.get_object(Bucket=BUCKET, Key="condition", IfMatch=tag)["Body"].read() == b"x"
    refused("PreconditionFailed", s3.get_object, Bucket=BUCKET, Key="condition", IfMatch='"0"')
    refused("304", s3.head_object, Bucket=BUCKET, Key="condition", IfNoneMatch=tag)
    refused("304", s3.head_object, Bucket=BUCKET, Key="condition", IfModifiedSince=modified)


def check_conditional_writes():
    s3.put_object(Bucket=BUCKET, Key="condition/once", Body=b"first", IfNoneMatch="*")
    refused("PreconditionFailed", s3.put_object, Bucket=BUCKET, Key="condition/once", Body=b"second", IfNoneMatch="*")
    tag = s3.head_object(Bucket=BUCKET, Key="condition/once")["ETag"]
    refused("PreconditionFailed", s3.put_object, Bucket=BUCKET, Key="condition/once", Body=b"third", IfMatch='"0"')
    s3.put_object(Bucket=BUCKET, Key="condition/once", Body=b"fourth", IfMatch=tag)
    assert s3.get_object(Bucket=BUCKET, Key="condition/once")["Body"].read() == b"fourth"


def check_tags_put_get_delete():
    s3.put_object(Bucket=BUCKET, Key="tags", Body=b"x", Tagging="predicted_class=Noodles%2FPasta&confidence=0.873")
    assert tags_of("tags") == {"predicted_class": "Noodles/Pasta", "confidence": "0.873"}
    assert s3.get_object(Bucket=BUCKET, Key="tags")["TagCount"] == 2
    headers = s3.head_object(Bucket=BUCKET, Key="tags")["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-tagging-count"] == "2"
    modified = s3.head_object(Bucket=BUCKET, Key="tags")["LastModified"]
    s3.put_object_tagging(Bucket=BUCKET, Key="tags", Tagging=tag_set(flagged="true", größe="überall"))
    assert tags_of("tags") == {"flagged": "true", "größe": "überall"}
    assert s3.head_object(Bucket=BUCKET, Key="tags")["LastModified"] == modified
    s3.delete_object_tagging(Bucket=BUCKET, Key="tags")
    assert tags_of("tags") == {} and "TagCount" not in s3.get_object(Bucket=BUCKET, Key="tags")
    s3.put_object_tagging(Bucket=BUCKET, Key="tags", Tagging=tag_set(a="1"))
    s3.put_object_tagging(Bucket=BUCKET, Key="tags", Tagging={"TagSet": []})
    assert tags_of("tags") == {}
    s3.put_object(Bucket=BUCKET, Key="tags", Body=b"x", Tagging="a=1")
    s3.put_object(Bucket=BUCKET, Key="tags", Body=b"x")
    assert tags_of("tags") == {}, "an object put again has only its new tags"


def check_tags_that_are_not_allowed():
    s3.put_object(Bucket=BUCKET, Key="tags/limits", Body=b"old", Tagging="kept=1")
    for bad in [
        tag_set(**{f"k{n}": "v" for n in range(11)}),
        tag_set(**{"k" * 129: "v"}),
        tag_set(k="v" * 257),
        tag_set(k="<b>"),
        {"TagSet": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]},
    ]:
        refused("InvalidTag", s3.put_object_tagging, Bucket=BUCKET, Key="tags/limits", Tagging=bad)
    refused("InvalidTag", s3.put_object, Bucket=BUCKET, Key="tags/limits", Body=b"new", Tagging="k=%3Cb%3E")
    assert tags_of("tags/limits") == {"kept": "1"}
    assert s3.get_object(Bucket=BUCKET, Key="tags/limits")["Body"].read() == b"old"
    s3.put_object_tagging(Bucket=BUCKET, Key="tags/limits", Tagging=tag_set(**{f"k{n}": "v" * 256 for n in range(10)}))
    assert len(tags_of("tags/limits")) == 10


def check_what_is_missing():
    refused("NoSuchKey", s3.get_object, Bucket=BUCKET, Key="missing")
    refused("NoSuchKey", s3.get_object_tagging, Bucket=BUCKET, Key="missing")
    refused("NoSuchKey", s3.put_object_tagging, Bucket=BUCKET, Key="missing", Tagging=tag_set(a="1"))
    refused("NoSuchKey", s3.delete_object_tagging, Bucket=BUCKET, Key="missing")
    refused("404", s3.head_object, Bucket=BUCKET, Key="missing")
    refused("NoSuchBucket", s3.get_object, Bucket="no-such-bucket", Key="x")
    refused("NoSuchBucket", s3.put_object, Bucket="no-such-bucket", Key="x", Body=b"")
    refused("NoSuchBucket", s3.list_objects_v2, Bucket="no-such-bucket")
    refused("404", s3.head_bucket, Bucket="no-such-bucket")
    s3.put_object(Bucket=BUCKET, Key="folder/file", Body=b"x")
    refused("404", s3.head_object, Bucket=BUCKET, Key="folder")
    refused("404", s3.head_object, Bucket=BUCKET, Key="folder/")


def check_buckets():
    refused("BucketAlreadyOwnedByYou", s3.create_bucket, Bucket=BUCKET)
    s3.create_bucket(Bucket="short-lived")
    assert {"interop", "short-lived"} <= {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    s3.put_object(Bucket="short-lived", Key="a/b", Body=b"x")
    refused("BucketNotEmpty", s3.delete_bucket, Bucket="short-lived")
    s3.delete_object(Bucket="short-lived", Key="a/b")
    s3.delete_bucket(Bucket="short-lived")
    refused("404", s3.head_bucket, Bucket="short-lived")
    s3.get_bucket_location(Bucket=BUCKET)


def check_copy():
    s3.put_object(
        Bucket=BUCKET, Key="copy/a", Body=b"x", ContentType="image/png", Metadata={"m": "1"}, Tagging="a=1&b=2"
    )
    source = {"Bucket": BUCKET, "Key": "copy/a"}
    s3.copy_object(Bucket=BUCKET, Key="copy/ b+ä", CopySource=source)
    found = s3.get_object(Bucket=BUCKET, Key="copy/ b+ä")
    assert (found["ContentType"], found["Metadata"], found["Body"].read()) == ("image/png", {"m": "1"}, b"x")
    assert tags_of("copy/ b+ä") == {"a": "1", "b": "2"}
    s3.copy_object(
        Bucket=BUCKET,
        Key="copy/c",
        CopySource={"Bucket": BUCKET, "Key": "copy/ b+ä"},
        MetadataDirective="REPLACE",
        ContentType="image/gif",
        TaggingDirective="REPLACE",
        Tagging="c=3",
    )
    found = s3.head_object(Bucket=BUCKET, Key="copy/c")
    assert (found["ContentType"], found["Metadata"]) == ("image/gif", {})
    assert tags_of("copy/c") == {"c": "3"}
    # Onto itself: only to change something.
    refused("InvalidRequest", s3.copy_object, Bucket=BUCKET, Key="copy/a", CopySource=source)
    s3.copy_object(
        Bucket=BUCKET, Key="copy/a", CopySource=source, MetadataDirective="REPLACE", ContentType="image/webp"
    )
    found = s3.get_object(Bucket=BUCKET, Key="copy/a")
    assert (found["ContentType"], found["Body"].read(), tags_of("copy/a")) == ("image/webp", b"x", {"a": "1", "b": "2"})
    refused("NoSuchKey", s3.copy_object, Bucket=BUCKET, Key="copy/d", CopySource={"Bucket": BUCKET, "Key": "missing"})


def check_listing_in_pages():
    expected = sorted(f"list/class_{n % 11:02}/{n}.jpg" for n in range(1203))
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: s3.put_object(Bucket=BUCKET, Key=key, Body=b"x"), expected))
    for call in ["list_objects_v2", "list_objects"]:
        for size in [1000, 97]:
            pages = s3.get_paginator(call).paginate(
                Bucket=BUCKET, Prefix="list/", PaginationConfig={"PageSize": size}
            )
            pages = [page.get("Contents", []) for page in pages]
            assert [entry["Key"] for page in pages for entry in page] == expected, (call, size)
            assert all(len(page) <= size for page in pages)
        pages = s3.get_paginator(call).paginate(
            Bucket=BUCKET, Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 4}
        )
        found = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
        assert found == [f"list/class_{n:02}/" for n in range(11)], (call, found)
    first = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", StartAfter=expected[1199])
    assert [entry["Key"] for entry in first["Contents"]] == expected[1200:]
    assert first["KeyCount"] == 3 and first["Contents"][0]["Size"] == 1
    assert first["Contents"][0]["ETag"] == f'"{hashlib.md5(b"x").hexdigest()}"'
    assert s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)["KeyCount"] == 0
    lines = aws("s3", "ls", f"s3://{BUCKET}/list/", "--recursive").decode().splitlines()
    assert [line.split()[-1] for line in lines] == expected
    lines = aws("s3", "ls", f"s3://{BUCKET}/list/").decode().splitlines()
    assert [line.split()[-1] for line in lines] == [f"class_{n:02}/" for n in range(11)]

    keys = [{"Key": key} for key in expected[:1000]]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys + []})
    assert len(answer["Deleted"]) == 1000 and "Errors" not in answer
    assert "Deleted" not in s3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys[:3], "Quiet": True})
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="list/")["KeyCount"] == 203


def check_unusual_keys_are_listed_as_they_are():
    keys = sorted(
        [
            "odd/a+b%20c&d=e?f#g",
            "odd/a//b",
            "odd/../../escape",
            "odd/./x",
            "odd/ends/",
            "odd/ends",
            "odd/ends/in",
            "odd/UPPER",
            "odd/upper",
            "odd/日本",
            "odd/" + "long" * 250,
            "odd/tab\there",
        ],
        key=lambda key: key.encode(),
    )
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode(), Tagging="key=yes")
    found = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="odd/")["Contents"]]
    assert found == keys, found
    for key in keys:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode(), key
        assert tags_of(key) == {"key": "yes"}, key
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys if "\t" not in key]})
    left = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="odd/")["Contents"]]
    assert left == ["odd/tab\there"], left


def check_multipart_upload_with_tags():
    body = random_bytes(5 * MIB + 5 * MIB + 1234)
    upload = s3.create_multipart_upload(
        Bucket=BUCKET, Key="multi/a", ContentType="image/jpeg", Tagging="a=1&b=2", Metadata={"m": "1"}
    )["UploadId"]
    refused("404", s3.head_object, Bucket=BUCKET, Key="multi/a")
    listed = s3.list_multipart_uploads(Bucket=BUCKET, Prefix="multi/")["Uploads"]
    assert [(entry["Key"], entry["UploadId"]) for entry in listed] == [("multi/a", upload)]
    pieces = [body[: 5 * MIB], body[5 * MIB : 10 * MIB], body[10 * MIB :]]
    parts = []
    for number, piece in enumerate(pieces, 1):
        answer = s3.upload_part(Bucket=BUCKET, Key="multi/a", UploadId=upload, PartNumber=number, Body=piece)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    sizes = [part["Size"] for part in s3.list_parts(Bucket=BUCKET, Key="multi/a", UploadId=upload)["Parts"]]
    assert sizes == [len(piece) for piece in pieces]

    finish = {"Bucket": BUCKET, "Key": "multi/a", "UploadId": upload}
    refused("NoSuchUpload", s3.complete_multipart_upload, **{**finish, "Key": "multi/b"}, MultipartUpload={"Parts": parts})
    refused("InvalidPart", s3.complete_multipart_upload, **finish, MultipartUpload={"Parts": [*parts, {"PartNumber": 4, "ETag": parts[0]["ETag"]}]})
    refused("InvalidPartOrder", s3.complete_multipart_upload, **finish, MultipartUpload={"Parts": parts[::-1]})
    answer = s3.complete_multipart_upload(**finish, MultipartUpload={"Parts": parts})
    digests = b"".join(hashlib.md5(piece).digest() for piece in pieces)
    assert answer["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"'
    found = s3.get_object(Bucket=BUCKET, Key="multi/a")
    assert found["Body"].read() == body
    assert (found["ContentType"], found["Metadata"], found["TagCount"]) == ("image/jpeg", {"m": "1"}, 2)
    assert tags_of("multi/a") == {"a": "1", "b": "2"}
    refused("NoSuchUpload", s3.complete_multipart_upload, **finish, MultipartUpload={"Parts": parts})
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def check_a_multipart_upload_given_up_leaves_nothing():
    s3.put_object(Bucket=BUCKET, Key="multi/kept", Body=b"old")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="multi/kept")["UploadId"]
    small = s3.upload_part(Bucket=BUCKET, Key="multi/kept", UploadId=upload, PartNumber=1, Body=b"small")["ETag"]
    s3.upload_part(Bucket=BUCKET, Key="multi/kept", UploadId=upload, PartNumber=2, Body=b"last")
    refused(
        "BadDigest", s3.upload_part, Bucket=BUCKET, Key="multi/kept", UploadId=upload, PartNumber=3, Body=b"x",
        ChecksumCRC32="AAAAAA==",
    )  # fmt: skip
    parts = [{"PartNumber": number, "ETag": small} for number in (1, 2)]
    refused(
        "EntityTooSmall", s3.complete_multipart_upload, Bucket=BUCKET, Key="multi/kept", UploadId=upload,
        MultipartUpload={"Parts": parts},
    )  # fmt: skip
    s3.abort_multipart_upload(Bucket=BUCKET, Key="multi/kept", UploadId=upload)
    refused("NoSuchUpload", s3.upload_part, Bucket=BUCKET, Key="multi/kept", UploadId=upload, PartNumber=1, Body=b"x")
    assert s3.get_object(Bucket=BUCKET, Key="multi/kept")["Body"].read() == b"old"


def check_the_tools_own_large_uploads_and_copies():
    body = random_bytes(17 * MIB, seed=2)
    transfer = TransferConfig(multipart_threshold=6 * MIB, multipart_chunksize=6 * MIB)
    s3.upload_fileobj(io.BytesIO(body), BUCKET, "large/a", Config=transfer, ExtraArgs={"Tagging": "a=1"})
    assert tags_of("large/a") == {"a": "1"}
    s3.copy({"Bucket": BUCKET, "Key": "large/a"}, BUCKET, "large/b", Config=transfer)
    read = io.BytesIO()
    s3.download_fileobj(BUCKET, "large/b", read, Config=transfer)
    assert read.getvalue() == body


def check_presigned_addresses():
    address = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "signed/ä b", "ContentType": "image/png"})
    request = urllib.request.Request(address, data=b"photo", method="PUT", headers={"Content-Type": "image/png"})
    assert urllib.request.urlopen(request).status == 200
    address = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "signed/ä b"}, ExpiresIn=60)
    with urllib.request.urlopen(address) as answer:
        assert (answer.read(), answer.headers["Content-Type"]) == (b"photo", "image/png")
    for version in ["s3", "s3v4"]:
        other = client(signature_version=version)
        address = other.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "signed/ä b"})
        assert urllib.request.urlopen(address).read() == b"photo", version
    changed = address[:-3] + ("000" if not address.endswith("000") else "111")
    for broken in [changed, f"{ENDPOINT}/{BUCKET}/{urllib.parse.quote('signed/ä b')}"]:
        try:
            urllib.request.urlopen(broken)
            raise AssertionError(f"answered {broken}")
        except urllib.error.HTTPError as error:
            assert error.code == 403, error


def check_the_read_only_key_reads_and_nothing_else():
    s3.put_object(Bucket=BUCKET, Key="access", Body=b"x", Tagging="a=1")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="access")["UploadId"]
    reader = client(READ_ONLY_KEY, READ_ONLY_SECRET)
    assert reader.get_object(Bucket=BUCKET, Key="access")["Body"].read() == b"x"
    assert reader.get_object_tagging(Bucket=BUCKET, Key="access")["TagSet"] == [{"Key": "a", "Value": "1"}]
    assert reader.list_objects_v2(Bucket=BUCKET, Prefix="access")["KeyCount"] == 1
    reader.head_object(Bucket=BUCKET, Key="access")
    reader.list_buckets()
    where = {"Bucket": BUCKET, "Key": "access"}
    refused("AccessDenied", reader.put_object, **where, Body=b"y")
    refused("AccessDenied", reader.delete_object, **where)
    refused("AccessDenied", reader.delete_objects, Bucket=BUCKET, Delete={"Objects": [{"Key": "access"}]})
    refused("AccessDenied", reader.copy_object, Bucket=BUCKET, Key="access2", CopySource=where)
    refused("AccessDenied", reader.put_object_tagging, **where, Tagging=tag_set(a="2"))
    refused("AccessDenied", reader.delete_object_tagging, **where)
    refused("AccessDenied", reader.create_bucket, Bucket="not-mine")
    refused("AccessDenied", reader.delete_bucket, Bucket=BUCKET)
    refused("AccessDenied", reader.create_multipart_upload, **where)
    refused("AccessDenied", reader.upload_part, **where, UploadId=upload, PartNumber=1, Body=b"x")
    refused("AccessDenied", reader.abort_multipart_upload, **where, UploadId=upload)
    form = reader.generate_presigned_post(BUCKET, "access")
    assert post_form(form, b"y") == 403
    s3.abort_multipart_upload(**where, UploadId=upload)
    assert s3.get_object(Bucket=BUCKET, Key="access")["Body"].read() == b"x" and tags_of("access") == {"a": "1"}


def post_form(form, body):
    boundary = "----boundary"
    fields = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'.encode() + body
    data = b"".join(fields) + file + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    try:
        return urllib.request.urlopen(urllib.request.Request(form["url"], data=data, headers=headers)).status
    except urllib.error.HTTPError as error:
        return error.code


def check_forms():
    assert post_form(s3.generate_presigned_post(BUCKET, "form"), b"photo") in (200, 201, 204)
    assert s3.get_object(Bucket=BUCKET, Key="form")["Body"].read() == b"photo"


def check_wrong_and_missing_keys_are_refused():
    refused("SignatureDoesNotMatch", client(KEY, "wrong").list_buckets)
    refused("SignatureDoesNotMatch", client(KEY, READ_ONLY_SECRET).get_object, Bucket=BUCKET, Key="access")
    refused("InvalidAccessKeyId", client("stranger", SECRET).list_buckets)
    for path in ["", f"/{BUCKET}", f"/{BUCKET}/access", f"/{BUCKET}/access?tagging"]:
        for method in ["GET", "PUT", "DELETE", "HEAD"]:
            try:
                urllib.request.urlopen(urllib.request.Request(ENDPOINT + path, method=method))
                raise AssertionError(f"{method} {path} was answered")
            except urllib.error.HTTPError as error:
                # 501: no such call, whoever asks.
                assert error.code in (403, 501), (method, path, error)
    assert s3.get_object(Bucket=BUCKET, Key="access")["Body"].read() == b"x"


def check_the_aws_command_line():
    with tempfile.TemporaryDirectory() as folder:
        small, large = os.path.join(folder, "small.jpg"), os.path.join(folder, "large.bin")
        with open(small, "wb") as file:
            file.write(random_bytes(1000))
        with open(large, "wb") as file:
            file.write(random_bytes(20 * MIB, seed=3))
        aws("s3", "cp", small, f"s3://{BUCKET}/cli/small.jpg")
        aws("s3", "cp", large, f"s3://{BUCKET}/cli/large.bin")
        aws("s3", "cp", f"s3://{BUCKET}/cli/large.bin", f"s3://{BUCKET}/cli/copy.bin")
        aws("s3", "cp", f"s3://{BUCKET}/cli/copy.bin", os.path.join(folder, "back.bin"))
        with open(large, "rb") as one, open(os.path.join(folder, "back.bin"), "rb") as other:
            assert one.read() == other.read()
        assert s3.head_object(Bucket=BUCKET, Key="cli/small.jpg")["ContentType"] == "image/jpeg"

        where = ["--bucket", BUCKET, "--key", "cli/small.jpg"]
        aws("s3api", "put-object-tagging", *where, "--tagging", json.dumps(tag_set(a="1")))
        assert json.loads(aws("s3api", "get-object-tagging", *where))["TagSet"] == [{"Key": "a", "Value": "1"}]
        aws("s3", "sync", f"s3://{BUCKET}/cli/", os.path.join(folder, "sync"))
        assert sorted(os.listdir(os.path.join(folder, "sync"))) == ["copy.bin", "large.bin", "small.jpg"]
        aws("s3", "mv", f"s3://{BUCKET}/cli/small.jpg", f"s3://{BUCKET}/cli/moved.jpg")
        assert tags_of("cli/moved.jpg") == {"a": "1"}
        aws("s3", "rm", f"s3://{BUCKET}/cli/", "--recursive")
        assert s3.list_objects_v2(Bucket=BUCKET, Prefix="cli/")["KeyCount"] == 0
        try:
            aws("s3", "cp", small, f"s3://{BUCKET}/cli/refused", key=READ_ONLY_KEY, secret=READ_ONLY_SECRET)
            raise AssertionError("the read-only key wrote")
        except RuntimeError as error:
            assert "AccessDenied" in str(error), error


def main():
    s3.create_bucket(Bucket=BUCKET)
    checks = [(name, check) for name, check in globals().items() if name.startswith("check_")]
    failed = 0
    for name, check in checks:
        try:
            check()
            print("ok    ", name)
        except Exception:
            failed += 1
            print("FAILED", name)
            traceback.print_exc(file=sys.stdout)
    print("all checks passed" if not failed else f"{failed} of {len(checks)} checks failed")
    sys.exit(1 if failed else 0)


main()
