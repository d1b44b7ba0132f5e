"""Bytecode of a build: of all its files, by one interpreter, with unchecked hashes; or none."""

import shutil
import sys
from importlib.util import MAGIC_NUMBER
from pathlib import Path

from layers.commands import BuildError, run_command

_COMPILE_SECONDS = 600
_UNCHECKED = (1).to_bytes(4, "little")
"""The flags of a file whose hash nobody checks (PEP 552): Lambda's clock and the archive's times have no part in it."""


def remove_bytecode(folder: Path) -> None:
    """Remove the bytecode that an installer made, or that a package brings for another interpreter."""
    for path in sorted(folder.rglob("__pycache__")):
        shutil.rmtree(path, ignore_errors=True)


def compile_build(folder: Path, target: str, name: str) -> None:
    """Compile a build in this interpreter, with the file names that the code has on Lambda.

    One process and a fixed hash seed: the order of a set's constants, and with it the bytes, would differ otherwise. A
    file that is no Python has no bytecode: where a function imports it, the check of imports names file and line.

    Args:
        folder: the build.
        target: where Lambda puts it.
        name: of the build, for messages.

    Raises:
        BuildError: the compiler failed, or left a file out.
    """
    run_command(
        [
            *(sys.executable, "-m", "compileall", "-q", "-j", "1", "-o", "0", "--invalidation-mode", "unchecked-hash"),
            *("-s", str(folder), "-p", target, str(folder)),
        ],
        f"compiling {name}",
        _COMPILE_SECONDS,
        {"PYTHONHASHSEED": "0"},
        unless="*** Error compiling",
    )


def check_bytecode(folder: Path, name: str, *, compiled: bool) -> None:
    """Refuse a build of which only a part has bytecode, or bytecode that Lambda would check or not take.

    Args:
        folder: the build.
        name: of the build, for the message.
        compiled: it should have bytecode; else it should have none.

    Raises:
        BuildError: it is not so.
    """
    made = {path: path.read_bytes()[:8] for path in folder.rglob("__pycache__/*.pyc")}
    if not compiled:
        if made:
            raise BuildError(f"{name} has bytecode ({_tell(folder, min(made))}) that nobody made: remove it")
        return
    for path in sorted(folder.rglob("*.py")):
        place = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
        head = made.pop(place, b"")
        if head != MAGIC_NUMBER + _UNCHECKED and not (head == b"" and not _is_python(path)):
            raise BuildError(
                f"{name}: {_tell(folder, path)} has no bytecode with an unchecked hash: run the synth with another "
                f"interpreter than {sys.executable}, made by 'make env'"
            )
    if made:
        raise BuildError(f"{name} has bytecode of no file of it ({_tell(folder, min(made))}): remove it")


def _is_python(path: Path) -> bool:
    try:
        compile(path.read_bytes(), path.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, OverflowError):
        return False
    return True


def _tell(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
