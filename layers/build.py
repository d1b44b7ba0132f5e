"""Build what Lambda gets, without Docker: the Lambda layers and one asset a function.

Each build is a folder below ``build/`` whose name carries the hash of what it was made from, so an unchanged input is
built once. Its bytes and modes are the same on every machine, whatever the umask, the locale or the project's folder:
Lambda runs the code as another user, who could not read what a umask of 077 keeps for the owner, and the CDK's hash of
an asset does not see modes.

Bytecode depends on the interpreter that makes it, so it is made by one only: the interpreter that runs the synth, and
only where its version is the runtime's. It has unchecked hashes and names files as Lambda has them. Without it,
functions start 2 to 4.5 times slower, and the build says so: deploy a stage with one version of Python.
"""

import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

from layers.bytecode import check_bytecode, compile_build, remove_bytecode
from layers.commands import BuildError as BuildError
from layers.commands import run_command

RUNTIME_VERSION = "3.13"
PLATFORM = "aarch64-manylinux_2_28"
"""Lambda's Python 3.13 runs on Amazon Linux 2023, whose glibc is 2.34."""
THIRD_PARTY_MARK = ".third-party"
_FORMAT = "3"
"""Part of every build's hash: a change of how builds are made makes them anew."""
_FILE_MODE = 0o644
_FOLDER_MODE = 0o755
_KEPT_BUILDS = 4
_INSTALL_SECONDS = 600
# Never at run time: command line entry points, and tests that some packages ship.
_DROPPED = ("bin", "**/tests", "**/test")
# What an installer writes about itself; RECORD has hashes of scripts that name the machine's interpreter.
_NOTES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")
_ON_A_LAPTOP = ("cli", "testing")
"""Rooms of the package that no Lambda function imports."""
_TARGETS = {"layer": "/opt", "function": "/var/task"}
"""Where Lambda puts what is in a layer, and in a function."""


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


def build_documents_layer(root: Path) -> Path:
    """Return the layer of what reads documents, less the packages of the dependencies' layer.

    Args:
        root: the project's folder.

    Raises:
        BuildError: the packages could not be installed.
    """
    return _build_third_party(root, "layer-documents", root / "requirements" / "documents.txt")


def build_postgres_layer(root: Path) -> Path:
    """Return the layer of PostgreSQL's driver, less the packages of the dependencies' layer.

    Args:
        root: the project's folder.

    Raises:
        BuildError: the packages could not be installed.
    """
    return _build_third_party(root, "layer-postgres", root / "requirements" / "postgres.txt")


def build_packages_layer(root: Path, name: str, lock: str) -> Path:
    """Return the layer of packages that single tools name.

    Args:
        root: the project's folder.
        name: of the layer.
        lock: the packages with versions and hashes: `layers.packages.select_packages`.

    Raises:
        BuildError: the packages could not be installed.
    """
    return _build_locked(root, f"layer-packages-{name}", lock.encode())


def _build_third_party(root: Path, name: str, lock: Path) -> Path:
    return _build_locked(root, name, lock.read_bytes())


def _build_locked(root: Path, name: str, lock: bytes) -> Path:
    def install_packages(folder: Path) -> None:
        target, wanted = folder / "python", folder / "wanted.txt"
        wanted.write_bytes(lock)
        run_command(
            [
                *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(target)),
                *("--python-platform", PLATFORM, "--python-version", RUNTIME_VERSION, "--only-binary", ":all:"),
                # Links would share their modes with the installer's cache. A user's configuration may say otherwise
                # of all of these.
                *("--no-deps", "--require-hashes", "--link-mode", "copy", "--no-compile-bytecode", "-r", str(wanted)),
            ],
            "installing the Lambda layer's packages",
            _INSTALL_SECONDS,
        )
        wanted.unlink()
        for pattern in _DROPPED:
            for path in target.glob(pattern):
                shutil.rmtree(path, ignore_errors=True)
        (target / ".lock").unlink(missing_ok=True)
        for name in _NOTES:
            for path in target.glob(f"*.dist-info/{name}"):
                path.unlink()
        _write(folder / THIRD_PARTY_MARK, "The twin takes these packages from the project's environment.\n")

    return _build_once(root, name, lock, install_packages)


def build_pentad_layer(root: Path) -> Path:
    """Return the layer of the package ``pentad`` without what only a laptop uses: the command line, the tests' kit."""
    source = root / "shared" / "pentad"
    kept = [path for path in _list_sources(source) if path.relative_to(source).parts[0] not in _ON_A_LAPTOP]

    def copy_package(folder: Path) -> None:
        _copy(kept, source, folder / "python" / "pentad")

    return _build_once(root, "layer-pentad", _compute_digest(kept, source), copy_package)


def build_catalog_layer(root: Path, content: str, models: str | None = None, told_apart: str | None = None) -> Path:
    """Return the layer of the package ``pentad_catalog``: all agents and tools as JSON, and the project's own models.

    Args:
        root: the project's folder.
        content: `pentad.domain.declarations.agents.Catalog` as JSON.
        models: the text of ``models.yaml``, where the project has one.
        told_apart: as JSON, the names that metrics tell apart, where the project has too many.
    """

    def write_catalog(folder: Path) -> None:
        package = folder / "python" / "pentad_catalog"
        package.mkdir(parents=True)
        _write(package / "__init__.py", '"""The agents and tools of this deployment, made at synth."""\n')
        _write(package / "catalog.json", content)
        if models is not None:
            _write(package / "models.yaml", models)
        if told_apart is not None:
            _write(package / "metrics.json", told_apart)

    key = f"{content}\0{models or ''}\0{told_apart or ''}".encode()
    return _build_once(root, "layer-catalog", key, write_catalog)


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
    """Return a package's files in a stable order, without bytecode and what editors and systems leave behind."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(_is_litter(part) for part in path.relative_to(folder).parts)
    )


def _is_litter(name: str) -> bool:
    return name == "__pycache__" or name.startswith(".") or name.endswith(("~", ".pyc", ".swp", ".orig", ".rej"))


def _compute_digest(files: Iterable[Path], root: Path) -> bytes:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.digest()


def _write(path: Path, text: str) -> None:
    """Write text alike on every machine: its locale and line ends have no part in it."""
    path.write_bytes(text.encode())


def set_modes(folder: Path) -> None:
    """Let everybody read a build: Lambda runs it as another user than the one who made it."""
    for path in (folder, *folder.rglob("*")):
        mode = _FOLDER_MODE if path.is_dir() else _FILE_MODE
        if stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)


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
    compiled = _makes_bytecode()
    digest = hashlib.sha256(f"{_FORMAT}\0{compiled}\0".encode() + source).hexdigest()[:16]
    place = root / "build" / f"{name}-{digest}"
    if place.exists():
        return place
    place.parent.mkdir(exist_ok=True)
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    build(draft)
    remove_bytecode(draft)
    if compiled:
        compile_build(draft, _TARGETS[name.partition("-")[0]], name)
    check_bytecode(draft, name, compiled=compiled)
    set_modes(draft)
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
def _makes_bytecode() -> bool:
    """Return whether this interpreter makes bytecode for Lambda, having said so where it does not."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if own != RUNTIME_VERSION:
        sys.stderr.write(
            f"Lambda assets have no bytecode and start slower: this is Python {own}, Lambda has {RUNTIME_VERSION}. "
            f"To have it, make the environment with 'make env PYTHON=python{RUNTIME_VERSION}'\n"
        )
    return own == RUNTIME_VERSION
