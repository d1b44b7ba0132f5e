"""A run's waterfall as one HTML file that needs nothing else: no script, no font, no request."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from pentad.cli.commands.runs.trace_costs import NOT_COUNTED, AwsCost, describe_dynamodb, estimate_aws_cost
from pentad.cli.screen import format_count
from pentad.domain.display.pages import escape_html_line
from pentad.domain.money import show

Json = dict[str, Any]
_COLOURS: Final = {
    "run": "#334155",
    "state": "#0891b2",
    "function": "#2563eb",
    "model": "#c026d3",
    "tool": "#16a34a",
    "node": "#ca8a04",
    "wait": "#94a3b8",
}
_WAITING: Final = "AwaitHuman"
_STYLE: Final = """
body{font:14px/1.4 system-ui,sans-serif;margin:2rem;color:#0f172a;background:#fff}
h1{font-size:1.2rem;margin:0}p{margin:.3rem 0}table{border-collapse:collapse;width:100%;margin-top:1rem}
td,th{padding:2px 8px;text-align:left;vertical-align:middle;white-space:nowrap}th{border-bottom:1px solid #cbd5e1}
td.n{text-align:right;font-variant-numeric:tabular-nums}td.b{width:45%}td.d{color:#475569;white-space:normal}
tr.f td{background:#fef2f2}.t{position:relative;height:14px;background:#f1f5f9}
.t i{position:absolute;top:0;bottom:0;min-width:2px;border-radius:2px}"""


def render_page(trace: Json) -> str:
    """Return the page of a run's trace.

    Args:
        trace: what the API shows of it. Names of tools and models in it are others' words, and are escaped.
    """
    spans: Sequence[Json] = trace["spans"]
    cost = estimate_aws_cost(trace["transitions"], spans)
    title = f"Run {escape_html_line(trace['run_id'])}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
        + "".join(f"<p>{line}</p>" for line in _iter_summary(trace, cost))
        + "<table><tr><th>span</th><th>ms</th><th></th><th>details</th></tr>"
        + "".join(_iter_rows(spans))
        + "</table></body></html>\n"
    )


def _iter_aws(trace: Json, cost: AwsCost) -> Iterator[str]:
    yield (
        f"AWS itself: about {escape_html_line(show(cost.total))} "
        f"({trace['transitions']} transitions {escape_html_line(show(cost.transitions))}, "
        f"functions {escape_html_line(show(cost.functions))}, "
        f"DynamoDB (estimated) {escape_html_line(show(cost.dynamodb))})"
    )
    yield escape_html_line(f"DynamoDB: {describe_dynamodb(cost)}; not counted: {NOT_COUNTED}")


def _iter_summary(trace: Json, cost: AwsCost) -> Iterator[str]:
    spans: Sequence[Json] = trace["spans"]
    models = [span for span in spans if span["kind"] == "model"]
    spent = sum(int(span["attributes"].get("cost_nanousd", 0)) for span in models)
    tokens = sum(int(span["attributes"].get("tokens", 0)) for span in models)
    whole = max((span["duration_ms"] for span in spans), default=0)
    yield f"{escape_html_line(str(trace['status']))} in {whole:,} ms"
    used = f"{format_count(len(models), 'attempt')}, {format_count(tokens, 'token')}"
    yield f"models: {used}, {escape_html_line(show(spent))}"
    if trace["source"] != "records":
        yield from _iter_aws(trace, cost)
    waits = sum(span["duration_ms"] for span in spans if _is_wait(span))
    if waits:
        yield f"waited for humans: {waits:,} ms"
    retried = sum(1 for span in spans if span["kind"] == "function" and _has_failed(span))
    if retried:
        yield f"tries of functions that failed: {retried}"
    cold = [span["attributes"]["cold_start_ms"] for span in spans if "cold_start_ms" in span["attributes"]]
    if cold:
        yield f"cold starts: {format_count(len(cold), 'function')}, {sum(cold):,} ms until their processes were ready"
    if trace["source"] == "records":
        yield "no history of the execution (Express, or not started): from our own records"


def _iter_rows(spans: Sequence[Json]) -> Iterator[str]:
    if not spans:
        return
    first = min(datetime.fromisoformat(span["start"]) for span in spans)
    last = max(datetime.fromisoformat(span["end"]) for span in spans)
    whole = max((last - first).total_seconds(), 0.001)
    for span in spans:
        left = (datetime.fromisoformat(span["start"]) - first).total_seconds() / whole * 100
        width = min(span["duration_ms"] / 10 / whole, 100 - left)
        colour = _COLOURS["wait"] if _is_wait(span) else _COLOURS.get(span["kind"], "#64748b")
        details = " ".join(f"{key}={_format(key, value)}" for key, value in span["attributes"].items())
        failed = ' class="f"' if _has_failed(span) else ""
        indent = 8 + 16 * int(span["depth"])
        yield (
            f'<tr{failed}><td style="padding-left:{indent}px">{escape_html_line(span["name"])}</td>'
            f'<td class="n">{span["duration_ms"]:,}</td><td class="b"><div class="t">'
            f'<i style="left:{left:.2f}%;width:{width:.2f}%;background:{colour}"></i></div></td>'
            f'<td class="d">{escape_html_line(details)}</td></tr>'
        )


def _format(key: str, value: Any) -> str:
    return show(value) if key == "cost_nanousd" and isinstance(value, int) else str(value)


def _is_wait(span: Json) -> bool:
    return span["kind"] == "state" and str(span["name"]).startswith(_WAITING)


def _has_failed(span: Json) -> bool:
    given = span["attributes"]
    return str(given.get("outcome", "ok")) != "ok" or str(given.get("status", "")) in {"failed", "error", "cut_off"}
