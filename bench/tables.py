"""The tables of docs/benchmarks.md, from the results in bench/results."""

import json
import re

ROUTES = {"predict": "`POST /predict`", "predictions": "`POST /api/v1/predictions`"}


def spread(values, digits=2):
    return f"{values['median']:.{digits}f} ({values['low']:.{digits}f} to {values['high']:.{digits}f})"


def verdict(value, aim, at_least=False):
    kept = value >= aim if at_least else value <= aim
    return "kept" if kept else "**missed**"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def machine(found):
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (f"{found['date']}; {found['processor']}{' with AVX-512' if found['wide'] else ''}, {found['cores']} cores, "
            f"{found['memory_gb']} GB, {found['system']}; rustc {found['rustc']}, Python {found['python']}, {versions}. "
            f"Load average at the start: {found['load']:.1f}.")


def forward(result):
    aims = {"food64": 1.0}
    rows = []
    for name, measured in result.items():
        ratio = measured["ratio"]["onnxruntime"]
        aim = f"at most {aims[name]} ×, {verdict(ratio['median'], aims[name])}" if name in aims else "published"
        rows.append([name, spread(measured["ms"]["ours"]), spread(measured["ms"]["onnxruntime"]), spread(ratio), aim])
    return table(["model", "ours, ms", "onnxruntime, ms", "ratio", "aim"], rows)


def photo(result):
    rows = []
    for kind, measured in result.items():
        ratio, count = measured["ratio"], measured["photos"]
        size = f"{kind}, {measured['bytes'] / count / 1000:.0f} kB"
        milliseconds = [f"{measured['ms'][name]['median'] / count:.1f}" for name in ["ours", "pillow", "pillow, scaled"]]
        aim = "" if kind == "web" else f"at most 0.5 ×, {verdict(ratio['pillow']['median'], 0.5)}"
        rows.append([size, *milliseconds, spread(ratio["pillow"]), spread(ratio["pillow, scaled"]), aim])
    return table(["photos", "ours, ms", "Pillow, ms", "Pillow scaled, ms", "ratio", "ratio to scaled", "aim"], rows)


def device(result):
    aims, rows = {"food64": 0.8, "mobilenetv2": 0.95}, []
    for name, measured in result.items():
        ratio = measured["ratio"]["onnxruntime-web"]
        aim = f"at most {aims[name]} ×, {verdict(ratio['median'], aims[name])}" if name in aims else "published"
        rows.append([name, spread(measured["ms"]["ours"]), spread(measured["ms"]["onnxruntime-web"]), spread(ratio), aim])
    text = table(["model", "ours, ms", "onnxruntime-web, ms", "ratio", "aim"], rows)
    answered = result["food64"]["answered_ms"]
    return text + ("\n\nFrom choosing a photo from a phone (12 megapixels) on the page to the device's answer on it: "
                   f"{spread(answered, 0)} ms; aim at most 150 ms, {verdict(answered['median'], 150)}." if answered else "")


def serve(result):
    parts = []
    for model, servers in result.items():
        rows = []
        for name, row in servers.items():
            for route in ROUTES:
                for clients, report in row.get(route, {}).items():
                    rows.append([name, ROUTES[route], clients, f"{report['per_second']:.0f}",
                                 f"{report['answered']['p50_ms']:.1f}", f"{report['answered']['p99_ms']:.1f}",
                                 report["refused"]["count"], report["failed"]])
        parts.append(f"**{model}**\n\n" + table(
            ["server", "route", "clients", "answers a second", "p50, ms", "p99, ms", "503", "failed"], rows))
        parts.append(table(["server", "memory at rest, MB", "under load, MB"],
                           [[name, f"{row['rest_mb']:.0f}", f"{row['loaded_mb']:.0f}"] for name, row in servers.items()]))
        parts.append(aims(servers))
        ours = servers["ours"]
        overloads = [[ROUTES[route], f"{one['rate']:.0f}", f"{one['per_second']:.0f}",
                      f"{one['answered']['p50_ms']:.0f}", f"{one['answered']['p99_ms']:.0f}", one["refused"]["count"],
                      f"{one['refused']['p50_ms']:.1f}", f"{one['refused']['p99_ms']:.1f}", one["failed"]]
                     for route in ROUTES if (one := ours.get(f"{route}_overload"))]
        parts.append("Three times more photos than it can answer, sent without waiting:\n\n" + table(
            ["route", "sent a second", "answered a second", "p50, ms", "p99, ms", "503", "503 p50, ms", "503 p99, ms",
             "failed"], overloads))
    return "\n\n".join(parts)


