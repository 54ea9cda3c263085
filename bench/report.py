"""Figures as a table on a terminal, as JSON, and as docs/performance.md with its picture."""
import math

from figure import LESS_IS_BETTER

POSTGRES = "PostgreSQL: "
WIDTHS = (56, 14, 14, 7, 7, 9)
COLOURS = {"ours": "#1b6ca8", "import": "#b8860b"}
NAMES = {"ours": "Tallyman", "import": "sqlite3 .import"}


def number(value, unit=""):
    if value is None:
        return ""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}" + (f" {unit}" if unit else "")


def cells(figure):
    goal = ("" if figure.goal_ratio is None else f"≥ {figure.goal_ratio}") or (
        "" if figure.goal is None else
        f"{'≤' if figure.unit in LESS_IS_BETTER else '≥'} {figure.goal}")
    memory = "" if figure.memory is None else f"{figure.memory / 2**20:.0f} MiB"
    return (figure.what, number(figure.ours, figure.unit), number(figure.peer, figure.unit),
            number(figure.ratio), goal, memory)


def padded(values):
    return " ".join(f"{value:<{width}}" if place == 0 else f"{value:>{width}}"
                    for place, (value, width) in enumerate(zip(values, WIDTHS)))


def heading():
    return padded(("what", "ours", "peer", "ratio", "goal", "memory"))


def line(figure):
    missed = "  <- below the goal" if figure.met is False else ""
    beside = f"  ({figure.peer_name})" if figure.peer_name else ""
    return padded(cells(figure)) + beside + missed


def as_json(figure):
    kept = {name: value for name, value in vars(figure).items() if value not in (None, "")}
    return {**kept, "ratio": figure.ratio, "met": figure.met, "cells": cells(figure)}


def write(result, folder):
    """docs/performance.md between its marks, a table for each database, and the picture beside
    it. What was not measured stays."""
    path = folder / "performance.md"
    text = path.read_text(encoding="utf-8")
    of_postgres = [it for it in result["figures"] if it["what"].startswith(POSTGRES)]
    of_sqlite = [it for it in result["figures"] if it not in of_postgres]
    for name, figures in (("SQLite", of_sqlite), ("PostgreSQL", of_postgres)):
        if figures:
            begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
            before, after = text.split(begin)[0], text.split(end)[1]
            text = before + begin + table(result, figures) + end + after
    path.write_text(text, encoding="utf-8")
    if result["growth"]:
        (folder / "performance.svg").write_text(picture(result["growth"]), encoding="utf-8")


def table(result, figures):
    where = result["machine"]
    lines = [f"Measured {where['date']} at commit `{where['commit']}` on {where['cores']} shared "
             f"cores ({where['processor']}, {where['memory_gib']} GiB, Linux {where['kernel']}); "
             f"medians of {result['rounds']} rounds.", "",
             "| what | ours | peer | | ratio | goal | peak memory |",
             "|---|---|---|---|---|---|---|"]
    for figure in figures:
        what, ours, peer, ratio, goal, memory = figure["cells"]
        lines.append(f"| {what} | {ours} | {peer} | {figure.get('peer_name', '')} | {ratio} | "
                     f"{goal} | {memory} |")
    return "\n".join(lines).replace(f"| {POSTGRES}", "| ") + "\n"


# --- The picture: seconds by records, both on logarithmic scales ---------------------------

WIDTH, HEIGHT, LEFT, TOP, BOTTOM, RIGHT = 640, 360, 70, 20, 50, 150


def picture(points):
    seconds = [point[name] for point in points for name in COLOURS]
    low_x, high_x = (math.log10(points[place]["records"]) for place in (0, -1))
    low_y, high_y = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))

    def x(records):
        return LEFT + (math.log10(records) - low_x) / (high_x - low_x) * (WIDTH - LEFT - RIGHT)

    def y(value):
        share = (math.log10(value) - low_y) / (high_y - low_y)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for power in range(low_y, high_y + 1):
        parts.append(_line(LEFT, y(10**power), WIDTH - RIGHT, y(10**power), "#dddddd"))
        parts.append(_text(LEFT - 8, y(10**power) + 4, f"{10**power:g} s", "end"))
    for point in points:
        parts.append(_line(x(point["records"]), TOP, x(point["records"]), HEIGHT - BOTTOM,
                           "#dddddd"))
        parts.append(_text(x(point["records"]), HEIGHT - BOTTOM + 18, f"{point['records']:,}",
                           "middle"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "records in the job", "middle"))
    for name, colour in COLOURS.items():
        places = [(x(point["records"]), y(point[name])) for point in points]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                     'stroke-width="2"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>'
                  for px, py in places]
        parts.append(_text(places[-1][0] + 8, places[-1][1] + 4, NAMES[name], "start", colour))
    return "\n".join(parts + ["</svg>"]) + "\n"


def _line(x1, y1, x2, y2, colour):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}"/>')


def _text(x, y, text, anchor, colour="#333333"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'
