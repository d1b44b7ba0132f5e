"""What an EventBridge target receives: the event, a part of it, a constant, or a transformed template.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
import re
from typing import Any

from twin.deploy.deployment import RuleTarget

JsonObject = dict[str, Any]

_STEP = re.compile(r"\.([A-Za-z0-9_\-]+)|\[(\d+)\]|\[['\"]([^'\"]+)['\"]\]")
_PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_MISSING = object()


def dump_json(value: Any) -> str:
    """Return JSON as EventBridge writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def build_input(target: RuleTarget, event: JsonObject, rule_arn: str) -> str:
    """Return the text that `target` receives for `event`."""
    if target.input is not None:
        return target.input
    if target.input_path is not None:
        found = select(event, target.input_path)
        return dump_json(None if found is _MISSING else found)
    if target.input_template is not None:
        return _transform(target, event, rule_arn)
    return dump_json(event)


def select(event: Any, path: str) -> Any:
    """Return what a JSON path (`$.detail.items[0].name`) finds, or a marker of absence.

    Raises:
        ValueError: the path is not of this form.
    """
    if not path.startswith("$"):
        raise ValueError(f"{path!r} is not a JSON path")
    position = 1
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise ValueError(f"{path!r} is not a JSON path")
        position = step.end()
        event = _follow_step(event, step)
        if event is _MISSING:
            return _MISSING
    return event


def _follow_step(value: Any, step: re.Match[str]) -> Any:
    name = step.group(1) or step.group(3)
    if name is not None:
        return value.get(name, _MISSING) if isinstance(value, dict) else _MISSING
    index = int(step.group(2))
    return value[index] if isinstance(value, list) and index < len(value) else _MISSING


def _transform(target: RuleTarget, event: JsonObject, rule_arn: str) -> str:
    template = target.input_template or ""
    values = {name: select(event, path) for name, path in (target.input_paths or {}).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rsplit("/", 1)[-1],
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": event,
        "aws.events.event.ingestion-time": event["time"],
    }
    pieces: list[str] = []
    position, quoted = 0, False
    for match in _PLACEHOLDER.finditer(template):
        before = template[position : match.start()]
        quoted ^= _count_quotes(before) % 2 == 1
        pieces.append(before)
        name = match.group(1)
        pieces.append(_render(values[name], quoted) if name in values else match.group(0))
        position = match.end()
    return "".join(pieces) + template[position:]


def _count_quotes(text: str) -> int:
    return len(re.findall(r'(?<!\\)"', text))


def _render(value: Any, quoted: bool) -> str:
    """Inside a JSON string a value is bare text; elsewhere it is JSON. An absent one is empty, or null."""
    if not quoted:
        return dump_json(None if value is _MISSING else value)
    if value is _MISSING:
        return ""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)[1:-1]
    return json.dumps(dump_json(value), ensure_ascii=False)[1:-1]
