"""What AWS answered, and how it is compared with what the twin answers.

Compared: the order of the events, their ids and previous ids, their types and all of their details; with them status,
error, cause and output. Normalised, and nothing else:

* names, ids, ARNs and times that the recording replaced by a placeholder match any text; a numbered placeholder must
  stand for one and the same text throughout a history;
* a text of the twin is read as JSON where the recording holds something else than a text in its place, once for each
  level at which it does: the recording has parsed those texts, and left all others as AWS wrote them;
* a text that is a function's error, on both sides, is compared as JSON: its stack trace is another;
* HTTP headers of a service's response and the lines of a stack trace are not compared: another server, another file.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import json5

_ROOT = Path(os.environ.get("PENTAD_SHARED_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
RECORDINGS = _ROOT / "recorded-on-aws"
_NUMBERED = r"<<?[A-Za-z0-9_-]+>?:\d+>"
_ANONYMOUS = (
    r"<partition>|<region>|<[A-Za-z_-]*lambda[A-Za-z_-]*>|<[A-Za-z_]*ArnPart[A-Za-z_0-9]*>|<MapRunArnPart\d_0idx>"
    r"|<sqs_queue_url>|sqs_queue_url|snf_role_arn|111111111111|\blambda_function_name\b|\bstart-date\b|\bstop-date\b"
    r'|^"?date"?$'
    r"|\ba_task_token\b|\ba_message_id\b|^RequestId$|^x-amzn-RequestId$|^X-Amzn-Trace-Id$|\bbucket-name\b"
)
_PLACEHOLDER = re.compile(f"({_NUMBERED})|({_ANONYMOUS})")
_IGNORED = frozenset({"AllHttpHeaders", "HttpHeaders", "stackTrace"})


def available() -> bool:
    """Whether the recordings are there."""
    return RECORDINGS.is_dir()


def case_ids() -> list[str]:
    """Return `file::test` of everything that was recorded."""
    found = []
    for path in sorted((RECORDINGS / "snapshots").glob("*.snapshot.json")):
        for key in json.loads(path.read_text()):
            found.append(f"{path.name.removesuffix('.snapshot.json')}::{key.split('::', 1)[1].split('::')[-1]}")
    return found


def content(case_id: str) -> dict[str, Any]:
    """Return what was recorded for a case."""
    name, test = case_id.split("::")
    snapshots = json.loads((RECORDINGS / "snapshots" / f"{name}.snapshot.json").read_text())
    found: dict[str, Any] = next(v for k, v in snapshots.items() if k.split("::")[-1] == test)["recorded-content"]
    return found


def template(path: str) -> dict[str, Any]:
    """Return a definition."""
    loaded: dict[str, Any] = json5.loads((RECORDINGS / "templates" / f"{path}.json5").read_text())
    return loaded


class Comparison:
    """Collects the differences between one recorded history and one of the twin."""

    def __init__(self) -> None:
        self.differences: list[str] = []
        self._bound: dict[str, str] = {}

    def _text(self, recorded: str, found: Any, where: str) -> None:
        parts, names, position = [], [], 0
        for match in _PLACEHOLDER.finditer(recorded):
            parts += [re.escape(recorded[position : match.start()]), "(.+?)"]
            names.append(match.group(1))
            position = match.end()
        parts.append(re.escape(recorded[position:]))
        is_name = [recorded] == [match.group() for match in _PLACEHOLDER.finditer(recorded)]  # a date is a number
        text = str(found) if is_name or isinstance(found, str) else None
        matched = re.fullmatch("".join(parts), text, re.DOTALL) if text is not None else None
        if matched is None:
            self.differences.append(f"{where}: recorded {recorded!r}, found {found!r}")
            return
        for name, value in zip(names, matched.groups(), strict=True):
            if name is not None and self._bound.setdefault(name, value) != value:
                self.differences.append(f"{where}: {name} is {value!r}, but was {self._bound[name]!r}")

    def value(self, recorded: Any, found: Any, where: str) -> None:
        """Compare two values."""
        if isinstance(found, str) and not isinstance(recorded, str):
            found = _read(found)
        elif _is_function_error(recorded) and _is_function_error(found):
            recorded, found = json.loads(recorded), json.loads(found)
        if isinstance(recorded, str):
            self._text(recorded, found, where)
        elif isinstance(recorded, dict) and isinstance(found, dict):
            for key in sorted((recorded.keys() | found.keys()) - _IGNORED):
                if key not in recorded or key not in found:
                    side = "the recording" if key not in found else "the twin"
                    self.differences.append(f"{where}.{key}: only in {side}: {(recorded | found)[key]!r}")
                else:
                    self.value(recorded[key], found[key], f"{where}.{key}")
        elif isinstance(recorded, list) and isinstance(found, list) and len(recorded) == len(found):
            for index, (left, right) in enumerate(zip(recorded, found, strict=True)):
                self.value(left, right, f"{where}[{index}]")
        elif type(recorded) is not type(found) or recorded != found:
            self.differences.append(f"{where}: recorded {recorded!r}, found {found!r}")


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != "timestamp"}


def _is_function_error(text: Any) -> bool:
    read = _read(text) if isinstance(text, str) else None
    return isinstance(read, dict) and {"errorMessage", "errorType"} <= read.keys()


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def compare(recorded: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    """Return the differences between two histories."""
    comparison = Comparison()
    left, right = [e["type"] for e in recorded], [e["type"] for e in found]
    if left != right:
        comparison.differences.append(f"order of events:\n  recorded {left}\n  found    {right}")
    for one, other in zip(recorded, found, strict=False):
        comparison.value(_plain(one), _plain(other), f"#{one['id']} {one['type']}")
    return comparison.differences
