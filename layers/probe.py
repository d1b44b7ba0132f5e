"""Import functions as Lambda will: run by an interpreter that sees nothing of the project and of its environment.

``python -I -S -B probe.py`` reads JSON from standard input and writes JSON to standard output. On the path is the
standard library, the function's asset and its layers; of the environment's packages those are found that a layer or
Lambda's runtime has. What all functions share is imported once, and each function in a fork of that.
"""

import ast
import importlib
import importlib.machinery
import importlib.util
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

Json = dict[str, Any]

REMOVED = frozenset(
    "aifc asynchat asyncore audioop binhex cgi cgitb chunk crypt distutils imghdr imp lib2to3 mailcap msilib nis "
    "nntplib ossaudiodev pipes smtpd sndhdr spwd sunau telnetlib uu xdrlib".split()
)
"""What the standard library of Lambda's Python 3.13 has no more. Source: "What's New" of Python 3.12 and 3.13."""
_CAUGHT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_SUPPRESS = frozenset({"suppress", "contextlib.suppress"})
_PLATFORM = frozenset({"sys.version_info", "sys.platform", "os.name"})
_BINDERS = frozenset({"globals", "vars", "exec", "setattr", "__getattr__"})
_NAMED = ("name", "asname", "rest")
_IMPORTERS = frozenset({"import_module", "importlib.import_module", "__import__"})
_ANSWER_BYTES = 60_000
"""What a pipe takes without anybody reading it."""


class _Packages(MetaPathFinder):
    """Finds packages of the environment, as far as Lambda has them too."""

    def __init__(self, names: Sequence[str], folders: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._folders = list(folders)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where a package is, or None."""
        if path is not None or fullname not in self._names:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, self._folders)


class _Removed(MetaPathFinder):
    """Finds no module that a later Python has no more."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Refuse what is not there on Lambda."""
        if path is None and fullname in REMOVED:
            raise ModuleNotFoundError(f"No module named '{fullname}'", name=fullname)
        return None


def main() -> None:
    """Answer for each function what is wrong with it."""
    request: Json = json.load(sys.stdin)
    sys.meta_path.insert(0, _Removed())
    sys.meta_path.append(_Packages(request["packages"], request["folders"]))
    sys.path[:0] = request["layers"]
    sys.stdout.flush()
    for name in request["shared"]:
        try:
            importlib.import_module(name)
        except Exception:  # the function that needs it says so
            break
    answers = _run_all(request["functions"], int(request["at_once"]), int(request["seconds"]))
    json.dump(answers, sys.stdout)


def _run_all(functions: list[Json], at_once: int, seconds: int) -> list[list[Json]]:
    """Return the faults of each function; a few are imported at once."""
    if not hasattr(os, "fork"):  # The caller asks for one at a time.
        return [_find_faults(one) for one in functions]
    answers: list[list[Json]] = [[] for _ in functions]
    running: dict[int, tuple[int, int]] = {}
    for place, one in enumerate(functions):
        if len(running) >= at_once:
            _collect(running, answers, seconds)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            _answer(one, writer, seconds)
        os.close(writer)
        running[pid] = (place, reader)
    while running:
        _collect(running, answers, seconds)
    return answers


def _collect(running: dict[int, tuple[int, int]], answers: list[list[Json]], seconds: int) -> None:
    pid, status = os.wait()
    place, reader = running.pop(pid)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    if told:
        answers[place] = json.loads(told)
    elif os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        answers[place] = [{"error": f"importing it took more than {seconds} s"}]
    else:
        answers[place] = [{"error": f"importing it ended the process (status {status})"}]


def _answer(one: Json, writer: int, seconds: int) -> None:
    """Write the faults of a function and end the process, whatever its code does."""
    signal.alarm(seconds)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    try:
        os.write(writer, _encode_answer(_find_faults(one)))
    finally:
        os._exit(0)


def _encode_answer(faults: list[Json]) -> bytes:
    """Return the faults as JSON, or the first of them where a pipe has no room for all."""
    while len(told := json.dumps(faults).encode()) > _ANSWER_BYTES:
        faults = faults[: len(faults) // 2]
    return told


def _find_faults(one: Json) -> list[Json]:
    """Return what keeps a function from being imported, and what it writes into its own folder: none can on Lambda."""
    asset = Path(one["asset"])
    before = _list_files(asset)
    faults = _import_modules(one, asset)
    changed = sorted(path for path, state in _list_files(asset).items() if before.get(path) != state)
    for path in changed:
        if path not in before:  # It would be deployed with the others.
            path.unlink(missing_ok=True)
    name = changed[0].relative_to(asset).as_posix() if changed else ""
    told = [{"error": f"it writes '{name}' into its own folder, which is read-only there"}] if changed else []
    return [*told, *faults]


def _list_files(asset: Path) -> dict[Path, tuple[int, int]]:
    """Return the files of a folder, with what changes when they are written."""
    states = {path: path.stat() for path in asset.rglob("*") if path.is_file()}
    return {path: (state.st_mtime_ns, state.st_size) for path, state in states.items()}


def _import_modules(one: Json, asset: Path) -> list[Json]:
    """Return what keeps a function from being imported; without a fault, also what its code imports later."""
    os.chdir(asset)
    sys.path.insert(0, str(asset))
    importlib.invalidate_caches()
    os.environ.update(one["environment"])
    for name in one["modules"]:
        try:
            importlib.import_module(name)
        except BaseException as error:  # whatever stands at module level may raise anything, SystemExit included
            fault = _describe(error, asset)
            absent = fault.get("module", "?")
            later = _find_missing(asset, one["modules"])
            return [fault, *(found for found in later if not _is_same(found, fault, absent))]
    return _find_missing(asset, one["modules"])


def _is_same(found: Json, fault: Json, absent: str) -> bool:
    """Tell whether a fault is the one that has ended the import: of the module that is absent, or of the same line."""
    if (found["file"], found["line"]) == (fault.get("file"), fault.get("line")):
        return True
    name: str = found["module"]
    return name == absent or name.startswith(f"{absent}.")


def _describe(error: BaseException, asset: Path) -> Json:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(asset)]
    fault: Json = {"error": f"{type(error).__name__}: {error}"[:500]}
    if isinstance(error, SyntaxError) and error.filename:
        fault |= {"file": str(error.filename), "line": error.lineno or 1}
    elif own:
        fault |= {"file": own[-1].filename, "line": own[-1].lineno or 1}
    if isinstance(error, ModuleNotFoundError) and error.name:
        fault["module"] = error.name
    if "file" in fault and Path(fault["file"]).is_relative_to(asset):
        fault["file"] = Path(fault["file"]).relative_to(asset).as_posix()
    return fault


def _find_missing(asset: Path, modules: Sequence[str]) -> list[Json]:
    """Return imports of the function's own code that would fail, those inside of functions as well."""
    own = {asset.joinpath(*name.split(".")).with_suffix(".py") for name in modules}
    loaded = {Path(file) for file in (getattr(one, "__file__", None) for one in [*sys.modules.values()]) if file}
    faults: list[Json] = []
    for path in sorted({path for path in own | loaded if path.is_relative_to(asset) and path.is_file()}):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError):
            continue
        package = path.parent.relative_to(asset).parts
        file = path.relative_to(asset).as_posix()
        for module, part, line in _list_imports(tree, package):
            if not _is_found(module):
                lacking = module
            elif part and not _has_part(module, part, asset):
                lacking = f"{module}.{part}"
            else:
                continue
            fault = {"error": f"No module named '{lacking}'", "file": file, "line": line, "module": lacking}
            if fault not in faults:
                faults.append(fault)
    return faults


