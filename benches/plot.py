# SPDX-License-Identifier: Apache-2.0
"""Draws plot.svg: instructions over the size of the pool, for each row of pages, the library and the baselines."""

import math

WIDTH, HEIGHT = 400, 300            # of a panel, with its margins
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 34, 38
LEGEND = 72
COST = (40, 10_000_000)             # the scale
COLOURS = {"ours": "#0b6fb8", "bits": "#d9730d", "words": "#4a8f3c"}
TITLES = {"empty": "empty", "random": "half full at random", "90-percent": "90 % full", "checkerboard": "checkerboard"}


def scaled(value, least, most, start, end):
    return start + (end - start) * math.log(value / least) / math.log(most / least)


def text(x, y, content, anchor="middle", size=11, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{extra}>{content}</text>'


def marker(x, y, request, colour):
    if request == "16":
        return f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6" fill="{colour}"/>'
    if request == "256":
        return f'<path d="M{x - 4:.1f} {y + 3:.1f}h8l-4 -7z" fill="{colour}"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'


def line(points, request, outcome, side):
    colour = COLOURS[side]
    dashes = ' stroke-dasharray="5 4"' if outcome == "failure" else ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    shapes = "".join(marker(x, y, request, colour) for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"{dashes}/>{shapes}'


def grid(sizes, title):
    """Draws what every panel has under its lines."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [text((LEFT + right) / 2, 20, title, size=13, extra=' font-weight="bold"')]
    for size in sizes:
        x = scaled(size, sizes[0], sizes[-1], LEFT + 12, right - 12)
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#e4e4e4"/>')
        parts.append(text(x, bottom + 15, f"{size:,}"))
    decades = range(math.ceil(math.log10(COST[0])), int(math.log10(COST[1])) + 1)
    for exponent in decades:
        y = scaled(10 ** exponent, *COST, bottom, TOP)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#e4e4e4"/>')
        raised = f'10<tspan dy="-4" font-size="8">{exponent}</tspan>'
        parts.append(text(LEFT - 6, y + 4, raised, "end"))
    parts.append(text((LEFT + right) / 2, bottom + 31, "pages of the pool"))
    return parts


def panel(pages, fill):
    sizes, right, bottom = list(pages), WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = grid(sizes, TITLES[fill])
    for row in next(iter(pages.values())):
        if row[0] != fill or row[2] == "crossed":
            continue
        for number, side in ((2, "bits"), (3, "words"), (1, "ours")):
            points = [(scaled(size, sizes[0], sizes[-1], LEFT + 12, right - 12),
                       scaled(pages[size][row][number], *COST, bottom, TOP)) for size in sizes]
            parts.append(line(points, row[1], row[2], side))
    return "".join(parts)


def trace_panel(traces, kind):
    """Draws the traces whose names begin with `kind`. Those of random lifetimes are dashed."""
    sizes, right, bottom = list(traces), WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = grid(sizes, f"traces: {kind}")
    for name in next(iter(traces.values())):
        if not name.startswith(kind):
            continue
        for number, side in ((1, "bits"), (2, "words"), (0, "ours")):
            points = [(scaled(size, sizes[0], sizes[-1], LEFT + 12, right - 12),
                       scaled(traces[size][name][number], *COST, bottom, TOP)) for size in sizes]
            parts.append(line(points, "1", "failure" if "random" in name else "success", side))
    return "".join(parts)


def legend():
    parts = []
    names = {"ours": "rt-dma-pool", "bits": "a scan by bits", "words": "a scan by words"}
    for at, (side, name) in enumerate(names.items()):
        y = 20 + 18 * at
        parts.append(f'<path d="M60 {y}h28" stroke="{COLOURS[side]}" stroke-width="3"/>' + text(94, y + 4, name, "start"))
    grey = "#555"
    for at, (dashes, name) in enumerate((("", "success: allocation and free"), (' stroke-dasharray="5 4"', "failure"))):
        y = 20 + 18 * at
        parts.append(f'<path d="M270 {y}h28" stroke="{grey}" stroke-width="1.5"{dashes}/>' + text(304, y + 4, name, "start"))
    for at, (request, name) in enumerate((("1", "1 page"), ("16", "16 pages"), ("256", "256 pages"))):
        x = 500 + 90 * at
        parts.append(marker(x, 20, request, grey) + text(x + 9, 24, name, "start"))
    parts.append(text(496, 42, "instructions, both scales logarithmic", "start"))
    return "".join(parts)


def svg(pages, traces):
    """Returns the picture. `pages` is {pages of the pool: rows} with the rows of measure.page_rows, smallest pool first. `traces` is
    such a dictionary with the rows of measure.trace_rows."""
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{3 * HEIGHT + LEGEND}" '
             f'viewBox="0 0 {2 * WIDTH} {3 * HEIGHT + LEGEND}" font-family="sans-serif" fill="#222">',
             '<rect width="100%" height="100%" fill="#fff"/>', f"<g>{legend()}</g>"]
    for at, fill in enumerate(TITLES):
        x, y = at % 2 * WIDTH, LEGEND + at // 2 * HEIGHT
        parts.append(f'<g transform="translate({x} {y})">{panel(pages, fill)}</g>')
    for at, kind in enumerate(("one-page", "mixed")):
        parts.append(f'<g transform="translate({at * WIDTH} {LEGEND + 2 * HEIGHT})">{trace_panel(traces, kind)}</g>')
    return "\n".join(parts + ["</svg>\n"])
