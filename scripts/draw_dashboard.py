"""Draw the dashboard of a stage as PNG from a twin's metrics: ``python -m scripts.draw_dashboard FILE``.

It starts a twin, asks an agent for some minutes, rates answers, gives it a document, stops its providers for a while,
and draws the panels of `infra.observability.dashboard` as CloudWatch
would: the same metrics, statistics and expressions, a value a minute. Pillow draws, as for `pentad calibrate --png`
(docs/decisions/0014-dashboard-picture.md).
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from benchmarks.stage import AGENT, Case, Stage, stage
from infra.observability.dashboard import Panel, list_panels
from pentad.cli.synth import ensure_assembly, find_project_root
from pentad.observability.alarms.limits import AlarmLimits
from pentad.observability.metrics.names import NAMESPACE
from twin.alarms.expressions import Times, evaluate_expression
from twin.alarms.metric_store import MINUTE, MetricKey, MetricStore, Series

_WIDTH, _HEIGHT, _COLUMNS, _HEADING = 520, 250, 3, 44
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 14, 40, 62
_INK, _PALE, _GRID = "#202124", "#5f6368", "#e4e7eb"
_COLOURS = ("#1a56c4", "#c2410c", "#15803d", "#a21caf", "#0e7490", "#b45309", "#4b5563", "#be123c")
_MOST_LINES = len(_COLOURS)
_OUTAGE = (0.5, 0.65)
"""Which part of the time no provider answers."""
_CASES = (
    Case("a plain answer"),
    Case("a call", tool_calls=(("calculator", {"expression": "6 * 7"}),)),
    Case("a call that fails", tool_calls=(("calculator", {"expression": "1 / 0"}),)),
    Case("two calls", tool_calls=(("calculator", {"expression": "1 + 1"}), ("date_time", {}))),
)


class Line(NamedTuple):
    """One line of a panel: values by the start of their minute, in seconds since the epoch."""

    label: str
    values: Series


def read_panel(panel: Panel, store: MetricStore, stage_name: str, start: int, end: int) -> list[Line]:
    """Return the lines of a panel, the greatest first where it shows a metric by dimensions."""
    if panel.by is not None:
        return _read_by(panel.by, store, stage_name, start, end)
    found = {
        label: store.read(MetricKey.of(NAMESPACE, metric, {"stage": stage_name}), statistic, MINUTE, start, end)
        for label, (metric, statistic) in panel.lines.items()
    }
    for label, one in panel.services.items():
        where = {name: f"pentad-{stage_name}-{value}" for name, value in one.where.items()}
        key = MetricKey.of(one.namespace, one.metric, where)
        found[label] = store.read(key, one.statistic, MINUTE, start, end)
    if not panel.math:
        return [Line(label, values) for label, values in found.items()]
    times = Times(tuple(range(start, end, MINUTE)), MINUTE)
    given = {f"m{place}": values for place, values in enumerate(found.values())}
    computed = {label: evaluate_expression(text, given, times) for label, text in panel.math.items()}
    return [Line(label, values) for label, values in computed.items() if isinstance(values, dict)]


def _read_by(
    by: tuple[str, tuple[str, ...], str], store: MetricStore, stage_name: str, start: int, end: int
) -> list[Line]:
    metric, dimensions, statistic = by
    lines = []
    for key in store.list_metrics():
        values = dict(key.dimensions)
        if (key.namespace, key.name, set(values)) == (NAMESPACE, metric, {"stage", *dimensions}):
            if values["stage"] == stage_name:
                label = " ".join(values[name] for name in dimensions)
                lines.append(Line(label, store.read(key, statistic, MINUTE, start, end)))
    return sorted(lines, key=lambda one: -sum(one.values.values()))[:_MOST_LINES]


def draw_dashboard(store: MetricStore, stage_name: str, start: int, end: int) -> Image.Image:
    """Return the picture of all panels, three a row below their heading.

    Args:
        store: the metrics.
        stage_name: the value of the dimension ``stage``.
        start: the first minute, in seconds since the epoch.
        end: the end of the last.
    """
    all_panels = list_panels(AlarmLimits())
    rows = {heading: -(-len(panels) // _COLUMNS) for heading, panels in all_panels.items()}
    height = sum(_HEADING + count * _HEIGHT for count in rows.values())
    image = Image.new("RGB", (_COLUMNS * _WIDTH, height), "white")
    draw = ImageDraw.Draw(image)
    y = 0
    for heading, panels in all_panels.items():
        draw.text((16, y + 12), heading, fill=_INK, font=ImageFont.load_default(22))
        y += _HEADING
        for place, panel in enumerate(panels):
            row, column = divmod(place, _COLUMNS)
            lines = read_panel(panel, store, stage_name, start, end)
            _draw_panel(draw, (column * _WIDTH, y + row * _HEIGHT), panel, lines, (start, end))
        y += rows[heading] * _HEIGHT
    return image


def _draw_panel(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], panel: Panel, lines: Sequence[Line], span: tuple[int, int]
) -> None:
    x, y = at
    small = ImageFont.load_default(12)
    left, right, top, bottom = x + _LEFT, x + _WIDTH - _RIGHT, y + _TOP, y + _HEIGHT - _BOTTOM
    title = f"{panel.title} ({panel.unit})" if panel.unit else panel.title
    draw.text((x + 16, y + 12), title, fill=_INK, font=ImageFont.load_default(15))
    most = max((value for one in lines for value in one.values.values()), default=0) or 1
    for part in range(5):
        height = bottom - (bottom - top) * part / 4
        draw.line([(left, height), (right, height)], fill=_GRID)
        draw.text((left - 6, height), _show_number(most * part / 4), fill=_PALE, font=small, anchor="rm")
    for moment in (span[0], span[1] - MINUTE):
        text = datetime.fromtimestamp(moment, UTC).strftime("%H:%M")
        place = left if moment == span[0] else right
        draw.text((place, bottom + 4), text, fill=_PALE, font=small, anchor="la" if place == left else "ra")
    if not any(one.values for one in lines):
        draw.text(((left + right) / 2, (top + bottom) / 2), "nothing measured", fill=_PALE, font=small, anchor="mm")
        return
    width = max(1, span[1] - MINUTE - span[0])
    for number, one in enumerate(lines):
        points = [
            (left + (right - left) * (moment - span[0]) / width, bottom - (bottom - top) * value / most)
            for moment, value in sorted(one.values.items())
        ]
        draw.line(points, fill=_COLOURS[number], width=2)
        for px, py in points:
            draw.ellipse([(px - 3, py - 3), (px + 3, py + 3)], fill=_COLOURS[number])
    _draw_legend(draw, (x + 16, bottom + 22), lines)


def _draw_legend(draw: ImageDraw.ImageDraw, at: tuple[float, float], lines: Sequence[Line]) -> None:
    small = ImageFont.load_default(12)
    x, y = at
    for number, one in enumerate(lines):
        label = one.label if len(one.label) <= 44 else f"{one.label[:41]}..."
        if x + 30 + draw.textlength(label, font=small) > at[0] + _WIDTH - 20:
            x, y = at[0], y + 16
            if y > at[1] + 20:
                return
        draw.rectangle([(x, y + 3), (x + 9, y + 12)], fill=_COLOURS[number])
        draw.text((x + 14, y), label, fill=_PALE, font=small)
        x += 30 + draw.textlength(label, font=small)


def _show_number(value: float) -> str:
    for size, word in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{word}"
    return f"{value:.3g}"


def ask_for_minutes(running: Stage, minutes: int) -> tuple[int, int]:
    """Use an agent for some minutes, and return the first minute and the end of the last."""
    start = int(time.time()) // MINUTE * MINUTE
    began, number = time.monotonic(), 0
    running.client.upload_document("capitals.md", "text/markdown", b"# Capitals\n\nThe capital of France is Paris.")
    while (passed := (time.monotonic() - began) / MINUTE) < minutes:
        running.control.reset()
        if _OUTAGE[0] <= passed / minutes < _OUTAGE[1]:
            running.control.add_faults({"kind": "status", "status": 529})
        case = _CASES[number % len(_CASES)]
        running.control.load_script(*case.replies())
        run = running.client.start_run(AGENT, case.message, session_id=None, key=None, wait=25)
        if run["status"] == "succeeded":
            body = {"score": 0 if number % 7 == 3 else 1}
            running.client.call("POST", f"/v1/runs/{run['run_id']}/feedback", body=body)
        number += 1
        time.sleep(1 + number % 4)
    running.twin.flush_logs()
    return start, int(time.time()) // MINUTE * MINUTE + MINUTE


def main(given: Sequence[str] | None = None) -> int:
    """Start a twin, ask, draw, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m scripts.draw_dashboard", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--minutes", type=int, default=8, help="how long the agent is used")
    options = parser.parse_args(given)
    out, _ = ensure_assembly(find_project_root())
    with stage(out) as running:
        start, end = ask_for_minutes(running, options.minutes)
        image = draw_dashboard(running.twin.alarms.store, "dev", start, end)
    options.file.parent.mkdir(parents=True, exist_ok=True)
    # Without a palette of its own two lines of seldom colours could come out as one.
    image.save(options.file, format="PNG", optimize=True)
    sys.stderr.write(f"{options.file}: {options.file.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