def aims(servers):
    ours, rows = servers["ours"], []
    for peer, factor in [("onnxruntime", 3), ("torch", 5)]:
        if peer not in servers:
            rows.append([f"throughput beside {peer}", "not measured: it is not installed here", "", ""])
            continue
        for route in ROUTES:
            for clients in ours[route]:
                ratio = ours[route][clients]["per_second"] / servers[peer]["predict"][clients]["per_second"]
                rows.append([f"throughput, {ROUTES[route]} with {clients} clients, beside {peer}'s `POST /predict`",
                             f"{ratio:.1f} ×", f"at least {factor} ×", verdict(ratio, factor, at_least=True)])
    if "torch" in servers:
        for what, name in [("rest_mb", "at rest"), ("loaded_mb", "under load")]:
            ratio = ours[what] / servers["torch"][what]
            rows.append([f"memory {name} beside torch", f"{ratio:.2f} ×", "at most 0.2 ×", verdict(ratio, 0.2)])
    return table(["", "found", "aim", ""], rows)


def start(result):
    return table(["server", "seconds until ready"], [[name, spread(seconds)] for name, seconds in result.items()])


def page(result):
    rows = [[kind, f"{size / 1000:.0f}"] for kind, size in result["bytes"].items()]
    rows.append(["all", f"{sum(result['bytes'].values()) / 1000:.0f}"])
    times = [[name, f"{milliseconds / 1000:.1f}"] for name, milliseconds in result["milliseconds"].items()]
    return (table(["of the page, as sent", "kB"], rows) + "\n\n" + f"On {result['profile']}:\n\n"
            + table(["from the first byte asked for until", "seconds"], times))


def lighthouse(result):
    names = ["performance", "accessibility", "best-practices"]
    rows = []
    for page, found in result["pages"].items():
        performance, *others = scores = [found["scores"][name] for name in names]
        times = [f"{found['seconds'][name]:.1f}" for name in ["first-contentful-paint", "largest-contentful-paint"]]
        (least, most), (slow, fast) = found["performance"], found["index"]
        rows.append([f"`{page}`", f"{performance} ({least} to {most})", *others, *times, f"{found['blocked_ms']:.0f}",
                     f"{found['shift']:.3f}", f"{found['kilobytes']:.0f}", f"{slow} to {fast}",
                     verdict(min(scores), 95, at_least=True)])
    return (f"Lighthouse {result['version']}, {result['runs']} runs a page, which take turns, the median of each score; "
            f"{result['profile']}. The machine's index is Lighthouse's own measure of its speed. Aim: each score "
            "at least 95.\n\n"
            + table(["page", "performance", "accessibility", "best practices", "first paint, s", "largest paint, s",
                     "blocked, ms", "layout shift", "kB", "machine's index", "aim"], rows))


def review(result):
    photos, share = result["photos"], result["machine_seconds"] / (15 * 60)
    left = (15 * 60 - result["machine_seconds"]) / photos
    rows = [[photos, f"{result['median_ms']:.0f}", f"{result['p95_ms']:.0f}", f"{result['longest_ms']:.0f}",
             f"{result['machine_seconds']:.0f} s", f"{share:.1%}", f"{left:.2f} s"]]
    return table(["photos", "median, ms", "95 % within, ms", "longest, ms", "all together", "of 15 minutes",
                  "left to look at each"], rows)


def render(results, document):
    text = document.read_text()
    parts = [forward, photo, device, serve, start, page, lighthouse, review]
    for name, write in ((part.__name__, part) for part in parts):
        path = results / f"{name}.json"
        if not path.exists():
            continue
        found = json.loads(path.read_text())
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        body = f"{begin}\n{machine(found['machine'])}\n\n{write(found['result'])}\n{end}"
        text = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: body, text, flags=re.DOTALL)
    document.write_text(text)
