"""What a tool declares it may touch: kinds of records. Pure values that infra turns into a role."""

import functools
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from pentad.domain.errors import ConfigurationError

Access = Literal["read", "write", "readwrite"]
Resource = Literal["records", "files"]
T = TypeVar("T")

_KIND = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_FOLDER = re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,39}/){0,4}")


def is_kind(name: object) -> bool:
    """Tell whether a name is one that a kind of record can have."""
    return isinstance(name, str) and _KIND.fullmatch(name) is not None


def describe_caller() -> str:
    """Return the file and the line outside of this layer from which the code that is running was called."""
    frame = sys._getframe(1)
    # A dataclass's own __init__ stands in a file of the name "<string>".
    while frame.f_back is not None and (
        str(frame.f_globals.get("__name__", "")).startswith("pentad.tools.") or frame.f_code.co_filename == "<string>"
    ):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _explain_arguments(kind: type[T]) -> type[T]:
    """Return the class of grants, which refuses arguments that it does not have, or lacks, with the place and a fix."""
    made: Callable[..., None] = vars(kind)["__init__"]
    names = list(inspect.signature(kind).parameters)

    @functools.wraps(made)
    def make(self: T, *given: Any, **named: Any) -> None:
        _refuse_arguments(names, given, named)
        made(self, *given, **named)

    type.__setattr__(kind, "__init__", make)
    return kind


def _refuse_arguments(names: list[str], given: tuple[Any, ...], named: dict[str, Any]) -> None:
    left = names[len(given) :]
    unknown = [name for name in named if name not in names]
    missing = [name for name in left if name not in named]
    twice = [name for name in names[: len(given)] if name in named]
    if unknown:
        said = f"a grant has no '{unknown[0]}'"
        fix = f"write {missing[0]}=" if len(missing) == 1 else f"use {', '.join(names)}"
    elif len(given) > len(names):
        said, fix = f"a grant has {len(names)} values, got {len(given)}", f"use {', '.join(names)}"
    elif twice:
        said, fix = f"a grant names '{twice[0]}' twice", f"give {twice[0]} once"
    elif missing:
        said, fix = f"a grant lacks {' and '.join(missing)}", f"add {', '.join(f'{name}=' for name in missing)}"
    else:
        return
    raise ConfigurationError(
        f"{describe_caller()}: {said}",
        field="permissions",
        fix=f'{fix}, as in Grant("records", "readwrite", keys="NOTE")',
    )


@_explain_arguments
@dataclass(frozen=True)
class Grant:
    """Access to one kind of record, or to the files below one folder, for the tenant of the run only.

    Infra narrows it to that kind or folder of the session's tenant (``dynamodb:LeadingKeys``, the object's key);
    `GrantedRecords` and `GrantedFiles` check the same in the process.

    Args:
        resource: ``records``: the table of what tools keep for users; ``files``: files in a versioned bucket.
        access: ``read`` (get, query), ``write`` (put, delete) or ``readwrite``. Who writes files may also look at them.
        keys: the kind of record, such as ``NOTE``: upper case, digits and underscores, at most 40 characters; or a
            folder, such as ``reports/`` or ``reports/weekly/``: small letters, digits, ``-`` and ``_``. No text: all
            of a tenant's files.

    Raises:
        ConfigurationError: a value is missing or not one of these; it says in which file and line.
    """

    resource: Resource
    access: Access
    keys: str

    def __post_init__(self) -> None:
        if self.resource not in get_args(Resource):
            raise ConfigurationError(
                f"{describe_caller()}: a grant names the resource {self.resource!r}, which does not exist",
                field="permissions",
                fix=f"use one of {', '.join(get_args(Resource))}",
            )
        if self.access not in get_args(Access):
            raise ConfigurationError(
                f"{describe_caller()}: a grant has the access {self.access!r}",
                field="permissions",
                fix=f"use one of {', '.join(get_args(Access))}",
            )
        if self.resource == "files":
            if not isinstance(self.keys, str) or not _FOLDER.fullmatch(self.keys):
                raise ConfigurationError(
                    f"{describe_caller()}: a grant on files has the keys {self.keys!r}",
                    field="permissions",
                    fix='name a folder with its slash, such as keys="reports/", or keys="" for all files of the tenant',
                )
            return
        if not is_kind(self.keys):
            raise ConfigurationError(
                f"{describe_caller()}: a grant has the keys {self.keys!r}",
                field="permissions",
                fix="name one kind of record in upper case, such as NOTE; wildcards are not allowed",
            )

    @property
    def reads(self) -> bool:
        """It allows get and query."""
        return self.access in ("read", "readwrite")

    @property
    def writes(self) -> bool:
        """It allows put and delete."""
        return self.access in ("write", "readwrite")
