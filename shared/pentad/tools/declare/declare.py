"""Declare a tool: one typed function, from which come its schema, role, limits, approval and undo.

    @tool(effects="external", permissions=[Grant("records", "readwrite", keys="NOTE")], approval="always", undo=remove)
    def notes(title: Annotated[str, Field(description="...")], context: ToolContext) -> Undoable[str]:
        '''Save a note.'''

Importing a module of tools is cheap and touches no network: infra imports every one of them at synth.
"""

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, NoReturn, ParamSpec, TypeVar, overload

from pydantic import BaseModel, TypeAdapter, ValidationError

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.domain.schemas import check_schema_limits
from pentad.tools.declare.approval_option import ApprovalOption, check_approval, check_rates
from pentad.tools.declare.context import ToolContext, Undoable
from pentad.tools.declare.options import (
    MISSING,
    Effects,
    UndoWay,
    check_choices,
    check_grants,
    check_order,
    check_safe_output,
    check_undo_kind,
    infer_idempotent,
)
from pentad.tools.declare.reach import NOTHING, PUBLIC, Reach, check_reach
from pentad.tools.declare.schema import build_input_schema
from pentad.tools.declare.signature import (
    ToolSignature,
    describe_location,
    hints_of,
    make_declaration_error,
    read_signature,
)
from pentad.tools.records.grants import Grant, describe_caller

__all__ = ["Grant", "Tool", "ToolContext", "Undoable", "tool"]

P = ParamSpec("P")
R = TypeVar("R")
Need = Literal["langchain", "models", "checkpoints"]
"""``langchain``: the layer of its packages; ``models``: asks the gateway; ``checkpoints``: keeps a graph's state."""


@dataclass(frozen=True)
class UndoFunction:
    """A tool's undo function with the type of the data it takes."""

    function: Callable[[Any, ToolContext], Any]
    data: TypeAdapter[Any]


