"""The fields of a distributed Map state, taken out of a definition before moto's parser sees it.

Moto's parser refuses ``ItemBatcher``, reads no JSON Lines, and runs no child executions. So a distributed Map keeps
for the parser what every Map has; the rest stands here, and `twin.machine.distributed.state` runs it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from moto.stepfunctions.parser.asl.component.component import Component
from moto.stepfunctions.parser.asl.component.state.exec.state_map.state_map import StateMap

from twin.machine.distributed.templates import FieldTemplate

MODE: Final = "DISTRIBUTED"
_MARK: Final = "distributed Map "
"""Stands in the comment of such a state while it is parsed, with its number."""
_TOLERANCES: Final = (
    *("ToleratedFailureCount", "ToleratedFailureCountPath"),
    *("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
)
_TAKEN: Final = ("ItemReader", "ItemBatcher", "ItemSelector", "Parameters", "ResultWriter", *_TOLERANCES)

Json = dict[str, Any]


@dataclass(frozen=True)
class MapFields:
    """What a distributed Map state has beside what every Map has.

    Attributes:
        reader: the action of S3 that gives the items; None where the state's input has them.
        reading: ``Arguments`` and ``ReaderConfig`` of the reader.
        batching: limits and common input of batches; None where each item has an execution of its own.
        selecting: ``ItemSelector``; None where an execution gets the item itself.
        writing: ``Arguments`` and ``WriterConfig``; None where the results are the state's output.
        writes_objects: whether results go to S3.
        tolerating: how many failures, or which share, are tolerated; None where the state says nothing of it.
        child: the definition of child executions.
        child_type: STANDARD or EXPRESS.
    """

    reader: str | None
    reading: FieldTemplate | None
    batching: FieldTemplate | None
    selecting: FieldTemplate | None
    writing: FieldTemplate | None
    writes_objects: bool
    tolerating: FieldTemplate | None
    child: str
    child_type: str


def is_distributed(state: Json) -> bool:
    """Tell whether a state of a definition is a distributed Map."""
    return state.get("Type") == "Map" and find_processor(state).get("ProcessorConfig", {}).get("Mode") == MODE


def find_processor(state: Json) -> Json:
    """Return what a Map state runs for its items, under its name of today or its former one."""
    for field in ("ItemProcessor", "Iterator"):
        if isinstance(state.get(field), dict):
            found: Json = state[field]
            return found
    return {}


def take_fields(definition: str) -> tuple[str, list[MapFields]]:
    """Return a definition as moto's parser takes it, and the fields of its distributed Maps.

    Raises:
        Exception: the parser refuses an expression in a field, with any type of error.
    """
    if MODE not in definition:
        return definition, []
    try:
        body = json.loads(definition)
    except (ValueError, RecursionError):
        return definition, []  # the parser says what is wrong
    taken: list[MapFields] = []
    stripped = _strip(body, str(body.get("QueryLanguage", "JSONPath")), taken)
    return (json.dumps(stripped), taken) if taken else (definition, [])


def attach_fields(program: Any, taken: list[MapFields]) -> None:
    """Give each distributed Map of a parsed program its fields, as the attribute ``distributed``."""
    for component in _iter_components(program) if taken else ():
        text = getattr(getattr(component, "comment", None), "comment", "")
        if isinstance(component, StateMap) and str(text).startswith(_MARK):
            vars(component)["distributed"] = taken[int(text.removeprefix(_MARK))]


def _strip(body: Json, language: str, taken: list[MapFields]) -> Json:
    """Return a definition, or a branch of one, without the fields of its distributed Maps."""
    states = {name: _strip_state(state, language, taken) for name, state in body.get("States", {}).items()}
    return {**body, "States": states} if "States" in body else body


def _strip_state(state: Json, language: str, taken: list[MapFields]) -> Json:
    found = dict(state)
    if "Branches" in state:
        found["Branches"] = [_strip(branch, language, taken) for branch in state["Branches"]]
    for field in ("ItemProcessor", "Iterator"):
        if field not in state:
            continue
        # What a distributed Map runs is a definition of its own, and its inner Maps are taken when that is parsed.
        found[field] = _strip(state[field], language, [] if is_distributed(state) else taken)
        if is_distributed(state):  # moto's parser knows no Express children
            config = {**state[field]["ProcessorConfig"], "ExecutionType": "STANDARD"}
            found[field] = {**found[field], "ProcessorConfig": config}
    if is_distributed(state):
        taken.append(_build_fields(state, language))
        found = {key: value for key, value in found.items() if key not in _TAKEN}
        found["Comment"] = f"{_MARK}{len(taken) - 1}"
    return found


def _build_fields(state: Json, machine_language: str) -> MapFields:
    language = str(state.get("QueryLanguage", machine_language))
    reader, writer = state.get("ItemReader"), state.get("ResultWriter")
    selector = state.get("ItemSelector", state.get("Parameters"))
    tolerances: Json = {key: state[key] for key in _TOLERANCES if key in state}
    processor = find_processor(state)
    child = {key: value for key, value in processor.items() if key != "ProcessorConfig"}
    return MapFields(
        reader=None if reader is None else str(reader["Resource"]).rsplit(":", 1)[-1],
        reading=None if reader is None else FieldTemplate(language, _pick_arguments(reader, "ReaderConfig")),
        batching=FieldTemplate(language, state["ItemBatcher"]) if "ItemBatcher" in state else None,
        selecting=None if selector is None else FieldTemplate(language, {"ItemSelector": selector}),
        writing=None if writer is None else FieldTemplate(language, _pick_arguments(writer, "WriterConfig")),
        writes_objects=writer is not None and "Resource" in writer,
        tolerating=FieldTemplate(language, tolerances) if tolerances else None,
        child=json.dumps({"QueryLanguage": machine_language, **child}),
        child_type=str(processor["ProcessorConfig"].get("ExecutionType", "STANDARD")),
    )


def _pick_arguments(value: Json, config: str) -> Json:
    return {"Arguments": value.get("Arguments", value.get("Parameters", {})), config: value.get(config, {})}


def _iter_components(component: Any) -> Iterator[Any]:
    yield component
    for value in list(vars(component).values()):
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
        for item in items:
            if isinstance(item, Component):
                yield from _iter_components(item)
