"""What choosing photos asks of S3: ours beside the tutorial's loop over tags, on the same S3 server. `make bench-tags`.

    bench/tags.py [OBJECTS...]        1000 and 10000 unless told otherwise

One server only stores (its embedded S3 server); the other, which is measured, reaches it through a proxy that counts
requests. It is filled by `gourmetgram replay` with small pictures (`bench/tiles.py`): for each size a day of a thousand photos
that no campaign has seen, and the others long ago, so that the intervals that are looked at are alike however full the bucket
is. Campaigns select from a half hour, then from longer ones before it; everything chosen is labelled and collected. Prints
tables for docs/benchmarks.md: what is asked of S3 goes with an interval's photos, and not with the bucket.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zlib
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

from run import BENCH, CACHE, PEERS, RESULTS, TARGET, environment, free_port, python, say

BINARY = Path(os.environ.get("GOURMETGRAM_BIN", TARGET / "gourmetgram"))
PYTHON = CACHE / "venvs/tests/bin/python"
SCOPES = "predictions:write,predictions:backdate,predictions:read,feedback:write"
# Photos of each day that is looked at, and the intervals, one before the other.
A_DAY = 1000
HOURS = [0.5, 3, 12]
TIME = "%Y-%m-%dT%H:%M:%SZ"


class Proxy:
    """Passes everything on to a server and counts the heads of requests that come by."""

    def __init__(self, upstream):
        self.upstream, self.port, self.requests = upstream, free_port(), 0
        ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self.serve(ready)), daemon=True).start()
        ready.wait()

    async def serve(self, ready):
        server = await asyncio.start_server(self.connection, "127.0.0.1", self.port)
        ready.set()
        async with server:
            await server.serve_forever()

    async def connection(self, reader, writer):
        theirs, ours = await asyncio.open_connection("127.0.0.1", self.upstream)

        async def pass_on(source, sink, count):
            try:
                while piece := await source.read(65536):
                    self.requests += len(re.findall(rb"^(?:GET|PUT|POST|HEAD|DELETE) \S+ HTTP/1\.1\r$", piece, re.M)) * count
                    sink.write(piece)
                    await sink.drain()
            except ConnectionError:
                pass
            finally:
                sink.close()

        await asyncio.gather(pass_on(reader, ours, 1), pass_on(theirs, writer, 0))


def serve(stack, scratch, name, variables):
    """Starts a server of its own folder; gives its settings and its address."""
    port = free_port()
    folder = scratch / name
    folder.mkdir()
    settings = environment() | {
        "GOURMETGRAM__SERVER__LISTEN": f"127.0.0.1:{port}",
        "GOURMETGRAM__DATA_DIR": str(folder / "data"),
        "GOURMETGRAM__LOG__FILTER": "warn",
        "GOURMETGRAM__LIMITS__UPLOADS_PER_MINUTE": "0",
        "GOURMETGRAM__LIMITS__READS_PER_MINUTE": "0",
        "GOURMETGRAM__LIMITS__FEEDBACK_PER_MINUTE": "0",
        "GOURMETGRAM__LIMITS__CONNECTIONS_PER_CLIENT": "0",
    } | variables
    log = stack.enter_context(open(folder / "log", "wb"))
    process = subprocess.Popen([BINARY, "serve"], env=settings, cwd=folder, stdout=log, stderr=log)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return settings, f"http://127.0.0.1:{port}", folder
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{name} is not ready: {(folder / 'log').read_text()[-2000:]}")


def keys(folder):
    text = (folder / "data/s3-credentials.toml").read_text()
    return {name: re.search(rf'^{name} = "(.*)"', text, re.M)[1] for name in ["access_key_id", "secret_access_key"]}


def command(settings, folder, *words):
    done = subprocess.run([BINARY, *words], env=settings, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"gourmetgram {' '.join(map(str, words))}: {done.stderr[-2000:]}")
    return done.stdout


def settled(url, proxy):
    """Waits until the outbox is empty and nobody has asked S3 for anything for three seconds."""
    quiet, before = time.monotonic(), -1
    while True:
        with urllib.request.urlopen(f"{url}/metrics") as answer:
            text = answer.read().decode()
        backlog = re.search(r"^gourmetgram_outbox_backlog(?:\{.*\})? (\d+)", text, re.M)
        if backlog and int(backlog[1]) == 0 and proxy.requests == before:
            if time.monotonic() > quiet + 3:
                return quiet
        else:
            quiet, before = time.monotonic(), proxy.requests
        time.sleep(0.1)


def main():
    sizes = [int(size) for size in sys.argv[1:]] or [1000, 10_000]
    RESULTS.mkdir(parents=True, exist_ok=True)
    if not PYTHON.exists() or not python("onnxruntime"):
        raise SystemExit("boto3 or Pillow is not installed: scripts/setup.sh python bench-onnxruntime")
    with ExitStack() as stack:
        scratch = Path(tempfile.mkdtemp(prefix="tags-", dir=RESULTS))
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        measure(stack, scratch, sizes)


def label(url, token, campaign):
    """Labels everything a campaign has chosen once, as one annotator does; says how many labels that are, and how many photos wait
    for the label of a second one."""
    def ask(method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url + path, data, headers, method=method)) as answer:
            return json.load(answer)

    count = 0
    while tasks := ask("POST", f"/api/v1/review/next?campaign={campaign}&count=10")["tasks"]:
        for task in tasks:
            ask("POST", "/api/v1/annotations", {"task": task["id"], "seen": {"answer": "class", "label": "Soup"}})
            count += 1
    return count, count - ask("GET", f"/api/v1/campaigns/{campaign}")["progress"]["labelled"]


def fill(scratch, settings, folder, url, name, photos, begins, over):
    """Has so many photos received over a while."""
    say(f"{photos} photos more")
    tiles = scratch / f"tiles-{name}"
    subprocess.run([python("onnxruntime"), BENCH / "tiles.py", tiles, str(photos), str(zlib.crc32(name.encode()) % 1000)], check=True)
    command(settings, folder, "replay", tiles, "--seed", "1", "--start", begins.strftime(TIME), "--over", over, "--speedup",
            "1000000", "--url", url, "--token-file", folder / "token")
    shutil.rmtree(tiles, ignore_errors=True)


def measure(stack, scratch, sizes):
    storage = free_port()
    _, _, store_folder = serve(stack, scratch, "store", {
        "GOURMETGRAM__EMBEDDED_S3__LISTEN": f"127.0.0.1:{storage}",
        # So that both servers keep records of their own.
        "GOURMETGRAM__S3__BUCKETS__RECORDS": "records-of-the-store",
    })
    secret, proxy = keys(store_folder), Proxy(storage)
    settings, url, folder = serve(stack, scratch, "measured", {
        "GOURMETGRAM__S3__ENDPOINT": f"http://127.0.0.1:{proxy.port}",
        "AWS_ACCESS_KEY_ID": secret["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": secret["secret_access_key"],
        # Records are written all the time, whoever selects.
        "GOURMETGRAM__RECORDS__EVERY_SECONDS": "86400",
        "GOURMETGRAM__EVALUATION__PUBLISH_EVERY_HOURS": "0",
    })
    boto = settings | {"AWS_ACCESS_KEY_ID": secret["access_key_id"], "AWS_DEFAULT_REGION": "us-east-1",
                       "AWS_SECRET_ACCESS_KEY": secret["secret_access_key"],
                       "AWS_ENDPOINT_URL": f"http://127.0.0.1:{storage}"}
    (folder / "token").write_text(command(settings, folder, "user", "token", "add", "replay", "--scope", SCOPES))
    made = json.loads(command(settings, folder, "user", "token", "add", "annotators", "--scope", "admin", "--json"))
    now = datetime.now(timezone.utc).replace(microsecond=0)
    a_day = min(A_DAY, sizes[0])
    loops, rows, there = [], [], 0
    for number, size in enumerate(sizes):
        others = size - there - a_day
        if others > 0:
            fill(scratch, settings, folder, url, f"others {number}", others, now - timedelta(days=30 + 10 * number), "9d")
        # Photos that no campaign has seen, for each size as many.
        end = now - timedelta(days=number)
        fill(scratch, settings, folder, url, f"day {number}", a_day, end - timedelta(days=1), "1d")
        there += max(others, 0) + a_day
        settled(url, proxy)
        for hours in HOURS:
            # One behind the other, so that each has photos of its own.
            interval = [(end - timedelta(hours=hours)).strftime(TIME), end.strftime(TIME)]
            end -= timedelta(hours=hours)
            loop = None
            if hours == HOURS[0]:
                loop = json.loads(subprocess.run([PYTHON, PEERS / "tag_loop.py", *interval], env=boto, check=True,
                                                 stdout=subprocess.PIPE, text=True).stdout)
                say(f"tutorial's loop: {loop}")
                loops.append(loop)
            campaign = f"{there} objects, {hours} hours"
            asked = json.loads(command(settings, folder, "campaign", "create", "--preset", "continuous", "--name", campaign,
                                       "--seed", "1", "--json"))
            settled(url, proxy)
            before, began = proxy.requests, time.monotonic()
            span = ["--start", interval[0], "--end", interval[1], "--json"]
            report = json.loads(command(settings, folder, "pipeline", "run", "select", "--campaign", campaign, *span))
            chosen_in = time.monotonic() - began
            copied_in = settled(url, proxy) - began
            of_select, before = proxy.requests - before, proxy.requests
            labelled, half = label(url, made["token"], asked["id"])
            command(settings, folder, "pipeline", "run", "collect", "--campaign", campaign, *span)
            settled(url, proxy)
            of_collect = proxy.requests - before
            counts = report["counts"]
            say(f"{campaign}: {counts}, {of_select} requests, chosen in {chosen_in:.2f} s, there in {copied_in:.1f} s; "
                f"{labelled} labels, {half} photos wait for another, {of_collect} requests")
            rows.append([there, hours, counts["considered"], counts["chosen"], of_select, labelled, half, of_collect, chosen_in, copied_in])
    say("\n| objects in the bucket | photos of the last half hour | tutorial's loop: S3 requests | seconds |\n|---|---|---|---|")
    for loop in loops:
        say(f"| {loop['seen']:,} | {loop['inside']} | {loop['requests']:,} | {loop['seconds']:.1f} |")
    say("\n| objects in the bucket | interval | its photos | chosen | select: S3 requests | for each photo | seconds until chosen "
        "| until the copies lie there | labels | photos that wait for a second | collect: S3 requests | for each label |\n"
        + "|---" * 12 + "|")
    for there, hours, photos, chosen, of_select, labelled, half, of_collect, chosen_in, copied_in in rows:
        say(f"| {there:,} | {hours:g} h | {photos} | {chosen} | {of_select} | {of_select / max(photos, 1):.2f} | {chosen_in:.2f} "
            f"| {copied_in:.1f} | {labelled} | {half} | {of_collect} | {of_collect / max(labelled, 1):.2f} |")


if __name__ == "__main__":
    main()
