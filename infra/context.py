"""Read the context of a project's ``cdk.json``, and refuse what nothing reads because it is written wrong."""

import json
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from aws_cdk import App

from pentad.domain.errors import ConfigurationError

NAME = "cdk.json"
_FIX = 'write it as JSON: {"app": ".venv/bin/python -m infra.app", "context": {...}}'
_NEAR = 0.8
"""How like a key of ours another one must be, by difflib's ratio, to be meant as it."""


def read_context(root: Path) -> dict[str, Any]:
    """Return the context of a project's ``cdk.json``.

    Args:
        root: the project's folder.

    Raises:
        ConfigurationError: it is not JSON in UTF-8, has a key twice, or no object ``context``.
    """
    content = (root / NAME).read_bytes()
    try:
        read = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_refuse_duplicates)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{NAME} is not UTF-8", fix="save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"{NAME}:{error.lineno}: not JSON: {error.msg}", fix="correct the JSON") from error
    except RecursionError as error:
        raise ConfigurationError(f"{NAME} nests too deep", fix=_FIX) from error
    if not isinstance(read, dict):
        raise ConfigurationError(f"{NAME} is not an object", fix=_FIX)
    context = read.get("context", {})
    if not isinstance(context, dict):
        raise ConfigurationError(f"{NAME}: context: must be an object", field="context", fix=_FIX)
    return context


def check_keys(app: App, known: Collection[str]) -> None:
    """Check that no key of the context is one of ours with a slip: nothing reads it, and nobody would be told.

    Keys of the CDK's own and of a project's own constructs are no slips.

    Args:
        app: with the context of ``cdk.json`` and of the command line.
        known: our keys.

    Raises:
        ConfigurationError: one is.
    """
    for key in sorted(set(app.node.get_all_context()) - set(known)):
        if near := get_close_matches(key.casefold(), known, n=1, cutoff=_NEAR):
            raise ConfigurationError(
                f"cdk.json or --context: nothing reads '{key}'", field=key, fix=f"do you mean '{near[0]}'?"
            )


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of a file.

    Raises:
        ConfigurationError: a key stands twice: JSON's readers let the last one win.
    """
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ConfigurationError(f"{NAME}: '{key}' is defined twice", field=key, fix="keep one of them")
        found[key] = value
    return found
