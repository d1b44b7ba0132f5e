"""The twin's embedding model in this process, with its vectors kept on disk by text."""

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pentad.domain.models import CallContext, EmbedReply
from pentad.domain.usage import Usage
from twin.embeddings import DIMENSION, MODEL_ID, MiniLM

_BATCH = 64


class KeptEmbedder:
    """Embeds each text once; what it did in other runs is read from a file.

    Args:
        path: the file.
        tell: is told how many texts are left, now and then.
    """

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, timeout=60)
        self._database.execute("CREATE TABLE IF NOT EXISTS vectors (name TEXT PRIMARY KEY, numbers BLOB NOT NULL)")
        self._model = MiniLM()
        self._tell = tell

    def embed(
        self, texts: Sequence[str], context: CallContext, *, deadline: float, dimensions: int | None = None
    ) -> EmbedReply:
        """Return a vector for each text."""
        wanted = {_hash(text): text for text in texts}
        known = self._read(list(wanted))
        missing = [name for name in wanted if name not in known]
        for start in range(0, len(missing), _BATCH):
            names = missing[start : start + _BATCH]
            made = self._model.embed([wanted[name] for name in names])
            rows = [(name, row.astype("<f4").tobytes()) for name, row in zip(names, made, strict=True)]
            with self._database:
                self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
            known |= dict(zip(names, (tuple(map(float, row)) for row in made), strict=True))
            self._tell(f"embedding: {len(missing) - start:,} texts left")
        return EmbedReply(
            vectors=tuple(known[_hash(text)] for text in texts),
            provider="twin",
            model=MODEL_ID,
            dimensions=DIMENSION,
            usage=Usage(),
            cost_nanousd=0,
        )

    def _read(self, names: Sequence[str]) -> dict[str, tuple[float, ...]]:
        found: dict[str, tuple[float, ...]] = {}
        for start in range(0, len(names), 500):
            part = names[start : start + 500]
            marks = ",".join("?" * len(part))
            rows = self._database.execute(f"SELECT name, numbers FROM vectors WHERE name IN ({marks})", part)  # noqa: S608
            found |= {name: tuple(map(float, np.frombuffer(blob, "<f4", DIMENSION))) for name, blob in rows}
        return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
