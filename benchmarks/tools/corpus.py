"""Tools of a public benchmark (BFCL v4) and requests of which it says which tool is right."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pentad.domain.declarations.agents import ToolSpec

FILES = ("live_multiple", "live_simple", "simple_python", "multiple")
"""With requests of real users (live), and such as the benchmark's authors wrote."""
_LONGEST_NAME = 40
_PER_TOOL = 3
"""Requests of one tool: some have fifty, and would be all of the figure."""


@dataclass(frozen=True)
class Request:
    """What a user wants, in the user's words, and the name of the tool that does it."""

    words: str
    tool: str


@dataclass(frozen=True)
class Corpus:
    """Tools, and requests for each of them."""

    tools: tuple[ToolSpec, ...]
    requests: tuple[Request, ...]


def load_corpus(count: int, *, skip: int = 0) -> Corpus:
    """Return so many tools that are right for some request, in an order that has nothing to do with what they do.

    Args:
        count: of tools.
        skip: so many of that order are left out, for a set that shares no tool with another.
    """
    functions: dict[str, dict[str, Any]] = {}
    asked: dict[str, list[str]] = {}
    for name in FILES:
        answers = {row["id"]: row["ground_truth"] for row in _iter_rows(f"possible_answer/BFCL_v4_{name}.json")}
        for row in _iter_rows(f"BFCL_v4_{name}.json"):
            right = answers[row["id"]]
            words = [said["content"] for said in row["question"][0] if said["role"] == "user"]
            functions |= {make_name(one["name"]): one for one in row["function"] if make_name(one["name"])}
            if len(right) == 1 and words:
                asked.setdefault(make_name(next(iter(right[0]))), []).append(words[-1])
    order = sorted(asked.keys() & functions.keys(), key=lambda one: hashlib.sha256(one.encode()).hexdigest())
    chosen = order[skip : skip + count]
    return Corpus(
        tuple(_make_tool(name, functions[name]) for name in chosen),
        tuple(Request(words, name) for name in chosen for words in asked[name][:_PER_TOOL]),
    )


def make_name(given: str) -> str:
    """Return a function's name as ours are: lower case with underscores, the end of one that is too long."""
    name = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", given).lower())
    return re.sub(r"^[^a-z]+", "", name[-_LONGEST_NAME:]).strip("_")


def _make_tool(name: str, function: dict[str, Any]) -> ToolSpec:
    return ToolSpec(
        name=name,
        description=function.get("description") or name,
        input_schema={**function["parameters"], "type": "object"},
        effects="none",
    )


def _iter_rows(path: str) -> Iterator[dict[str, Any]]:
    text = files("bfcl_eval").joinpath("data", path).read_text(encoding="utf-8")
    yield from (json.loads(line) for line in text.splitlines() if line.strip())
