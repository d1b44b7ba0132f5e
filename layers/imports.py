"""Import each function from its own asset and layers, as Lambda will, so that none is deployed that can't be imported.

A synth imports all tools in the project's environment, where one tool's file finds another's and every package that
somebody has installed. On Lambda each has its own asset and the layers, and nothing else. What was found good is noted
in ``build/imports``, by the hashes of asset and layers, and is not looked at again.
"""

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from layers.build import RUNTIME_VERSION, THIRD_PARTY_MARK, BuildError
from layers.probe import REMOVED

_PROBE = Path(__file__).with_name("probe.py")
_CHECKS = (_PROBE, Path(__file__))
"""What says what can be imported: where one of them has changed, nothing that was noted counts."""
_RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
"""What Lambda's runtime has beyond the standard library."""
_SHARED = (
    "pydantic",
    "pentad.tools.declare.declare",
    "pentad.runtime.tool_entrypoint",
    "pentad.runtime.wiring.ground.stores",
)
"""Imported once for all functions: all of them come from the layers."""
_ENVIRONMENT = {
    "PATH": os.defpath,
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "TZ": ":UTC",
    # Without it a home is found by the user's id, and in it the deployer's credentials.
    "HOME": "/nobody",
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Nothing of the deployer's own environment is there on Lambda."""
_FUNCTION_SECONDS = 60
_ALL_SECONDS = 900
_KEPT_NOTES = 4000
_NEVER_SHIPPED = ("infra", "layers", "twin", "tests", "benchmarks")
_SHOWN = 20
"""Most faults that are told; the rest is counted."""
Fault = dict[str, Any]


@dataclass(frozen=True)
class FunctionCode:
    """What of a function is imported.

    Args:
        name: of the function.
        asset: the folder with its code.
        layers: the folders of its layers.
        modules: the module of its handler, and what that loads by name.
    """

    name: str
    asset: Path
    layers: tuple[Path, ...]
    modules: tuple[str, ...]

    @property
    def digest(self) -> str:
        """A hash of all that decides whether it can be imported: the folders' names have those of their contents."""
        parts = [self.asset.name, *(layer.name for layer in self.layers), *self.modules, sys.version]
        checks = b"".join(path.read_bytes() for path in _CHECKS)
        return hashlib.sha256("\0".join(parts).encode() + checks).hexdigest()[:32]


def check_imports(root: Path, functions: Iterable[FunctionCode]) -> None:
    """Import each function in an interpreter that sees its asset and its layers only.

    Args:
        root: the project's folder.
        functions: all that are deployed.

    Raises:
        BuildError: one can't be imported on Lambda; a line for each fault, with the fix.
    """
    notes = root / "build" / "imports"
    wanted = {one.digest: one for one in functions}
    for digest in [digest for digest in wanted if (notes / digest).is_file()]:
        os.utime(notes / digest)
        del wanted[digest]
    groups: dict[tuple[Path, ...], list[FunctionCode]] = {}
    for one in wanted.values():
        groups.setdefault(one.layers, []).append(one)
    faults: list[Fault] = []
    for layers, members in groups.items():
        for member, found in zip(members, _probe(layers, members), strict=True):
            faults += [{**fault, "function": member} for fault in found]
    if faults:
        raise BuildError("\n".join(_describe(root, faults)))
    _note(notes, wanted)


def _note(notes: Path, digests: Iterable[str]) -> None:
    notes.mkdir(parents=True, exist_ok=True)
    for digest in digests:
        (notes / digest).touch()
    old = sorted(notes.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT_NOTES:]
    for path in old:
        path.unlink(missing_ok=True)


def _probe(layers: Sequence[Path], functions: Sequence[FunctionCode]) -> list[list[Fault]]:
    """Return the faults of each function."""
    if not hasattr(os, "fork") and len(functions) > 1:
        return [_probe(layers, [one])[0] for one in functions]
    third_party = [layer / "python" for layer in layers if (layer / THIRD_PARTY_MARK).is_file()]
    request = {
        "layers": [str(layer / "python") for layer in layers if layer / "python" not in third_party],
        "packages": sorted({*_RUNTIME_PACKAGES, *(name for folder in third_party for name in _list_packages(folder))}),
        # The layers' own packages are compiled for Lambda's processor: the same ones come from this environment.
        "folders": sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}),
        "shared": list(_SHARED),
        "functions": [
            {
                "asset": str(one.asset.resolve()),
                "modules": list(one.modules),
                "environment": {"AWS_LAMBDA_FUNCTION_NAME": one.name, "LAMBDA_TASK_ROOT": str(one.asset.resolve())},
            }
            for one in functions
        ],
        "at_once": min(8, os.cpu_count() or 1),
        "seconds": _FUNCTION_SECONDS,
    }
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-I", "-S", "-B", "-X", "utf8", str(_PROBE)],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_ALL_SECONDS,
            check=False,
            env=_ENVIRONMENT,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"importing the functions took more than {_ALL_SECONDS} s: look for one that waits") from error
    if done.returncode != 0:
        raise BuildError(f"importing the functions failed: {done.stderr.strip()[-2000:]}")
    answers: list[list[Fault]] = json.loads(done.stdout)
    return answers


