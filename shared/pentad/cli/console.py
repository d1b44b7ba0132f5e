"""What the command prints, and how it fails: one clear line, a traceback only with --debug."""

import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import typer

from pentad.cli.screen import Quoted, Screen, build_line, choose_verb
from pentad.domain.errors import PentadError

# Tables need room where there is no terminal to tell a width, as in a log of CI.
_WIDTH = None if sys.stdout.isatty() else 120
T = TypeVar("T")
OUT = Screen(width=_WIDTH)
ERR = Screen(stderr=True)

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_UNAVAILABLE = 3
EXIT_INTERRUPTED = 130  # as shells say it: 128 + SIGINT


_PAGE = re.compile(r"\bdocs((?:/[A-Za-z0-9_][A-Za-z0-9_-]*)+\.md)\b")
_PAGES = (Path(__file__).parents[1] / "pages", Path(__file__).parents[3] / "docs")
"""Where the pages of the documentation are: in an installed package, and in the repository."""


class CommandError(Exception):
    """A command can't go on.

    Args:
        message: one line for the reader.
        code: the exit code: 1 failed, 2 wrong use, 3 nothing there to talk to.
    """

    def __init__(self, message: str, *, code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Options:
    """Options of every command."""

    json: bool = False
    debug: bool = False


OPTIONS = Options()


def print_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    OUT.print_json(value)


def read_text(path: Path) -> str:
    """Return the text of a file that an option names.

    Raises:
        CommandError: it can't be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CommandError(f"can't read '{path}': {why}", code=EXIT_USAGE) from error


def write_text(path: Path, text: str) -> None:
    """Write a file that an option names, with the folders it lies in.

    Raises:
        CommandError: it can't be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"can't write '{path}': {error.strerror}", code=EXIT_USAGE) from error


def refuse_options(where: str, **given: bool) -> None:
    """Return if no option was given that a command has, and that does nothing in this use of it.

    Args:
        where: this use, such as ``with --follow``.
        given: options by name with ``_`` for ``-``, and whether each was given.

    Raises:
        CommandError: one was.
    """
    useless = [f"--{name.replace('_', '-')}" for name, was in given.items() if was]
    if useless:
        raise CommandError(
            f"{' and '.join(useless)} can't be used {where}: leave {'it' if len(useless) == 1 else 'them'} out",
            code=EXIT_USAGE,
        )


def cut_list(items: Iterable[T], limit: int) -> list[T]:
    """Return at most ``limit`` items, and say on standard error where there are more.

    Args:
        items: one more than the limit at least, where there are so many.
        limit: what the reader asked for.
    """
    found = list(islice(items, limit + 1))
    if len(found) > limit:
        ERR.print(f"There are more: only {limit:,} {choose_verb(limit, 'is', 'are')} listed.")
    return found[:limit]


def confirm(question: str) -> None:
    """Return where a human says yes.

    Raises:
        CommandError: no, or there is nobody to ask.
    """
    if not is_agreed(question):
        raise CommandError("nothing was done")


def is_agreed(question: str) -> bool:
    """Tell whether a human says yes, of one thing of several.

    Raises:
        CommandError: there is nobody to ask.
    """
    if OPTIONS.json or not sys.stdin.isatty():
        why = "--json prints nothing but JSON" if OPTIONS.json else "there is no terminal to ask at"
        raise CommandError(f"nothing was done: {why}; pass --yes to confirm", code=EXIT_USAGE)
    return ERR.ask(f"{question} [y/N] ").strip().lower() in ("y", "yes")


@contextmanager
def handle_errors() -> Iterator[None]:
    """Turn expected errors into one line and an exit code; with --debug let them through.

    Raises:
        typer.Exit: a command failed.
    """
    try:
        yield
    except CommandError as error:
        if OPTIONS.debug:
            raise
        print_error(str(error), error.code)
        raise typer.Exit(error.code) from error
    except KeyboardInterrupt as error:
        raise typer.Exit(EXIT_INTERRUPTED) from error
    except PentadError as error:
        if OPTIONS.debug:
            raise
        print_error(format_error(error.message, error.field, error.fix), EXIT_FAILED)
        raise typer.Exit(EXIT_FAILED) from error


def print_usage_error(error: Any, *, json: bool) -> int:
    """Print in one line what is wrong with the words of a command, and return the exit code.

    Args:
        error: of the command line's parser; one that asks for the help has it as its message.
        json: the command was called with --json, which may not have been read before the error.
    """
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # typer has no public name for it; the help is printed by now
        return EXIT_USAGE
    OPTIONS.json = OPTIONS.json or json
    words = " ".join(error.format_message().split()).removesuffix(".").replace(": Value error, ", ": ")
    hint = "" if context is None else f" (see '{context.command_path} --help')"
    return print_error(f"{words[:1].lower()}{words[1:]}{hint}", EXIT_USAGE)


def print_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print what nobody caught, as Python does, but with nothing hidden in it; for ``sys.excepthook``."""
    ERR.print_text("".join(traceback.format_exception(kind, error, trace)).rstrip())


def format_error(message: str, field: str | None, fix: str | None) -> str:
    """Return what is wrong, in which field where the message has no such word, and what can be done."""
    named = f"{field}: " if field and not re.search(rf"\b{re.escape(field)}\b", message) else ""
    return f"{named}{message} ({fix})" if fix and fix not in message else f"{named}{message}"


def find_pages(message: str) -> dict[str, Path]:
    """Return the pages of the documentation that a message names, with the files that they are on this machine."""
    named = {found[0]: found[1].lstrip("/") for found in _PAGE.finditer(message)}
    files = {
        page: next((path for root in _PAGES if (path := root / rest).is_file()), None) for page, rest in named.items()
    }
    return {page: path for page, path in files.items() if path is not None}


def print_error(message: str, code: int) -> int:
    """Print an error in one line, or as JSON, with the pages that it names, and return its exit code."""
    pages = find_pages(message)
    if OPTIONS.json:
        told = {"pages": {page: str(path) for page, path in pages.items()}} if pages else {}
        print_json({"error": message, "code": code} | told)
    else:
        first, _, rest = message.partition("\n")
        ERR.print(build_line("[red]error:[/] {message}", message=first), soft_wrap=True)
        if rest:
            ERR.print(Quoted(rest))
        for page, path in pages.items():
            ERR.print(build_line("[dim]{page} is {path}[/]", page=page, path=str(path)), soft_wrap=True)
    return code
