"""Read the benchmark's multi-turn entries: what users ask, and the calls that are right, turn by turn."""

import ast
import inspect
import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from typing import Any

from bfcl_eval.constants.executable_backend_config import CLASS_FILE_PATH_MAPPING, MULTI_TURN_FUNC_DOC_FILE_MAPPING

Json = dict[str, Any]
CATEGORIES = ("base", "long_context", "miss_func", "miss_param")


@dataclass(frozen=True)
class Turn:
    """One thing a user asks, and the calls that are right, as the benchmark writes them: Python."""

    question: str
    calls: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One conversation.

    Attributes:
        name: the benchmark's id.
        turns: what is asked, with the calls that are right.
        classes: the backends that it takes.
        config: what each of them holds before.
        long: the backends are filled with much that the conversation does not need.
    """

    name: str
    turns: tuple[Turn, ...]
    classes: tuple[str, ...]
    config: Json
    long: bool

    @property
    def calls(self) -> list[str]:
        """All calls in order."""
        return [call for turn in self.turns for call in turn.calls]


@dataclass(frozen=True)
class Function:
    """A function of a backend, as the benchmark documents it to models."""

    class_name: str
    method: str
    description: str
    parameters: Json

    @property
    def module(self) -> str:
        """The module of its class."""
        return str(CLASS_FILE_PATH_MAPPING[self.class_name]).rpartition(".")[2]

    @property
    def tool(self) -> str:
        """Its name as a tool: ours are lower case with underscores."""
        return "".join(f"_{one.lower()}" if one.isupper() else one for one in self.method)

    @property
    def order(self) -> list[str]:
        """The names of its parameters, in order."""
        return [name for name in inspect.signature(_method(self)).parameters if name != "self"]


def entries(category: str) -> list[Entry]:
    """Return the entries of a category of `CATEGORIES`."""
    name = f"BFCL_v4_multi_turn_{category}.json"
    right = {one["id"]: one["ground_truth"] for one in _lines(f"possible_answer/{name}")}
    return [_entry(raw, right[raw["id"]], category == "long_context") for raw in _lines(name)]


def functions() -> dict[str, Function]:
    """Return all functions of the multi-turn backends by the name of their method; no two share one."""
    found: dict[str, Function] = {}
    for class_name in sorted({name for entry in entries("base") for name in entry.classes}):
        for doc in _lines(f"multi_turn_func_doc/{MULTI_TURN_FUNC_DOC_FILE_MAPPING[class_name]}"):
            assert doc["name"] not in found
            found[doc["name"]] = Function(class_name, doc["name"], doc["description"], doc["parameters"])
    return found


def called(entry: Entry) -> set[str]:
    """Return the methods that an entry calls."""
    return {parsed(call)[0] for call in entry.calls}


def parsed(call: str) -> tuple[str, list[Any], Json]:
    """Return method, positional and named arguments of a call that is written as Python."""
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    named = {str(one.arg): ast.literal_eval(one.value) for one in node.keywords}
    return node.func.id, [ast.literal_eval(one) for one in node.args], named


def arguments(function: Function, given: Iterable[Any], named: Json) -> Json:
    """Return all arguments of a call by name."""
    return dict(zip(function.order, given, strict=False)) | named


def _method(function: Function) -> Any:
    module = import_module(CLASS_FILE_PATH_MAPPING[function.class_name])
    return getattr(getattr(module, function.class_name), function.method)


def _entry(raw: Json, right: list[list[str]], long: bool) -> Entry:
    asked = ["\n\n".join(message["content"] for message in messages) for messages in raw["question"]]
    turns = tuple(Turn(question, tuple(calls)) for question, calls in zip(asked, right, strict=True))
    return Entry(raw["id"], turns, tuple(raw["involved_classes"]), raw["initial_config"], long)


def _lines(name: str) -> list[Json]:
    text = (files("bfcl_eval") / "data" / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
