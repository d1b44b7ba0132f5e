"""What Pentad tells the twin: which secrets to fill with what, and how large the vectors of its index are."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pentad.domain.errors import ConfigurationError
from pentad.domain.reading.json_text import read_json
from pentad.tools.outside.places import name_tool_secret

if TYPE_CHECKING:
    from twin.deploy.assembly import Assembly
    from twin.running.options import TwinOptions

PREFIX = "pentad-dev"
"""Of the stage that a twin runs."""
SECRETS_FILE = "secrets.local.json"
"""At the project's root, and in no repository: texts of tools' secrets for the twin."""
CONCURRENCY = 1_000
"""Of an account on AWS, unless more was asked for; a new account has 10."""
_MODELS = Path("python", "pentad_catalog", "models.yaml")

#: What functions import, the tools' before all, wherever they run: nothing of it reads the environment.
MODULES = ("pentad.runtime.tool_entrypoint", "pentad.runtime.wiring.trigger", "pentad.runtime.wiring.recall")

#: What the providers' secrets hold while the twin's stand-ins answer for them.
STAND_INS: Mapping[str, Mapping[str, str]] = {
    "anthropic": {"api_key": "local", "base_url": "{models_url}"},
    "openai": {"api_key": "local", "base_url": "{models_url}/v1"},
    "pinecone": {"api_key": "local", "index_host": "{vectors_url}", "index_kind": "documents"},
}


def make_options(
    *,
    provider_keys: Mapping[str, str] | None = None,
    tool_secrets: Mapping[str, str] | None = None,
    api_port: int = 0,
    region: str = "us-east-1",
    hosts: tuple[str, ...] = (),
    concurrency: int = CONCURRENCY,
    processes: int | None = None,
    keep: bool = False,
) -> "TwinOptions":
    """Return the options of a twin that runs Pentad.

    Args:
        provider_keys: real keys by provider; those providers are called for real, stand-ins answer for the others.
        tool_secrets: texts of tools' secrets, by the names that tools declare, or by their full names.
        api_port: port of the API; 0 lets the system choose.
        region: the AWS region that the twin plays.
        hosts: names of this machine, beside ``localhost``, under which the twin may be reached.
        concurrency: calls of functions at once, those that wait for a process included; calls beyond it are throttled.
        processes: processes of functions at once; None: 16 a core or one for each function, as fit into the memory.
        keep: begin with the data that the twin before kept in its folder, and keep them for the next one.
    """
    from pentad.memory.retrieval.adapters.pinecone_documents import VALUES_FIELD, WORDS_FIELD
    from twin.running.options import TwinOptions
    from twin.vectors.schema import Schema

    given = tool_secrets or {}
    declared = {name_tool_secret(PREFIX, name): text for name, text in given.items() if "/" not in name}
    real = {name: {"api_key": key} for name, key in (provider_keys or {}).items() if key}
    return TwinOptions(
        region=region,
        api_port=api_port,
        secrets={**STAND_INS, **real, **declared},
        more_secrets={name: text for name, text in given.items() if "/" in name},
        vector_dimension=read_dimension,
        vector_schema=Schema(VALUES_FIELD, (WORDS_FIELD,)),
        hosts=hosts,
        concurrency=concurrency,
        processes=processes,
        modules=MODULES,
        keep=keep,
    )


def read_dimension(assembly: "Assembly") -> int:
    """Return the size of the vectors that the model catalog in the assembly asks for.

    Raises:
        AssemblyError: the catalog's embedding model has no dimensions.
    """
    from pentad.models.catalog.catalog import load
    from twin.deploy.assembly import AssemblyError

    dimensions = load(overlay=read_overlay(assembly)).route(task="embed").dimensions
    if dimensions is None:
        raise AssemblyError("the model of the task 'embed' has no dimensions in the catalog: add them to models.yaml")
    return dimensions


def read_overlay(assembly: "Assembly") -> str | None:
    """Return the project's own models.yaml as it was synthesized, or None where it has none."""
    assets = [asset.path for stack in assembly.stacks for asset in stack.assets.values()]
    overlays = [path for asset in assets if (path := asset / _MODELS).is_file()]
    return overlays[0].read_text(encoding="utf-8") if overlays else None


def read_tool_secrets(root: Path) -> dict[str, str]:
    """Return the texts of tools' secrets that a project has for its twin: none where it has no such file.

    Args:
        root: the project's folder.

    Raises:
        ConfigurationError: the file can't be read. Nothing of its values is told.
    """
    path = root / SECRETS_FILE
    if not path.is_file():
        return {}
    try:
        found = read_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None  # the error is not chained: it may hold the text
    if not isinstance(found, dict):
        raise ConfigurationError(
            f"{SECRETS_FILE} must be a JSON object", fix='write {"smtp": {"user": "...", "password": "..."}}'
        )
    for name, value in found.items():
        if not isinstance(value, str | dict) or not value:
            raise ConfigurationError(
                f"the value of '{name}' in {SECRETS_FILE} must be a text or an object", field=name, fix="correct it"
            )
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in found.items()}
