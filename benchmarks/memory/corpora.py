"""Read the collections: documents as a user would upload them, and questions with the documents that answer them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Question:
    """A question and the names of the documents that answer it."""

    question_id: str
    text: str
    relevant: frozenset[str]


@dataclass(frozen=True)
class Corpus:
    """Documents by name, as Markdown, and questions about them."""

    name: str
    documents: dict[str, str]
    questions: tuple[Question, ...]

    def halve(self) -> tuple[tuple[Question, ...], tuple[Question, ...]]:
        """Return the half of the questions that weights may be fitted on, and the one that is reported."""
        return self.questions[::2], self.questions[1::2]


def read_collection(path: Path, name: str) -> Corpus:
    """Return a collection of abstracts: SciFact or Cranfield."""
    data = json.loads(path.read_text(encoding="utf-8"))
    documents = {one["id"]: _write_markdown(one) for one in data["docs"] if one["text"].strip()}
    questions = [
        Question(one["id"], one["text"], frozenset(one["relevant"]) & documents.keys()) for one in data["queries"]
    ]
    return Corpus(name, documents, tuple(one for one in questions if one.relevant))


def read_bank(path: Path, requests: Path) -> Corpus:
    """Return a bank's help desk, with the project's own requests to it."""
    documents = {one["id"]: _write_markdown(one) for one in json.loads(path.read_text(encoding="utf-8"))}
    asked: list[dict[str, Any]] = json.loads(requests.read_text(encoding="utf-8"))
    questions = [
        Question(f"r{number}", one["text"], frozenset(one["needs"]) & documents.keys())
        for number, one in enumerate(asked)
    ]
    return Corpus("bank", documents, tuple(one for one in questions if one.relevant))


def _write_markdown(one: dict[str, Any]) -> str:
    title = " ".join(one["title"].split())
    return f"# {title}\n\n{one['text']}" if title else one["text"]


READERS: dict[str, tuple[str, Callable[[Path], Corpus]]] = {
    "scifact": ("scifact_train.json", lambda path: read_collection(path, "scifact")),
    "cranfield": ("cranfield.json", lambda path: read_collection(path, "cranfield")),
    "bank": ("bank_documents.json", lambda path: read_bank(path, Path(__file__).with_name("bank_requests.json"))),
}
