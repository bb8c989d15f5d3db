"""Runs the benchmarks and writes docs/benchmarks.md's tables. `make bench` calls it; each part can be run alone.

    bench/run.py PART...      forward, photo, device, serve, start, page, lighthouse, review, or all; results go to bench/results/PART.json
    bench/run.py render       the tables between the markers of docs/benchmarks.md, from those results

Whoever is compared takes turns with the other in the same minute, and what is reported is the median over rounds of the
ratio within a round: a machine that is slow for a while is then slow for both.
"""

import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
PEERS = BENCH / "peers"
RESULTS = BENCH / "results"
PHOTOS = RESULTS / "photos"
SHARED = Path(os.environ.get("GOURMETGRAM_SHARED", ROOT.parent / "shared"))
CACHE = Path(os.environ.get("GOURMETGRAM_CACHE", ROOT / ".tools"))
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
FOOD64 = ROOT / "models/food64"
FOOD_11 = "Bread,Dairy product,Dessert,Egg,Fried food,Meat,Noodles/Pasta,Rice,Seafood,Soup,Vegetable/Fruit"
# Rounds and seconds: enough for a median, short enough for all parts together to take minutes.
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
SERVE_SECONDS = float(os.environ.get("BENCH_SERVE_SECONDS", "3"))
CLIENTS = [1, 8, 64]
# Photos that are labelled one after the other.
REVIEWED = int(os.environ.get("BENCH_REVIEWED", "500"))
# What Lighthouse advises for a median that holds.
LIGHTHOUSE_RUNS = int(os.environ.get("BENCH_LIGHTHOUSE_RUNS", "5"))


def say(*words):
    print(*words, flush=True)


def python(peer):
    """The interpreter of a peer's own environment, or nothing where it is not installed."""
    path = CACHE / f"venvs/bench-{peer}/bin/python"
    return path if path.exists() else None


def environment():
    """What is different for the programs started here."""
    names = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"]
    return {name: value for name, value in os.environ.items() if name not in names} | {"PYTHONPATH": str(PEERS)}


def models():
    """The model directories to measure: ours, and MobileNetV2 where it can be had."""
    found = {"food64": FOOD64}
    mobilenet = SHARED / "models/gourmetgram-mobilenetv2.onnx"
    directory = RESULTS / "mobilenetv2"
    if not directory.exists() and mobilenet.exists():
        classes = RESULTS / "classes.txt"
        classes.write_text(FOOD_11)
        subprocess.run([TARGET / "gourmetgram", "model", "import", mobilenet, "--out", directory, "--version-name",
                        "mobilenetv2", "--classes", classes, "--resize", "stretch"],
                       check=True, stdout=subprocess.DEVNULL)
    if directory.exists():
        found["mobilenetv2"] = directory
    else:
        say(f"skipped MobileNetV2: {mobilenet} is absent")
    return found


def photos(kind):
    if not list(PHOTOS.glob("phone-2.jpg")):
        say("drawing photos")
        subprocess.run([python("onnxruntime"), BENCH / "photos.py", PHOTOS], check=True)
    return sorted(PHOTOS.glob(f"{kind}-*.jpg"))


def quartiles(values):
    ordered = sorted(values)
    at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return {"low": at(0.1), "median": statistics.median(ordered), "high": at(0.9)}


class Worker:
    """A program that makes runs when it is told how many, and says how long each took."""

    def __init__(self, command):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment())

    def run(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args} ended: run it by hand and see why")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