class Tool(Generic[P, R]):
    """A declared tool. Calling it calls the function.

    Args:
        function: the function.
        spec: what the model and the policy know of it.
        signature: how its arguments and its result are validated.
        undo: its undo, where it has one.
        grants: what its role may reach; it keeps those on records and on files (`file_grants`) apart.
        memory_mb: memory of its Lambda function, in MB.
        reach: what it needs beside its code: settings, secrets, hosts, packages.
        needs: what its Lambda function has beyond every tool's: see `Need`.
    """

    def __init__(
        self,
        function: Callable[P, R],
        *,
        spec: ToolSpec,
        signature: ToolSignature,
        undo: UndoFunction | None,
        grants: tuple[Grant, ...],
        memory_mb: int,
        reach: Reach = NOTHING,
        needs: frozenset[Need] = frozenset(),
    ) -> None:
        self.function = function
        self.spec = spec
        self.signature = signature
        self.undo = undo
        self.grants = tuple(grant for grant in grants if grant.resource == "records")
        self.file_grants = tuple(grant for grant in grants if grant.resource == "files")
        self.memory_mb = memory_mb
        self.reach = reach
        self.needs = needs
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function as it is: no validation, no ledger, no audit. For tests of the function."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Tool {self.spec.name}>"

    @property
    def name(self) -> str:
        """The tool's name: that of the function and of its module."""
        return self.spec.name

    @property
    def settings(self) -> type[BaseModel] | None:
        """The model of its settings, where it has any."""
        return self.reach.settings

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets that it may read, as declared: names, or ``settings.FIELD``."""
        return tuple(self.reach.secrets)

    @property
    def egress(self) -> tuple[str, ...]:
        """The hosts that it may reach, as declared: hosts, addresses, ``settings.FIELD``, or ``public``."""
        return tuple(self.reach.egress or ())

    @property
    def holds_connections(self) -> bool:
        """Its code's own connections are held to `egress`: it says something of it, be it that there is no host."""
        return self.reach.egress is not None

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages that its function alone carries."""
        return tuple(self.reach.packages)

    @property
    def in_one_piece(self) -> bool:
        """All that a call writes to records is written when it has returned, or not at all.

        So it is for a tool that changes records only and may run again. A graph keeps what it has reached itself, and a
        tool that reaches the outside has to write before and after it does.
        """
        writes = any(grant.writes for grant in self.grants) and not any(grant.writes for grant in self.file_grants)
        return self.spec.effects == "internal" and self.spec.idempotent and writes and not self.needs

    @property
    def module(self) -> str:
        """The dotted name of the module that declares it."""
        return self.function.__module__

    @property
    def modules(self) -> tuple[str, ...]:
        """Modules whose code its function holds, its own first."""
        return (self.module,)

    def with_equipment(self, equipment: Any) -> "Tool[P, R]":
        """Return the tool with what it needs at run time; a plain function needs nothing.

        Args:
            equipment: what `needs` names, made by the composition root.
        """
        return self

    @property
    def timeout_seconds(self) -> int:
        """Seconds its Lambda function may take."""
        return self.spec.timeout_seconds


@overload
def tool(function: object, /) -> NoReturn: ...


@overload
def tool(
    *,
    effects: Effects,
    permissions: Sequence[Grant] = (),
    settings: type[BaseModel] | None = None,
    secrets: Sequence[str] = (),
    egress: Sequence[str] | None = None,
    packages: Sequence[str] = (),
    rate_limit: str | None = None,
    approval: ApprovalOption = "never",
    undo: Callable[[Any, ToolContext], Any] | None = None,
    undo_kind: UndoWay = "reverse",
    idempotent: bool | None = None,
    parallel: bool = True,
    per: str | None = None,
    timeout_seconds: int = 30,
    memory_mb: int = 256,
    trusted_output: bool | None = None,
    safe_output: Sequence[str] = (),
) -> Callable[[Callable[P, R]], Tool[P, R]]: ...


def tool(
    *given: object,
    effects: Effects = MISSING,
    permissions: Sequence[Grant] = (),
    settings: type[BaseModel] | None = None,
    secrets: Sequence[str] = (),
    egress: Sequence[str] | None = None,
    packages: Sequence[str] = (),
    rate_limit: str | None = None,
    approval: ApprovalOption = "never",
    undo: Callable[[Any, ToolContext], Any] | None = None,
    undo_kind: UndoWay = "reverse",
    idempotent: bool | None = None,
    parallel: bool = True,
    per: str | None = None,
    timeout_seconds: int = 30,
    memory_mb: int = 256,
    trusted_output: bool | None = None,
    safe_output: Sequence[str] = (),
    **unknown: object,
) -> Callable[[Callable[P, R]], Tool[P, R]]:
    """Declare the function below as a tool; its docstring is the description that the model reads.

    Args:
        given: nothing: options are given by name. ``@tool`` without parentheses is told so.
        effects: ``none``: pure or read only; ``internal``: changes our own stores; ``external``: reaches the outside.
        permissions: what it may touch; its role gets exactly this.
        settings: a frozen pydantic model of what a deployment says of it in ``tools.yaml``; read with
            ``context.settings_of``.
        secrets: names of secrets, each read with ``context.secret``; ``settings.FIELD`` is the name in that field.
        egress: hosts or addresses that ``context.http``, and Python's own sockets in its function, may reach:
            ``api.example.com``, ``*.example.com``, ``settings.FIELD``; ``["public"]`` is any public address, ``[]``
            none. Where nothing is said, ``context.http`` reaches none, and sockets what the network lets them.
        packages: names of packages of ``requirements/tools.in``, which the tool's function alone carries.
        rate_limit: how many calls may run in a time: "20/minute per user, 1000/day per tenant"; per ``session``,
            ``user``, ``tenant`` (also where nothing is said), or ``tool`` for all tenants together.
        approval: ``always``: a human sees the arguments and decides first; or rules of which one has to ask:
            ``[Ask(when=over("amount", 50)), AskWhenSum("amount", above=200, per="user", every="day")]``.
        undo: a function of the same module that takes the undo data and a `ToolContext`.
        undo_kind: ``reverse``: the undo takes the effect back; ``compensate``: the effect stays, and the undo makes up
            for it by another one: a cancellation, a refund. A tool with effects and no undo is irreversible.
        idempotent: running it again with the same effect key changes nothing more. A tool with effects that is not
            idempotent is never run again once it has begun. Where nothing is said, a tool with ``effects="internal"``
            and a grant to write is: all that it writes is written in one piece, with a mark (see `in_one_piece`).
        parallel: False: its calls run one after the other, in the order of the reply.
        per: with ``parallel=False``: the name of the parameter that says which record a call is about. Calls about one
            record wait for each other, whatever their session; without it those of one session do.
        timeout_seconds: 1 to 900.
        memory_mb: 128 to 10,240.
        trusted_output: False where its output holds text from outside. Where nothing is said it does for a tool that
            declares ``egress`` or a grant on files. Records keep what may be in them themselves: a call that reads one
            which was written after text from outside brings its sources, whatever is said here.
        safe_output: names of fields of its result, at any depth, that are safe for the model though they look like
            secrets: a link that it has signed, a token for the next page. ``["*"]``: all of the result.
        unknown: no other option exists; one that is given is told with the nearest that does.

    Raises:
        ConfigurationError: something of the declaration is wrong; it says where, what, and how to put it right.
    """
    if given:
        raise _make_bare_error(given[0])

    def declare(function: Callable[P, R]) -> Tool[P, R]:
        where = describe_location(function)
        _refuse_unknown(where, unknown)
        if not _is_plain(function):
            raise make_declaration_error(
                where, "a tool is a plain function", "put @tool on a def that returns; async def and yield are not run"
            )
        check_choices(where, effects, memory_mb)
        signature = read_signature(function)
        reach = check_reach(where, signature, Reach(settings, secrets, egress, packages), undo=undo is not None)
        check_order(where, signature, parallel, per)
        spec = _build_spec(
            function,
            signature,
            effects=effects,
            approval=approval,
            rates=check_rates(where, rate_limit),
            idempotent=infer_idempotent(idempotent, effects, permissions),
            parallel=parallel,
            per=per,
            reversible=undo is not None,
            compensates=check_undo_kind(where, undo_kind, declared=undo is not None),
            timeout_seconds=timeout_seconds,
            trusted_output=_is_own_text(egress, permissions) if trusted_output is None else trusted_output,
            any_address=PUBLIC in (reach.egress or ()),
            safe_output=check_safe_output(where, safe_output),
        )
        return Tool(
            function,
            spec=spec,
            signature=signature,
            undo=_build_undo(where, function, undo, spec, signature),
            grants=check_grants(where, effects, permissions),
            memory_mb=memory_mb,
            reach=reach,
        )

    return declare


def _is_plain(function: object) -> bool:
    """Tell whether calling a function runs its code: a coroutine's or a generator's call runs nothing of it."""
    made = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return inspect.isfunction(function) and not any(is_made(function) for is_made in made)


def _is_own_text(egress: Sequence[str] | None, permissions: object) -> bool:
    """Tell whether a tool reads nothing but what was said in runs: files come from anywhere, as hosts' answers do."""
    granted = permissions if isinstance(permissions, list | tuple) else ()
    return not egress and not any(isinstance(one, Grant) and one.resource == "files" for one in granted)


