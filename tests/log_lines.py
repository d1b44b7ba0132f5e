"""Every line that functions have logged on the twins of a test session, held against the schemas of logs and spans.

Each twin leaves a file of its functions' lines. After the tests each line is checked, and the summary says how many are
not as the schema says; ``python -m tests.log_lines`` (`make check-logs`) fails then. What a tool prints is its own.
"""

import json
import shutil
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pentad.observability.logs.schema import find_line_faults
from pentad.observability.spans.conventions import check_span

_ROOT = Path(__file__).resolve().parent.parent
FOLDER = _ROOT / "build" / "log-lines"
_OURS = "/aws/lambda/pentad-"
_TOOLS = "-tool-"
_KEPT_RUNS = 2
_SHOWN = 10


@dataclass
class Checked:
    """What was looked at, and the faults with how often each was found and one line that has it."""

    lines: int = 0
    size: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)


def check_folder(folder: Path) -> Checked:
    """Check the lines of all twins of a session, and remove those of older sessions."""
    checked = Checked()
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            for row in file:
                group, text = json.loads(row)
                if group.startswith(_OURS):
                    _check_line(checked, group, text)
    runs = sorted(FOLDER.glob("*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in runs[_KEPT_RUNS:]:
        shutil.rmtree(old, ignore_errors=True)
    return checked


def _check_line(checked: Checked, group: str, text: str) -> None:
    checked.lines += 1
    checked.size += len(text.encode(errors="surrogatepass"))
    if _TOOLS in group and not text.startswith("{"):
        return
    for fault in (*find_line_faults(text), *find_span_faults(text)):
        where = f"{group.removeprefix(_OURS)}: {fault}"
        checked.faults[where] += 1
        checked.examples.setdefault(where, text)


def find_span_faults(text: str) -> list[str]:
    """Return what of a line's span is not as OpenTelemetry's conventions have it; nothing of a line without one."""
    try:
        record = json.loads(text)
    except ValueError:
        return []
    span = record.get("span") if isinstance(record, dict) else None
    if not isinstance(span, dict):
        return []
    attributes = {name: tuple(one) if isinstance(one, list) else one for name, one in span["attributes"].items()}
    faults = []
    # Conditionally required: "if the operation ended in an error".
    if (span["status"] == "ERROR") != ("error.type" in attributes):
        faults.append(f"the span '{span['name']}' is {span['status']}, with the error {attributes.get('error.type')}")
    try:
        check_span(span["name"], span["kind"], attributes)
    except ValueError as error:
        faults.append(str(error))
    return faults


def summarize(checked: Checked) -> str:
    """Return the report."""
    said = f"logs: {checked.lines:,} lines, {checked.size / 1e6:.1f} MB, {sum(checked.faults.values())} faults"
    shown = [
        f"    {count}x {fault}\n        {checked.examples[fault][:500]!r}"
        for fault, count in checked.faults.most_common(_SHOWN)
    ]
    return "\n".join([said, *shown])


if __name__ == "__main__":
    newest = max(FOLDER.glob("*"), key=lambda path: path.stat().st_mtime, default=FOLDER)
    found = check_folder(newest)
    if not found.lines:
        sys.exit("no twin has left its log lines: run the tests first (make test)")
    sys.stdout.write(f"{summarize(found)}\n")
    sys.exit(1 if found.faults else 0)
