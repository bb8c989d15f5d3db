"""The pictures of docs/statistics.md, from what the simulation prints.

    pictures.py SIMULATION SAMPLES FOLDER

SIMULATION is the simulation's tables, SAMPLES what it prints with `-- samples`. Each picture says in its title what is to
be seen, carries a description for those who do not see it, and is legible on light and dark pages and in grey.
"""

import csv
import sys
from html import escape
from pathlib import Path

OURS, POOLED, OTHERS, INK, FAINT = "#0072b2", "#d55e00", "#6b6b6b", "#1f1f1f", "#d9d9d9"
WIDTH = 760


def text(x, y, words, size=14, colour=INK, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def line(x1, y1, x2, y2, colour, width=1.0, dash=""):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"{dashes}/>'


def circle(x, y, colour, radius=4):
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>'


def square(x, y, colour, side=7):
    return f'<rect x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" width="{side}" height="{side}" fill="{colour}"/>'


def diamond(x, y, colour, half=5):
    return f'<path d="M{x:.1f} {y - half:.1f}l{half} {half}l-{half} {half}l-{half} -{half}z" fill="{colour}"/>'


def picture(title, description, height, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title description" font-family="system-ui, sans-serif">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(description)}</desc>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(24, 34, title, 18, weight="600"),
        *parts, "</svg>", ""])


def scale(low, high, left, right):
    return lambda value: left + (value - low) / (high - low) * (right - left)


def samples(rows):
    """Sixty teams label the same traffic by the same rules."""
    rows = [{name: 100 * float(value) for name, value in row.items()} for row in rows]
    truth, step, top = rows[0]["truth"], 7, 96
    bottom = top + step * len(rows)
    x = scale(30, 100, 36, WIDTH - 36)
    missed = sum(not row["lower"] <= truth <= row["upper"] for row in rows)
    parts = []
    for tick in range(30, 101, 10):
        parts += [line(x(tick), top - 8, x(tick), bottom, FAINT), text(x(tick), bottom + 20, f"{tick} %", 13, anchor="middle")]
    for number, row in enumerate(rows):
        y = top + step * number + step / 2
        parts += [line(x(row["pooled_lower"]), y, x(row["pooled_upper"]), y, POOLED, 2), square(x(row["pooled"]), y, POOLED, 5)]
        parts += [line(x(row["lower"]), y, x(row["upper"]), y, OURS, 2), circle(x(row["value"]), y, OURS, 2.8)]
    parts.append(line(x(truth), top - 8, x(truth), bottom, INK, 2, "6 4"))
    middle = sum(row["pooled"] for row in rows) / len(rows)
    parts += [text(x(middle), 74, "right answers ÷ labels", 14, POOLED, "middle", "600"),
              text(x(truth), 58, f"the truth: {truth:.1f} %", 14, INK, "middle", "600"),
              text(x(truth), 78, "weighted by the design", 14, OURS, "middle", "600"),
              text(24, bottom + 44, "Each row is one sample of the same 2,000 photos with its 95 % interval: all special "
                   "ones, a twentieth of all.", 13)]
    finds = sum(row["pooled_lower"] <= truth <= row["pooled_upper"] for row in rows)
    title = f"{len(rows)} samples: {len(rows) - missed} weighted intervals hold the truth, {finds} pooled ones do"
    description = (f"True accuracy is {truth:.1f} %. In {len(rows)} samples the weighted estimate's interval misses it "
                   f"{missed} times. The pooled number lies around {middle:.0f} %, and {finds} of its intervals hold the truth.")
    return picture(title, description, bottom + 64, parts)


def dots(title, description, rows, low, high, ticks, unit, note, band=None):
    """Rows of dots: one row an estimator, one dot a scenario."""
    top, gap, left = 92, 84, 24
    bottom = top + gap * len(rows)
    x = scale(low, high, left + 12, WIDTH - 36)
    parts = []
    if band:
        parts.append(f'<rect x="{x(band[0]):.1f}" y="{top - 20}" width="{x(band[1]) - x(band[0]):.1f}" '
                     f'height="{bottom - top + 10}" fill="#0072b2" fill-opacity="0.15"/>')
    for tick in ticks:
        parts += [line(x(tick), top - 20, x(tick), bottom - 10, FAINT),
                  text(x(tick), bottom + 12, f"{tick:+d}{unit}" if low < 0 and tick else f"{tick}{unit}", 13, anchor="middle")]
    if low < 0:
        parts.append(line(x(0), top - 20, x(0), bottom - 10, INK, 1.5))
    for number, (name, colour, mark, values) in enumerate(rows):
        y = top + gap * number
        parts.append(text(left, y, name, 14, colour, weight="600"))
        # Values that would lie on each other are stacked.
        piles = {}
        for value in sorted(values):
            place = round(x(value) / 7)
            pile = piles[place] = piles.get(place, 0) + 1
            parts.append(mark(x(value), y + 46 - 3.6 * (pile - 1 if pile < 10 else 9), colour))
    parts.append(text(left, bottom + 38, note, 13))
    return picture(title, description, bottom + 58, parts)


