"""Which deployment a command talks to: the twin of this folder, or the one named by options or environment."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pentad.cli.client import ApiClient
from pentad.cli.console import EXIT_UNAVAILABLE, EXIT_USAGE, CommandError
from pentad.cli.synth import find_project_root
from pentad.domain.reading.json_text import read_json

STATE_FOLDER = ".pentad"
TWIN_FILE = "twin.json"
KEY_FILE = "key"
STATE_VARIABLE = "PENTAD_STATE"
"""Names the folder of the twin's files, for all commands: that of `pentad up --state`."""
LOCAL_TENANT = "local"
LOCAL_OPERATOR = "local"
"""The owner of keys made on a twin, where nobody signs in."""


@dataclass
class ApiTarget:
    """What the options say of the deployment; filled by the command's callback."""

    url: str | None = None
    key: str | None = None


TARGET = ApiTarget()


def state_folder() -> Path:
    """Return the folder of the twin's files: the one that the environment names, or the project's own."""
    named = os.environ.get(STATE_VARIABLE)
    return Path(named).expanduser() if named else find_project_root() / STATE_FOLDER


def read_twin_facts(folder: Path | None = None) -> dict[str, Any]:
    """Return what a running twin wrote about itself.

    Raises:
        CommandError: no twin runs here.
    """
    folder = folder or state_folder()
    path = folder / TWIN_FILE
    try:
        facts: dict[str, Any] = read_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        told = f"no twin is running in {folder}; start one with `pentad up`, or name its folder in {STATE_VARIABLE}"
        raise CommandError(told, code=EXIT_UNAVAILABLE) from error
    return facts


def create_api_client() -> ApiClient:
    """Return a client of the deployment that the options, the environment or the running twin name.

    Raises:
        CommandError: there is none, or no key for it.
    """
    url = TARGET.url or os.environ.get("PENTAD_URL")
    key = TARGET.key or os.environ.get("PENTAD_KEY")
    if url is None:
        url = str(read_twin_facts()["api_url"])
        key = key or _read_local_key()
    if key is None:
        raise CommandError("no API key: set PENTAD_KEY, or make one with `pentad keys create`", code=2)
    return ApiClient(_check_url(url), _check_key(key))


def _check_url(url: str) -> str:
    """Return an API's address as the client takes it: `pentad up` prints it with ``/v1``, which each path has.

    Raises:
        CommandError: it is no address.
    """
    try:
        parts = urlsplit(url)
        is_fit = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[^!-~]", url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        is_fit = False
    if not is_fit:
        raise CommandError(
            f"'{url}' is not the address of an API: write --url or PENTAD_URL such as http://127.0.0.1:8700",
            code=EXIT_USAGE,
        )
    return url.rstrip("/").removesuffix("/v1")


def _check_key(key: str) -> str:
    """Return a key without the blanks around it that a file or a copy brings along.

    Raises:
        CommandError: it has characters that no key has; the message does not repeat it.
    """
    if re.search(r"[^ -~]", key.strip()):
        raise CommandError("the API key has a character that no key has: correct PENTAD_KEY or --key", code=EXIT_USAGE)
    return key.strip()


def _read_local_key() -> str | None:
    path = state_folder() / KEY_FILE
    return path.read_text(encoding="utf-8").strip() if path.is_file() else None


def save_key(folder: Path, key: str) -> None:
    """Keep the local key where only the user can read it."""
    path = folder / KEY_FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600)  # the file may be there already
        file.write(key + "\n")
