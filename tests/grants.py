"""Which granted actions no test has used: ``python -m tests.grants`` after a run of all tests (`make check-grants`).

Each twin leaves a file of what its roles may do and have done. A grant that nothing uses is too much, or untested; one
that no test can use has its reason in ``tests/infra/unused_grants.txt``: a role, an action, and the reason, where ``*``
stands for anything in the first two. `make check` shows the figures of the last run (``python -m tests.grants show``).
"""

import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
FOLDER = _ROOT / "build" / "grant-uses"
REPORT = _ROOT / "build" / "grants.txt"
REASONS = _ROOT / "tests" / "infra" / "unused_grants.txt"
_KEPT_RUNS = 5
_HASH = re.compile(r"[0-9A-F]{8}(?:-[A-Za-z0-9]+)?$")


@dataclass
class RoleUse:
    """What a role may do, and has done, over all twins of a run."""

    granted: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    @property
    def unused(self) -> list[str]:
        """Granted and not used; an action with a wildcard is used where one that it allows is."""
        return sorted(one for one in self.granted if not any(_allows(one, action) for action in self.used))


def merge(folder: Path) -> dict[str, RoleUse]:
    """Return what the twins of a run have told, by role: names without the part that a deployment makes up."""
    found: dict[str, RoleUse] = {}
    for path in sorted(folder.glob("*.json")):
        for name, told in json.loads(path.read_text(encoding="utf-8")).items():
            role = found.setdefault(_HASH.sub("", name), RoleUse())
            role.granted.update(told["granted"])
            role.used.update(told["used"])
    return dict(sorted(found.items()))


def list_runs(folder: Path = FOLDER) -> list[Path]:
    """Return the folders of runs whose twins have told something, the newest first."""
    runs = [path for path in folder.glob("*") if any(path.glob("*.json"))]
    return sorted(runs, key=lambda path: path.stat().st_mtime, reverse=True)


def remove_old_runs() -> None:
    """Keep what the newest few runs have told."""
    for path in list_runs()[_KEPT_RUNS:]:
        shutil.rmtree(path, ignore_errors=True)


def read_reasons(path: Path = REASONS) -> list[tuple[str, str, str]]:
    """Return why grants stay that no test uses: role, action, reason.

    Raises:
        ValueError: a line has no reason.
    """
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if line.strip() and not line.startswith("#"):
            role, action, reason = line.split(None, 2)
            found.append((role, action, reason))
    return found


def find_unexplained(found: Mapping[str, RoleUse], reasons: Sequence[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """Return the roles and actions that nothing uses and no reason explains."""
    return [
        (name, action)
        for name, role in found.items()
        for action in role.unused
        if _find_reason(name, action, reasons) is None
    ]


def find_outdated(found: Mapping[str, RoleUse], reasons: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Return the reasons for what no role is granted any more."""
    granted = [(name, action) for name, role in found.items() for action in role.granted]
    return [
        (name, action, reason)
        for name, action, reason in reasons
        if not any(fnmatchcase(role, name) and fnmatchcase(what, action) for role, what in granted)
    ]


def describe(found: Mapping[str, RoleUse], reasons: Sequence[tuple[str, str, str]]) -> str:
    """Return the report: each role with what it uses, what nothing uses, and why."""
    lines = []
    for name, role in found.items():
        lines.append(f"{name}: {len(role.granted) - len(role.unused)} of {len(role.granted)} granted actions are used")
        for action in role.unused:
            reason = _find_reason(name, action, reasons) or "NOTHING USES IT AND NO REASON IS GIVEN"
            lines.append(f"    {action}: {reason}")
    return "\n".join(lines) + "\n"


def summarize(found: Mapping[str, RoleUse], reasons: Sequence[tuple[str, str, str]]) -> str:
    """Return the report in a line."""
    granted = sum(len(role.granted) for role in found.values())
    used = granted - sum(len(role.unused) for role in found.values())
    left = len(find_unexplained(found, reasons))
    return f"grants: this run's twins used {used} of {granted}; {left} are unused without a reason: build/{REPORT.name}"


def show(found: Mapping[str, RoleUse], reasons: Sequence[tuple[str, str, str]]) -> str:
    """Return a line for each role, and how to get them where no twin has told any."""
    if not found:
        return "grants: no figures yet; 'make test', then 'make check-grants' or this again shows each role's"
    width = max(map(len, found))
    lines = []
    for name, role in found.items():
        unused = [action for action in role.unused if _find_reason(name, action, reasons) is None]
        used = len(role.granted) - len(role.unused)
        told = f"; not used in that run: {', '.join(unused)}" if unused else ""
        lines.append(f"  {name:<{width}}  {used:>3} of {len(role.granted):>3}{told}")
    return "\n".join(["granted actions that the last run of tests used, by role:", *lines])


def _find_reason(role: str, action: str, reasons: Sequence[tuple[str, str, str]]) -> str | None:
    fitting = (reason for name, what, reason in reasons if fnmatchcase(role, name) and fnmatchcase(action, what))
    return next(fitting, None)


def _allows(granted: str, action: str) -> bool:
    return fnmatchcase(action.lower(), granted.lower())


def main() -> None:
    """Tell what of the newest run's grants nothing uses and no reason explains, and which reasons are out of date."""
    found, reasons = merge(next(iter(list_runs()), FOLDER)), read_reasons()
    if sys.argv[1:] == ["show"]:
        # After a part of the tests much is unused: it is shown, and fails nothing.
        sys.stdout.write(show(found, reasons) + "\n")
        return
    if not found:
        sys.exit("no twin has told of its grants: run the tests first (make test)")
    REPORT.write_text(describe(found, reasons), encoding="utf-8")
    unexplained, outdated = find_unexplained(found, reasons), find_outdated(found, reasons)
    for name, action in unexplained:
        sys.stdout.write(f"{name}: {action}: nothing uses it and no reason is given\n")
    for name, action, reason in outdated:
        sys.stdout.write(f"{name}: {action}: no role is granted it any more, so take the reason back: {reason}\n")
    sys.stdout.write(summarize(found, reasons) + "\n")
    sys.exit(1 if unexplained or outdated else 0)


if __name__ == "__main__":
    main()
