"""Which locked packages a tool's function carries: those that it names, and what these need."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layers.build import BuildError

LOCK = Path("requirements", "tools.txt")
INPUT = Path("requirements", "tools.in")
_IN_EVERY_FUNCTION = Path("requirements", "lambda.txt")
_IN_GRAPHS = Path("requirements", "graphs.txt")
_ENTRY = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)
_VIA = re.compile(r"^    # (?:via |  )(\S.*)$", re.MULTILINE)


@dataclass(frozen=True)
class LockedPackage:
    """One package of a lock.

    Args:
        name: as the lock has it: small letters and dashes.
        text: its version and hashes.
        needed_by: names of packages that need it, and the inputs that name it.
    """

    name: str
    text: str
    needed_by: frozenset[str]


def read_lock(text: str) -> dict[str, LockedPackage]:
    """Return the packages of a lock as `scripts/lock.sh` writes it, by name."""
    found: dict[str, LockedPackage] = {}
    starts = [*_ENTRY.finditer(text)]
    ends = [*(one.start() for one in starts[1:]), len(text)]
    for start, end in zip(starts, ends, strict=False):
        part = text[start.start() : end]
        # The end of the file lists packages that are left out, at the beginning of a line.
        part = "".join(line for line in part.splitlines(keepends=True) if not line.startswith("#"))
        name = normalize(start[1])
        needed_by = frozenset(
            one if one.startswith("-") else normalize(one.partition("[")[0]) for one in _VIA.findall(part)
        )
        found[name] = LockedPackage(name, part.rstrip() + "\n", needed_by)
    return found


def normalize(name: str) -> str:
    """Return a package's name in the form in which names are compared (Python's packaging guide, "Names")."""
    return re.sub(r"[-_.]+", "-", name).lower()


def select_packages(root: Path, tool: str, names: Sequence[str], *, graphs: bool = False) -> str:
    """Return the lock of the packages that a tool names with all that they need, less what its function has anyway.

    Args:
        root: the project's folder.
        tool: the tool's file, for messages.
        names: of packages.
        graphs: its function has the packages of graphs too.

    Raises:
        BuildError: a name is not in the lock, or every function has it.
    """
    lock = read_lock(_read(root / LOCK))
    shared = {*read_lock(_read(root / _IN_EVERY_FUNCTION))}
    if graphs:
        shared |= {*read_lock(_read(root / _IN_GRAPHS))}
    for name in names:
        if name in shared:
            raise BuildError(f"{tool}: the package '{name}' is in its function anyway: drop it from packages")
        if name not in lock:
            known = ", ".join(sorted(one for one, entry in lock.items() if any(map(_is_input, entry.needed_by))))
            raise BuildError(
                f"{tool}: the package '{name}' is not in {LOCK.as_posix()} (which has {known or 'none'}): add it to "
                f"{INPUT.as_posix()}, run 'make lock' and 'make env'"
            )
    return "".join(lock[name].text for name in sorted(_close(lock, names)) if name not in shared)


def _close(lock: Mapping[str, LockedPackage], names: Iterable[str]) -> set[str]:
    """Return the names with all that they need, directly or not."""
    found, waiting = set(names), list(names)
    while waiting:
        by = waiting.pop()
        needed = {name for name, entry in lock.items() if by in entry.needed_by} - found
        found |= needed
        waiting += needed
    return found


def _is_input(name: str) -> bool:
    return name.startswith("-r ")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
