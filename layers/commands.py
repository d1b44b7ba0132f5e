"""Commands that builds run, in an environment where nothing of the deployer's own changes what they make."""

import os
import re
import subprocess
from collections.abc import Mapping

_NEVER = re.compile(r"(PYTHON|PIP_|UV_).*", re.IGNORECASE)
_ALL_THE_SAME = re.compile(
    "PYTHON_KEYRING_BACKEND|UV_("
    # Where packages come from, and with which credentials. Their hashes are in the lock.
    "(DEFAULT_|EXTRA_)?INDEX(_URL|_STRATEGY)?|INDEX_.*_(USERNAME|PASSWORD)|FIND_LINKS|NO_INDEX|KEYRING_PROVIDER|"
    "CREDENTIALS_DIR|CONFIG_FILE|NO_CONFIG|"
    # How they are reached, and where they are kept between two builds.
    "HTTP_.*|REQUEST_TIMEOUT|CONCURRENT_.*|OFFLINE|NATIVE_TLS|SYSTEM_CERTS|INSECURE_HOST|SSL_.*|.*_PROXY|"
    "CACHE_DIR|NO_CACHE|LOCK_TIMEOUT"
    ")",
    re.IGNORECASE,
)


class BuildError(Exception):
    """What Lambda or CloudFormation gets could not be built; the message says what failed."""


def choose_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a command of a build gets of an environment.

    All but the settings of Python, pip and uv: ``PYTHONOPTIMIZE``, ``PYTHONPYCACHEPREFIX`` or ``UV_COMPILE_BYTECODE``
    would change the bytes. The variables by which uv finds and reaches a package index stay, as proxies and
    certificates do; and so does its configuration file, which may name the index: what it says otherwise is
    overruled by options.

    Args:
        environment: this process's.
    """
    return {
        name: value
        for name, value in environment.items()
        if not _NEVER.fullmatch(name) or _ALL_THE_SAME.fullmatch(name)
    }


def run_command(
    command: list[str], what: str, seconds: int, more: Mapping[str, str] | None = None, *, unless: str = ""
) -> None:
    """Run a command; what it says of a failure may be one that is no failure here: ``unless`` it says this.

    Args:
        command: the program and its arguments.
        what: it does, for the message: ``compiling layer-pentad``.
        seconds: that it may take.
        more: variables beside those of `choose_environment`.
        unless: a text in its output by which a failure is none.

    Raises:
        BuildError: it failed, or took too long.
    """
    environment = choose_environment(os.environ) | dict(more or {})
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=seconds, check=False, env=environment
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{what} took more than {seconds} s: try again, or look for what keeps it busy") from error
    if done.returncode != 0 and not (unless and unless in done.stdout):
        raise BuildError(f"{what} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