def _make_bare_error(given: object) -> ConfigurationError:
    if inspect.isroutine(given) or inspect.isclass(given):
        return make_declaration_error(
            describe_location(given),
            "@tool needs its options",
            'write @tool(effects="none"), or "internal" or "external" if it changes something',
        )
    return make_declaration_error(
        describe_caller(),
        f"@tool takes named options only, got {given!r:.60}",
        'give options by name: @tool(effects="none")',
    )


def _refuse_unknown(where: str, unknown: Mapping[str, object]) -> None:
    known = [name for name, kind in inspect.signature(tool).parameters.items() if kind.kind is kind.KEYWORD_ONLY]
    for name in unknown:
        near = difflib.get_close_matches(name, known, n=1)
        fix = f"write {near[0]}" if near else f"use one of {', '.join(known)}"
        raise make_declaration_error(where, f"@tool has no option '{name}'", fix)


def _build_spec(function: Callable[..., Any], signature: ToolSignature, **declared: Any) -> ToolSpec:
    where = describe_location(function)
    description = inspect.cleandoc(function.__doc__ or "").strip()
    if not description:
        raise make_declaration_error(where, "it has no docstring", "describe it: the docstring is what the model reads")
    try:
        schema = build_input_schema(signature.arguments)
        check_schema_limits(schema, "parameters")
    except (ConfigurationError, InvalidInput) as error:
        words = f"{error.field}: {error.message}" if isinstance(error, InvalidInput) else error.message
        raise make_declaration_error(where, words, error.fix or "") from error
    declared["approval"] = check_approval(where, declared["approval"], schema)
    try:
        return ToolSpec(name=function.__name__, description=description, input_schema=schema, **declared)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise make_declaration_error(where, f"{field} is not valid: {first['msg']}", f"correct {field}") from error


def _build_undo(
    where: str,
    function: Callable[..., Any],
    undo: Callable[[Any, ToolContext], Any] | None,
    spec: ToolSpec,
    signature: ToolSignature,
) -> UndoFunction | None:
    if undo is None:
        if signature.undoable:
            raise make_declaration_error(
                where, "it returns Undoable but has no undo", "add undo=<function of this module>"
            )
        return None
    if spec.effects == "none":
        raise make_declaration_error(
            where, "it has an undo but effects='none'", "say effects='internal' or 'external', or drop undo"
        )
    if not signature.undoable:
        raise make_declaration_error(
            where, "it has an undo but does not return Undoable", "annotate it: -> Undoable[...]"
        )
    if not inspect.isfunction(undo) or undo.__module__ != function.__module__:
        raise make_declaration_error(where, "its undo is not a function of the same module", "define it above the tool")
    if not _is_plain(undo):
        raise make_declaration_error(
            describe_location(undo), "an undo is a plain function", "write a def; async def and yield are not run"
        )
    parameters, hints = list(inspect.signature(undo).parameters), hints_of(undo)
    if len(parameters) != 2 or parameters[0] not in hints or hints.get(parameters[1]) is not ToolContext:
        raise make_declaration_error(
            describe_location(undo),
            "an undo takes the undo data and a ToolContext",
            "def undo(data: dict[str, Any], context: ToolContext)",
        )
    return UndoFunction(undo, TypeAdapter(hints[parameters[0]]))
