"""Values of a definition in which expressions stand, evaluated by moto's components for them."""

import json
from typing import Any, Final

from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.component.component import Component
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

_STATE: Final = "State"


class FieldTemplate:
    """A value with expressions.

    Args:
        language: JSONPath or JSONata.
        fields: values by the names of their fields. In JSONPath, ``NamePath`` gives ``Name`` by a path.

    Raises:
        Exception: the parser refuses an expression, with any type of error.
    """

    def __init__(self, language: str, fields: dict[str, Any]) -> None:
        self._component = _parse(language, fields if language == "JSONata" else resolve_paths(fields))

    def evaluate(self, env: Any) -> dict[str, Any]:
        """Return the value for the data and variables of an environment.

        Raises:
            FailureEventException: an expression failed.
        """
        self._component.eval(env=env)
        found: dict[str, Any] = env.stack.pop()
        return found


def resolve_paths(value: dict[str, Any]) -> dict[str, Any]:
    """Return fields with ``NamePath: path`` as ``Name.$: path``, on the first two levels, where such fields stand."""
    found: dict[str, Any] = {}
    for key, item in value.items():
        if key.endswith("Path") and isinstance(item, str):
            found[f"{key.removesuffix('Path')}.$"] = item
        elif key in ("ReaderConfig", "WriterConfig") and isinstance(item, dict):
            found[key] = resolve_paths(item)
        else:
            found[key] = item
    return found


def _parse(language: str, fields: dict[str, Any]) -> Any:
    processor = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
    state = {"Type": "Map", "ItemSelector": fields, "ItemProcessor": processor, "End": True}
    definition = {"QueryLanguage": language, "StartAt": _STATE, "States": {_STATE: state}}
    program: Any = AmazonStateLanguageParser.parse(json.dumps(definition))[0]
    component = program.states.states[_STATE].item_selector
    _mark(component, "")
    return component


def _mark(component: Any, location: str) -> None:
    """Write into every expression the field where it stands, such as `ItemBatcher/BatchInput`."""
    if isinstance(component, StringJSONata):
        vars(component)["location"] = location or None
        return
    name = getattr(component, "identifier", None)
    here = f"{location}/{name}".lstrip("/") if isinstance(name, str) else location
    for value in vars(component).values():
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, Component):
                _mark(child, here)
