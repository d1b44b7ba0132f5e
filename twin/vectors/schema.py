"""The schema of a document index: one dense field, and text fields that are searched for words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Schema:
    """Which fields of a document are searched.

    Attributes:
        dense: the name of the field with the vector.
        texts: the names of the string fields that are searched for words.
    """

    dense: str
    texts: tuple[str, ...] = field(default=())

    def as_json(self, dimension: int, metric: str) -> dict[str, Any]:
        """Return the schema as the control plane describes it."""
        fields: dict[str, Any] = {self.dense: {"type": "dense_vector", "dimension": dimension, "metric": metric}}
        settings = {"language": "en", "stemming": False, "stop_words": False}
        fields |= {name: {"type": "string", "full_text_search": settings, "store_text": True} for name in self.texts}
        return {"fields": fields}

    def split(self, item: Mapping[str, Any]) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """Return a document's vector, its text fields and its metadata."""
        rest = {name: value for name, value in item.items() if name not in (self.dense, "_id")}
        texts = {name: rest.pop(name) for name in self.texts if name in rest}
        return item.get(self.dense), texts, rest