def _list_packages(folder: Path) -> list[str]:
    """Return the names that a folder of packages lets import."""
    return [
        path.name.partition(".")[0]
        for path in folder.iterdir()
        if not path.name.endswith((".dist-info", ".data", ".libs")) and (path.is_dir() or path.suffix in (".py", ".so"))
    ]


def _describe(root: Path, faults: Sequence[Fault]) -> list[str]:
    """Return a line for all packages that are missing, and one for each other fault."""
    packages: dict[str, list[str]] = {}
    tools = True
    lines: dict[str, None] = {}
    for fault in faults:
        missing, place = str(fault.get("module", "")), _locate(fault)
        package = missing.partition(".")[0]
        if missing and package not in ("functions", "pentad", *_NEVER_SHIPPED, *REMOVED):
            packages.setdefault(package, []).append(place)
            tools = tools and fault["function"].name.startswith("tool-")
        else:
            lines[f"{place}: {_explain(root, fault, missing, package)}"] = None
    told = [*lines]
    if packages:
        told.insert(0, _explain_packages(packages, tools=tools))
    rest = len(told) - _SHOWN
    return told if rest <= 0 else [*told[:_SHOWN], f"and {rest} more"]


def _locate(fault: Fault) -> str:
    if "file" in fault:
        return f"{fault['file']}:{fault['line']}"
    return f"the function '{fault['function'].name}'"


def _explain(root: Path, fault: Fault, missing: str, package: str) -> str:
    if not missing:
        return f"on Lambda it can't be imported: {fault['error']}: correct this line, or what it imports"
    said = f"on Lambda there is no '{missing}'"
    if package in REMOVED:
        return f"{said}: Python {RUNTIME_VERSION} has no such module any more: use another one"
    if package in _NEVER_SHIPPED or missing.startswith("pentad.cli"):
        return f"{said}: the folder is never deployed: move what the function needs into functions/tools/_name.py"
    file = root.joinpath(*missing.split("."))
    if package == "functions" and (file.with_suffix(".py").is_file() or file.is_dir()):
        return (
            f"{said}: each function has its own file only: move what both need into functions/tools/_name.py, "
            "which every tool has"
        )
    return f"{said}: correct the name"


def _explain_packages(packages: Mapping[str, Sequence[str]], *, tools: bool) -> str:
    """Return the line of packages that are missing.

    Args:
        packages: where each is imported, by its name.
        tools: only in functions of tools, which have packages of their own.
    """
    known = packages_distributions()
    named = ", ".join(f"'{name}' ({', '.join(sorted(set(places))[:3])})" for name, places in sorted(packages.items()))
    wanted = " ".join(sorted({known.get(name, [name])[0] for name in packages}))
    one = len(packages) == 1
    return (
        f"{'a package is' if one else 'packages are'} in no Lambda layer: {named}: "
        + (
            f"name {wanted} in packages= of @tool; what is not in requirements/tools.in goes there first, then run "
            if tools
            else f"add {wanted} to requirements/runtime.in and run "
        )
        + "'make lock' and 'make env'"
    )
