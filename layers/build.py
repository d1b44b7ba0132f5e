"""Build what Lambda gets, without Docker: the Lambda layers and one asset a function.

Each build is a folder below ``build/`` whose name carries the hash of what it was made from, so an unchanged input is
built once. Bytecode is compiled with unchecked hashes by an interpreter of the runtime's version where one is on the
machine (without bytecode functions start 2 to 4.5 times slower); where none is, the build says so and goes on.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

RUNTIME_VERSION = "3.13"
PLATFORM = "aarch64-manylinux_2_28"
"""Lambda's Python 3.13 runs on Amazon Linux 2023, whose glibc is 2.34."""
THIRD_PARTY_MARK = ".third-party"
_KEPT_BUILDS = 4
_INSTALL_SECONDS = 600
_COMPILE_SECONDS = 600
# Never at run time: command line entry points, and tests that some packages ship.
_DROPPED = ("bin", "**/tests", "**/test")


class BuildError(Exception):
    """A layer could not be built; the message says what failed."""


def build_dependencies_layer(root: Path) -> Path:
    """Return the layer of locked third-party packages for arm64 and the runtime's Python.

    Args:
        root: the project's folder.

    Raises:
        BuildError: the packages could not be installed.
    """
    return _build_third_party(root, "layer-dependencies", root / "requirements" / "lambda.txt")


def build_graphs_layer(root: Path) -> Path:
    """Return the layer of LangGraph's and LangChain's packages, less those of the layer above.

    Args:
        root: the project's folder.

    Raises:
        BuildError: the packages could not be installed.
    """
    return _build_third_party(root, "layer-graphs", root / "requirements" / "graphs.txt")


def _build_third_party(root: Path, name: str, lock: Path) -> Path:
    def install_packages(folder: Path) -> None:
        target = folder / "python"
        _run(
            [
                *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(target)),
                *("--python-platform", PLATFORM, "--python-version", RUNTIME_VERSION, "--only-binary", ":all:"),
                *("--no-deps", "--require-hashes", "-r", str(lock)),
            ],
            "installing the Lambda layer's packages",
            _INSTALL_SECONDS,
        )
        for pattern in _DROPPED:
            for path in target.glob(pattern):
                shutil.rmtree(path, ignore_errors=True)
        (target / ".lock").unlink(missing_ok=True)
        (folder / THIRD_PARTY_MARK).write_text("The twin takes these packages from the project's environment.\n")

    return _build_once(root, name, lock.read_bytes(), install_packages)


def build_pentad_layer(root: Path) -> Path:
    """Return the layer of the package ``pentad`` without the command line."""
    source = root / "shared" / "pentad"
    kept = [path for path in _list_sources(source) if path.relative_to(source).parts[0] != "cli"]

    def copy_package(folder: Path) -> None:
        _copy(kept, source, folder / "python" / "pentad")

    return _build_once(root, "layer-pentad", _compute_digest(kept, source), copy_package)


def build_catalog_layer(root: Path, content: str, models: str | None = None) -> Path:
    """Return the layer of the package ``pentad_catalog``: all agents and tools as JSON, and the project's own models.

    Args:
        root: the project's folder.
        content: `pentad.domain.declarations.agents.Catalog` as JSON.
        models: the text of ``models.yaml``, where the project has one.
    """

    def write_catalog(folder: Path) -> None:
        package = folder / "python" / "pentad_catalog"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text('"""The agents and tools of this deployment, made at synth."""\n')
        (package / "catalog.json").write_text(content)
        if models is not None:
            (package / "models.yaml").write_text(models, encoding="utf-8")

    return _build_once(root, "layer-catalog", f"{content}\0{models or ''}".encode(), write_catalog)


def build_function_asset(root: Path, module: str) -> Path:
    """Return the asset of one function: its module and the packages above it, nothing else.

    Args:
        root: the project's folder.
        module: dotted name, such as ``functions.memory.recall``.
    """
    return _build_asset(root, module, _list_module_files(root, module))


def build_tool_asset(root: Path, modules: Sequence[str], *, graphs: bool = False) -> Path:
    """Return the asset of one tool's function: its module, and with it others that it runs.

    Modules beside it whose names begin with an underscore are no tools but code that tools share: each has them.

    Args:
        root: the project's folder.
        modules: dotted names, the tool's own first.
        graphs: with all of ``functions/graphs/``, where the code of graphs is.
    """
    files = [file for module in modules for file in _list_module_files(root, module)]
    files += files[0].parent.glob("_*.py")
    if graphs and (root / "functions" / "graphs").is_dir():
        files += _list_sources(root / "functions" / "graphs")
    return _build_asset(root, modules[0], files)


def _list_module_files(root: Path, module: str) -> list[Path]:
    path = root.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        raise BuildError(f"there is no {path.relative_to(root)} for the function {module}")
    return [path, *(parent / "__init__.py" for parent in path.parents if root in parent.parents)]


def _build_asset(root: Path, module: str, given: Iterable[Path]) -> Path:
    files = sorted(set(given))

    def copy_files(folder: Path) -> None:
        _copy(files, root, folder)

    return _build_once(
        root, f"function-{module.replace('.', '-').replace('_', '-')}", _compute_digest(files, root), copy_files
    )


def _list_sources(folder: Path) -> list[Path]:
    """Return a package's files, bytecode left out, in a stable order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _compute_digest(files: Iterable[Path], root: Path) -> bytes:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.digest()


def _copy(files: Iterable[Path], root: Path, target: Path) -> None:
    for path in files:
        place = target / path.relative_to(root)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)


def _build_once(root: Path, name: str, source: bytes, build: Callable[[Path], None]) -> Path:
    """Return the folder built from ``source``, building it if it is not there.

    The build happens beside its place and is moved there whole, so a build that was cut off leaves nothing usable and
    two builds at once do no harm.
    """
    compiler = _find_compiler()
    digest = hashlib.sha256(source + str(compiler is not None).encode()).hexdigest()[:16]
    place = root / "build" / f"{name}-{digest}"
    if place.exists():
        return place
    place.parent.mkdir(exist_ok=True)
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    build(draft)
    if compiler is not None:
        _run(
            [compiler, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", str(draft)],
            f"compiling {name}",
            _COMPILE_SECONDS,
        )
    try:
        draft.rename(place)
    except OSError:
        if not place.exists():
            raise
        shutil.rmtree(draft, ignore_errors=True)  # another build was faster; its result is the same
    _remove_old_builds(root / "build", name)
    return place


def _remove_old_builds(folder: Path, name: str) -> None:
    """Remove old builds of one thing. The newest few stay: another synth may be reading one right now."""
    builds = [path for path in folder.glob(f"{name}-*") if len(path.name) == len(name) + 17]
    for path in sorted(builds, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT_BUILDS:]:
        shutil.rmtree(path, ignore_errors=True)


@cache
def _find_compiler() -> str | None:
    """Return an interpreter of the runtime's version, or None, having said so."""
    candidates = [sys.executable, shutil.which(f"python{RUNTIME_VERSION}")]
    for candidate in candidates:
        if candidate and _read_version(candidate) == RUNTIME_VERSION:
            return candidate
    sys.stderr.write(
        f"no Python {RUNTIME_VERSION} on this machine: Lambda assets are built without bytecode and will start slower\n"
    )
    return None


def _read_version(interpreter: str) -> str | None:
    command = [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _run(command: list[str], what: str, seconds: int) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{what} took more than {seconds} s") from error
    if done.returncode != 0:
        raise BuildError(f"{what} failed: {done.stderr.strip()[-2000:]}")