def _list_imports(node: ast.AST, package: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Yield the modules that code imports, what of each and in which line, but for those whose absence it expects."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, "", child.lineno) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            above = package[: len(package) - child.level + 1] if child.level else ()
            name = ".".join([*above, *([child.module] if child.module else [])])
            if name:
                yield from ((name, "" if alias.name == "*" else alias.name, child.lineno) for alias in child.names)
        elif isinstance(child, ast.Try) and any(_catches_absence(handler) for handler in child.handlers):
            for part in (*child.handlers, *child.orelse, *child.finalbody):
                yield from _list_imports(part, package)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for part in child.orelse:
                yield from _list_imports(ast.Module([part], []), package)
        elif not _may_lack(child):
            yield from _list_called(child)
            yield from _list_imports(child, package)


def _list_called(node: ast.AST) -> Iterator[tuple[str, str, int]]:
    """Yield the module that a call imports by its whole name."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) in _IMPORTERS and node.args:
        name = getattr(node.args[0], "value", None)
        if isinstance(name, str) and all(part.isidentifier() for part in name.split(".")):
            yield name, "", node.lineno


def _catches_absence(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(one, ast.Name) and one.id in _CAUGHT for one in ast.walk(handler.type))


def _may_lack(node: ast.AST) -> bool:
    """Tell whether what is imported below may be missing: it is suppressed, or for another Python or system."""
    if isinstance(node, ast.If):  # at module level the right branch has just been taken
        return any(isinstance(one, ast.Attribute) and ast.unparse(one) in _PLATFORM for one in ast.walk(node.test))
    if not isinstance(node, ast.With):
        return False
    calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
    named = [arg.id for call in calls if ast.unparse(call.func) in _SUPPRESS for arg in call.args if hasattr(arg, "id")]
    return not _CAUGHT.isdisjoint(named)


def _is_found(name: str) -> bool:
    if name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
    except Exception:  # a package above it raises when it is imported, or has no spec: not for us to judge
        return True


def _has_part(module: str, part: str, asset: Path) -> bool:
    """Tell whether a name can be imported from a module; of one that is neither the function's nor ours any is taken.

    What comes with Python or in a package differs between systems and releases.
    """
    try:
        loaded = sys.modules.get(module)
        spec = importlib.util.find_spec(module) if loaded is None else loaded.__spec__
        if spec is None or (loaded is not None and hasattr(loaded, part)):
            return True
    except Exception:  # what is imported on the way raises, or the module's own __getattr__: not for us to judge
        return True
    folders = spec.submodule_search_locations
    places = [Path(place) for place in (spec.origin, *(folders or ())) if place]
    if module.partition(".")[0] != "pentad" and not any(place.is_relative_to(asset) for place in places):
        return True
    if folders is not None and _is_found(f"{module}.{part}"):
        return True
    return spec.has_location and _may_bind(Path(str(spec.origin)), part)


def _may_bind(file: Path, part: str) -> bool:
    """Tell whether a module's code may bind a name: the name is written there, or names that nobody can list."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):  # compiled
        return True
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            if node.id in _BINDERS or (node.id == part and isinstance(node.ctx, ast.Store)):
                return True
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.modules":
            return True
        # Of a function, a class, an import, an except clause, a pattern.
        elif not {part, "*", "__getattr__"}.isdisjoint(getattr(node, field, None) for field in _NAMED):
            return True
        elif isinstance(node, ast.alias) and node.name.startswith(f"{part}."):
            return True
    return False


if __name__ == "__main__":
    main()