def in_turns(commands, runs):
    """Seconds a run for each of `commands`: for each round, its fastest quarter, because what else runs only adds."""
    workers = {name: Worker(command) for name, command in commands.items()}
    for worker in workers.values():
        worker.run(max(1, runs // 4))
    rounds = []
    for number in range(ROUNDS):
        order = list(workers) if number % 2 else list(workers)[::-1]
        rounds.append({name: typical(workers[name].run(runs)) for name in order})
    for worker in workers.values():
        worker.close()
    ours = next(iter(commands))
    return {
        "rounds": rounds,
        "ms": {name: quartiles([1e3 * one[name] for one in rounds]) for name in commands},
        "ratio": {name: quartiles([one[ours] / one[name] for one in rounds]) for name in commands if name != ours},
    }


def typical(seconds):
    ordered = sorted(seconds)
    return statistics.median(ordered[:max(1, len(ordered) // 4)])


def forward():
    result = {}
    for name, model in models().items():
        say("forward pass:", name)
        result[name] = in_turns({
            "ours": [TARGET / "gourmetgram-bench", "forward", model],
            "onnxruntime": [python("onnxruntime"), PEERS / "turns.py", "forward", model],
        }, 100 if name == "food64" else 20)
    return result


def photo():
    result = {}
    for kind, runs in [("small", 12), ("web", 4), ("phone", 2)]:
        say("a photo's whole way:", kind)
        files = photos(kind)
        measured = in_turns({
            "ours": [TARGET / "gourmetgram-bench", "photo", FOOD64, *files],
            "pillow": [python("onnxruntime"), PEERS / "turns.py", "photo", FOOD64, *files],
            "pillow, scaled": [python("onnxruntime"), PEERS / "turns.py", "photo-draft", FOOD64, *files],
        }, runs)
        result[kind] = measured | {"photos": len(files), "bytes": sum(file.stat().st_size for file in files)}
    return result


def device():
    """In Chromium, beside onnxruntime-web; and from choosing a photo of a phone to the device's answer."""
    if not (PEERS / "node_modules/onnxruntime-web").exists():
        raise SystemExit("onnxruntime-web is not installed: scripts/setup.sh npm:bench/peers")
    result = {}
    for name, model in models().items():
        say("on a device:", name)
        with server("ours", model) as running:
            output = subprocess.run(
                ["node", BENCH / "device.mjs", f"http://{running.host}/", model, str(ROUNDS),
                 "12" if name == "food64" else "4", *(photos("phone") if name == "food64" else [])],
                check=True, stdout=subprocess.PIPE, text=True)
        found = json.loads(output.stdout)
        rounds = [{side: typical(seconds) for side, seconds in turn.items()} for turn in found["turns"]]
        peer = "onnxruntime-web"
        result[name] = {
            "rounds": rounds,
            "ms": {side: quartiles([1e3 * one[side] for one in rounds]) for side in ["ours", peer]},
            "ratio": {peer: quartiles([one["ours"] / one[peer] for one in rounds])},
            "answered_ms": quartiles(found["answered_ms"]) if found["answered_ms"] else None,
        }
    return result


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tree(process):
    """A process and all that descend from it."""
    children = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        parent = int(text.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [process]
    for one in found:
        found.extend(children.get(one, []))
    return found


def memory(process):
    """Proportional set size of a process and its descendants, in megabytes: what it costs to have them."""
    total = 0
    for one in tree(process):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


class Server:
    def __init__(self, name, model, scratch):
        self.name, self.port = name, free_port()
        self.host = f"127.0.0.1:{self.port}"
        variables = environment()
        if name == "ours":
            command = [os.environ.get("GOURMETGRAM_BIN", TARGET / "gourmetgram"), "serve"]
            self.ready = "/readyz"
            variables |= {
                "GOURMETGRAM__SERVER__LISTEN": self.host,
                "GOURMETGRAM__EMBEDDED_S3__LISTEN": "127.0.0.1:0",
                "GOURMETGRAM__DATA_DIR": str(scratch / "data"),
                "GOURMETGRAM__MODEL__DIRECTORY": str(model),
                "GOURMETGRAM__LOG__FILTER": "warn",
                # All load comes from one address, as no visitors do: no budget and no bound on connections, as the
                # peers have none.
                "GOURMETGRAM__LIMITS__UPLOADS_PER_MINUTE": "0",
                "GOURMETGRAM__LIMITS__READS_PER_MINUTE": "0",
                "GOURMETGRAM__LIMITS__FEEDBACK_PER_MINUTE": "0",
                "GOURMETGRAM__LIMITS__CONNECTIONS_PER_CLIENT": "0",
                "GOURMETGRAM__LIMITS__CONNECTIONS": "0",
            }
        else:
            command = [python(name), "-m", "uvicorn", "--app-dir", PEERS, "--port", str(self.port), "--log-level",
                       "warning", f"{name}_server:app"]
            self.ready = "/health"
            variables |= {"MODEL": str(model), "TORCH_MODEL": str(RESULTS / f"{model.name}.pth")}
        self.variables, self.program = variables, command[0]
        self.log = open(scratch / f"{name}.log", "wb")
        self.process = subprocess.Popen([str(word) for word in command], env=variables, cwd=scratch, stdout=self.log,
                                        stderr=self.log, start_new_session=True)

    def command(self, *words, said="", **variables):
        """What a command of ours beside the running server prints."""
        return subprocess.run([self.program, *words], env=self.variables | variables, input=said, check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def wait(self):
        """Seconds until it is ready."""
        began = time.monotonic()
        while time.monotonic() < began + 120:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} did not start: {Path(self.log.name).read_text()[-2000:]}")
            try:
                with urllib.request.urlopen(f"http://{self.host}{self.ready}", timeout=2) as answer:
                    if answer.status == 200:
                        return time.monotonic() - began
            except (urllib.error.URLError, OSError):
                time.sleep(0.005)
        raise SystemExit(f"{self.name} is not ready after two minutes")

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


@contextmanager
def server(name, model):
    scratch = Path(tempfile.mkdtemp(prefix="data-", dir=RESULTS))
    running = Server(name, model, scratch)
    try:
        running.started_in = running.wait()
        yield running
    finally:
        running.close()
        shutil.rmtree(scratch, ignore_errors=True)


def load(running, route, files, *options):
    output = subprocess.run(
        [TARGET / "gourmetgram-bench", "load", "--host", running.host, "--route", route,
         "--seconds", str(SERVE_SECONDS), *options, *files], check=True, capture_output=True, text=True)
    return json.loads(output.stdout)


@contextmanager
def watching_memory(running, into):
    peaks, over = [memory(running.process.pid)], threading.Event()

    def watch():
        while not over.wait(0.2):
            peaks.append(memory(running.process.pid))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        into["loaded_mb"] = max(peaks)


def serving_peers():
    for peer in ["onnxruntime", "torch"]:
        if python(peer):
            yield peer
        else:
            say(f"skipped {peer}: scripts/setup.sh bench-{peer} installs it")


def serve():
    files = photos("small") + photos("web")[:2]
    result = {}
    for model_name, model in models().items():
        rows = result[model_name] = {}
        for name in ["ours", *serving_peers()]:
            say("serving:", model_name, name)
            if name == "torch" and not (RESULTS / f"{model.name}.pth").exists():
                subprocess.run([python("torch"), PEERS / "to_torch.py", model, RESULTS / f"{model.name}.pth"],
                               check=True, env=environment(), stderr=subprocess.DEVNULL)
            with server(name, model) as running:
                row = rows[name] = {"rest_mb": memory(running.process.pid)}
                with watching_memory(running, row):
                    for route in ["predict", "predictions"] if name == "ours" else ["predict"]:
                        row[route] = {count: load(running, route, files, "--clients", str(count)) for count in CLIENTS}
                if name == "ours":
                    for route in ["predict", "predictions"]:
                        # Three times what it can do: it must say so at once, and still do what it can.
                        rate = 3 * row[route][64]["per_second"]
                        row[f"{route}_overload"] = load(running, route, files, "--rate", str(rate)) | {"rate": rate}
    return result


def start():
    result = {}
    for number in range(3):
        for name in ["ours", *serving_peers()]:
            with server(name, FOOD64) as running:
                result.setdefault(name, []).append(running.started_in)
    return {name: quartiles(seconds) for name, seconds in result.items()}


def page():
    with server("ours", FOOD64) as running:
        output = subprocess.run(["node", ROOT / "end2end/page-weight.mjs", f"http://{running.host}/",
                                 photos("small")[0]], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(output.stdout)


def lighthouse():
    """Its scores of the pages that people open, with a week's photos and labels on the server, on its throttled phone."""
    if not (PEERS / "node_modules/lighthouse").exists():
        raise SystemExit("Lighthouse is not installed: scripts/setup.sh npm:bench/peers")
    with server("ours", FOOD64) as running:
        password = "correct horse battery"
        running.command("user", "add", "ann", "--role", "operator", "--password-stdin", said=f"{password}\n")
        token = running.command("user", "token", "add", "bench", "--scope", "admin,predictions:backdate")
        rule = {"kind": "continuous", "unsure": {"measure": "confidence", "threshold": 0.7}, "random": {"rate": 0.5}}
        running.command("campaign", "create", "--file", "-", said=json.dumps({"name": "Bench", "rule": rule}))
        running.command("replay", "--made", "200", "--over", "7d", "--speedup", "100000", "--label", "Bench",
                        "--label-share", "0.8", "--url", f"http://{running.host}", GOURMETGRAM_TOKEN=token.strip())
        output = subprocess.run(["node", BENCH / "lighthouse.mjs", f"http://{running.host}", "ann",
                                 password, str(LIGHTHOUSE_RUNS)],
                                check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(output.stdout)


def review():
    """From a key to the next photo, when somebody labels without ever stopping to look."""
    with server("ours", FOOD64) as running:
        password = "correct horse battery"
        running.command("user", "add", "ann", "--role", "annotator", "--password-stdin", said=f"{password}\n")
        token = running.command("user", "token", "add", "bench", "--scope", "admin,predictions:backdate")
        running.command("replay", "--made", str(REVIEWED), "--over", "1d", "--speedup", "1000000",
                        "--url", f"http://{running.host}", GOURMETGRAM_TOKEN=token.strip())
        asked = {"name": "Bench", "rule": {"kind": "everything"}, "double_share": 0}
        made = json.loads(running.command("campaign", "create", "--file", "-", "--json", said=json.dumps(asked)))
        start, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + days * 86400)) for days in (-3, 1))
        running.command("pipeline", "run", "select", "--campaign", "Bench", "--start", start, "--end", end)
        output = subprocess.run(["node", BENCH / "review.mjs", f"http://{running.host}", "ann", password, made["id"],
                                 str(REVIEWED)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(output.stdout)


PARTS = {"forward": forward, "photo": photo, "device": device, "serve": serve, "start": start, "page": page,
         "lighthouse": lighthouse, "review": review}


def machine():
    words = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next((line.split(":")[1].strip() for line in words.splitlines() if line.startswith("model name")), "unknown")
    versions = {}
    for peer, names in [("onnxruntime", ["onnxruntime", "numpy", "pillow", "fastapi", "uvicorn"]), ("torch", ["torch"])]:
        if python(peer):
            code = f"from importlib.metadata import version\nfor n in {names!r}: print(n, version(n))"
            output = subprocess.run([python(peer), "-c", code], capture_output=True, text=True, check=True)
            versions |= dict(line.split() for line in output.stdout.splitlines())
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=False).stdout.split()
    memory_kb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024
    return {
        "processor": model,
        "wide": "avx512f" in words,
        "cores": os.cpu_count(),
        "memory_gb": round(memory_kb / 2**20),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "rustc": rustc[1] if len(rustc) > 1 else "unknown",
        "python": platform.python_version(),
        "versions": versions,
        "date": time.strftime("%Y-%m-%d"),
        "load": os.getloadavg()[0],
    }


def main():
    wanted = sys.argv[1:] or ["all"]
    if wanted == ["all"]:
        wanted = [*PARTS, "render"]
    RESULTS.mkdir(parents=True, exist_ok=True)
    unknown = [part for part in wanted if part not in PARTS and part != "render"]
    if unknown:
        raise SystemExit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}, render and all")
    if not python("onnxruntime"):
        raise SystemExit("the peers are not installed: scripts/setup.sh bench-onnxruntime")
    for part in wanted:
        if part != "render":
            result = {"machine": machine(), "result": PARTS[part]()}
            (RESULTS / f"{part}.json").write_text(json.dumps(result, indent=1))
    # Rendered with what is there, whichever part was run.
    import tables
    tables.render(RESULTS, ROOT / "docs/benchmarks.md")
    say("docs/benchmarks.md is up to date")


if __name__ == "__main__":
    main()
