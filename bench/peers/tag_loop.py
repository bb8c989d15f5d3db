"""The tutorial's way of choosing photos: every object of the bucket, tag by tag.

    tag_loop.py START END

Lists the bucket `production`, reads the tags of each object, and keeps those of the interval that its rules choose: under
70 %, flagged, corrected, or one of a tenth at random. The address and the keys of the S3 server come from the environment,
as boto3 takes them. Prints JSON: seconds, requests, objects seen, in the interval, chosen.
"""

import json
import random
import sys
import time
from datetime import datetime

import boto3

start, end = (datetime.fromisoformat(it.replace("Z", "+00:00")) for it in sys.argv[1:3])
s3 = boto3.client("s3")
requests = 0


def count(**_):
    global requests
    requests += 1


s3.meta.events.register("before-send.s3", count)
random.seed(1)
seen, inside, chosen = 0, 0, []
began = time.monotonic()
for page in s3.get_paginator("list_objects_v2").paginate(Bucket="production"):
    for item in page.get("Contents", []):
        seen += 1
        tags = {tag["Key"]: tag["Value"]
                for tag in s3.get_object_tagging(Bucket="production", Key=item["Key"])["TagSet"]}
        if not start <= datetime.fromisoformat(tags["timestamp"].replace("Z", "+00:00")) < end:
            continue
        inside += 1
        special = float(tags["confidence"]) < 0.7 or "flagged" in tags or "corrected_class" in tags
        if special or random.random() < 0.1:
            chosen.append(item["Key"])
print(json.dumps({"seconds": time.monotonic() - began, "requests": requests, "seen": seen, "inside": inside,
                  "chosen": len(chosen)}))