def slopes(scenarios):
    """The same model, another rate of the random sample."""
    top, bottom, left, right = 96, 420, 190, 500
    y = scale(30, 100, bottom, top)
    parts = [line(left, top - 14, left, bottom, FAINT), line(right, top - 14, right, bottom, FAINT)]
    for tick in range(30, 101, 10):
        parts += [line(left, y(tick), right, y(tick), FAINT, 0.6), text(left - 60, y(tick) + 5, f"{tick} %", 13, anchor="end")]
    falls = []
    for accuracy in (0.707, 0.85, 0.95):
        values = [100 * accuracy + scenarios[f"{accuracy} over-confident, 2000 photos, {rate}"]["pooled"] for rate in ("0.2", "0.05")]
        falls.append(values[0] - values[1])
        parts += [line(left, y(100 * accuracy), right, y(100 * accuracy), OURS, 2, "6 4"),
                  text(right + 12, y(100 * accuracy) + 5, f"accuracy {100 * accuracy:.4g} %, before and after", 13, OURS),
                  line(left, y(values[0]), right, y(values[1]), POOLED, 2), square(left, y(values[0]), POOLED),
                  square(right, y(values[1]), POOLED), text(left - 12, y(values[0]) + 5, f"{values[0]:.0f}", 13, POOLED, "end"),
                  text(right + 12, y(values[1]) + 5, f"{values[1]:.0f} % is printed", 13, POOLED)]
    parts += [text(left, 72, "a fifth at random", 14, INK, "middle", "600"), text(right, 72, "a twentieth", 14, INK, "middle", "600"),
              text(24, bottom + 34, "Three over-confident models, 2,000 photos, all special ones labelled; only the random rate changes.", 13)]
    title = "“Accuracy” falls when nothing happened but fewer random labels"
    description = ("With a smaller random sample the pooled number falls by " +
                   ", ".join(f"{fall:.0f}" for fall in falls) + " points, while the models' accuracy stays.")
    return picture(title, description, bottom + 54, parts)


def read_scenarios(simulation):
    """Numbers by scenario, from the first table."""
    found = {}
    for row in simulation[simulation.index("| scenario |"):].splitlines():
        if not row.startswith("|"):
            break
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if cells[0] in ("scenario", "---"):
            continue
        number = lambda cell: float(cell.rstrip(" %"))
        found[cells[0]] = {"bias": number(cells[1]), "coverage": number(cells[2]), "random": number(cells[4]),
                           "pooled": number(cells[8]), "pooled_coverage": number(cells[9]),
                           "others": number(cells[10]), "others_coverage": number(cells[11])}
    return found


def main():
    simulation, folder = Path(sys.argv[1]).read_text(), Path(sys.argv[3])
    scenarios = read_scenarios(simulation)
    every = lambda name: [row[name] for row in scenarios.values()]
    with open(sys.argv[2], newline="") as file:
        drawn = {"samples": samples(list(csv.DictReader(file)))}
    count = len(scenarios)
    drawn["bias"] = dots(
        f"How far off three ways to count are, in {count} simulated situations",
        f"Post-stratified: at most {max(map(abs, every('bias'))):.2f} points off. Pooled: {min(every('pooled')):.0f} to "
        f"{max(every('pooled')):.0f} points. Others alone: {min(every('others')):+.0f} to {max(every('others')):+.0f} points.",
        [("weighted by the design", OURS, circle, every("bias")),
         ("pooled: right answers ÷ labels, what the tutorial would print", POOLED, square, every("pooled")),
         ("only what is left over: sure, not flagged, not corrected", OTHERS, diamond, every("others"))],
        -45, 35, range(-40, 31, 10), "", "Mean error in points of accuracy; one mark a situation, 20,000 samples each.")
    drawn["coverage"] = dots(
        "How often a “95 % interval” holds the truth",
        f"Post-stratified: {min(every('coverage')):.1f} to {max(every('coverage')):.1f} %. Random sample alone: "
        f"{min(every('random')):.1f} to {max(every('random')):.1f} %. Pooled: {min(every('pooled_coverage')):.1f} to "
        f"{max(every('pooled_coverage')):.1f} %. Others alone: {min(every('others_coverage')):.1f} to "
        f"{max(every('others_coverage')):.1f} %.",
        [("weighted by the design", OURS, circle, every("coverage")), ("the random sample alone", OURS, diamond, every("random")),
         ("pooled: what the tutorial would print", POOLED, square, every("pooled_coverage")),
         ("only what is left over", OTHERS, diamond, every("others_coverage"))],
        0, 100, range(0, 101, 20), " %", "One mark a situation; the band is 94 to 96.5 %.", (94, 96.5))
    drawn["rate"] = slopes(scenarios)
    for name, svg in drawn.items():
        (folder / f"statistics-{name}.svg").write_text(svg)
        print(folder / f"statistics-{name}.svg")


main()
