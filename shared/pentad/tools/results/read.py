"""The built-in tool `read_result`: a model reads on in a result that was too large to be shown whole.

The tool runner answers its calls itself, since the store of payloads holds every tenant's. What is read is streamed,
so neither 50 MB nor a line of 10 MB has to be held; each answer is small enough not to be cut in its turn.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import re2
from pydantic import Field, ValidationError, model_validator

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import InvalidInput, NotFound
from pentad.domain.values import FrozenValue
from pentad.tools.results.handles import CallPlace, make_key, parse_handle
from pentad.tools.results.ports import WholeResults

READ_RESULT: Final = "read_result"
MOST_BYTES: Final = 48_000
MOST_LINES: Final = 2_000
MOST_MATCHES: Final = 50
_MOST_CONTEXT: Final = 10
_PIECE: Final = 131_072
"""Bytes of a line that are searched at once; a longer line is searched in such pieces, which overlap."""
_OVERLAP: Final = 2_048
_CLIP: Final = 400
"""Characters around a match that are shown of a long line."""
_MEMORY: Final = 8_000_000
Clean = Callable[[str], str]


class ReadQuery(FrozenValue):
    """The arguments of a call."""

    handle: str = Field(min_length=1, max_length=60)
    from_line: int | None = Field(default=None, ge=1, le=1_000_000_000)
    lines: int = Field(default=200, ge=1, le=MOST_LINES)
    from_byte: int | None = Field(default=None, ge=0, le=1_000_000_000)
    bytes: int = Field(default=16_000, ge=1, le=MOST_BYTES)
    search: str | None = Field(default=None, min_length=1, max_length=500)
    pattern: bool = False
    context: int = Field(default=0, ge=0, le=_MOST_CONTEXT)

    @model_validator(mode="after")
    def _check_one_way(self) -> Self:
        if self.from_byte is not None and (self.from_line is not None or self.search is not None):
            raise ValueError("give from_byte alone, or from_line, or search (with from_line where it begins)")
        return self


def _number(least: int, most: int, description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most, "description": description}


SPEC: Final = ToolSpec(
    name=READ_RESULT,
    description=(
        "Read more of a tool's result that was cut: its handle stands where it was cut. Reads lines (from_line, "
        "lines), or bytes (from_byte, bytes), or finds lines (search). Search first where you look for something."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "handle": {"type": "string", "maxLength": 60, "description": "as it stands at the cut: res_..."},
            "from_line": _number(1, 1_000_000_000, "the first line to read, or to search from; 1 is the first"),
            "lines": _number(1, MOST_LINES, "how many lines; 200 where it is left out"),
            "from_byte": _number(0, 1_000_000_000, "the first byte to read; for very long lines"),
            "bytes": _number(1, MOST_BYTES, "how many bytes; 16000 where it is left out"),
            "search": {"type": "string", "maxLength": 500, "description": "words to find, in any case of letters"},
            "pattern": {"type": "boolean", "description": "search is a regular expression (RE2)"},
            "context": _number(0, _MOST_CONTEXT, "lines shown before and after each match"),
        },
        "required": ["handle"],
        "additionalProperties": False,
    },
    effects="none",
    idempotent=True,
    timeout_seconds=60,
)


@dataclass(frozen=True)
class Reading:
    """Whose result is read: the runner's word, not the model's.

    Args:
        tenant_id: the tenant.
        run_ids: the run, and those that it goes on for: what it forked, redrives or is a step of.
    """

    tenant_id: str
    run_ids: tuple[str, ...]

    def find(self, handle: str) -> tuple[str, CallPlace]:
        """Return the run and the call that a handle names.

        Raises:
            NotFound: it is none of these runs'.
        """
        for run_id in self.run_ids:
            place = parse_handle(self.tenant_id, run_id, handle)
            if place is not None:
                return run_id, place
        raise NotFound(
            f"this run has no result '{handle[:60]}'",
            field="handle",
            fix="copy the handle from where a result of this run was cut; for an earlier run's, call its tool again",
        )


def parse_query(arguments: Mapping[str, Any]) -> ReadQuery:
    """Return the arguments of a call.

    Raises:
        InvalidInput: they are not valid.
    """
    try:
        return ReadQuery.model_validate(arguments)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, fault["loc"])) or "arguments"
        said = fault["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"{where}: {said}", field=where, fix="correct it and call again") from error


class ReadResults:
    """Reads whole results.

    Args:
        store: where they are.
    """

    def __init__(self, store: WholeResults) -> None:
        self._store = store

    def read(self, query: ReadQuery, tenant_id: str, run_id: str, place: CallPlace, clean: Clean) -> str:
        """Return what is asked for, behind a line that says what it is and where to go on.

        Args:
            query: the call's arguments.
            tenant_id: the tenant.
            run_id: whose result it is.
            place: which call's.
            clean: takes out hidden characters, and masks; a tool's function has done so, and its word is not trusted.

        Raises:
            NotFound: the result was not kept, or is not any more.
            InvalidInput: the pattern is none, or the range is behind the end.
            StoreUnavailable: the store did not answer.
        """
        key = make_key(tenant_id, run_id, place.step, place.index)
        size = self._store.get_size(key)
        if size is None:
            raise NotFound("the whole of this result is not kept", field="handle", fix="call its tool again for less")
        if query.from_byte is not None:
            return self._read_bytes(key, query.from_byte, query.bytes, size, clean)
        if query.search is not None:
            return self._search(key, query, _compile(query.search, pattern=query.pattern), clean)
        return self._read_lines(key, query.from_line or 1, query.lines, size, clean)

    def _read_bytes(self, key: str, start: int, count: int, size: int, clean: Clean) -> str:
        if start >= size:
            raise InvalidInput(f"the result has {size:,} bytes", field="from_byte", fix=f"at most {size - 1}")
        data = b"".join(self._store.iter_blocks(key, start, min(size, start + count + 3)))
        skipped = _count_continuation(data)
        data = data[skipped:]
        # The last character is whole, though it may pass the count by up to three bytes.
        end = min(len(data), max(count - skipped, 1))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end += 1
        text = data[:end].decode(errors="replace")
        begin, last = start + skipped, start + skipped + end
        on = f"; go on with from_byte={last}" if last < size else "; this is the end"
        return f"[bytes {begin:,} to {last:,} of {size:,}{on}]\n{clean(text)}"

    def _read_lines(self, key: str, first: int, count: int, size: int, clean: Clean) -> str:
        shown: list[bytes] = []
        room, number, offset, begin = MOST_BYTES, 1, 0, 0
        note = "; this is the end"
        for piece in _iter_pieces(self._store.iter_blocks(key)):
            ends = piece.endswith(b"\n")
            if number >= first:
                begin = offset if not shown else begin
                if number >= first + count:
                    note = f"; go on with from_line={number}"
                    break
                if len(piece) > room:
                    part = piece[:room].decode(errors="ignore").encode()
                    shown.append(part)
                    note = f"; line {number:,} is cut here: go on with from_byte={offset + len(part)}"
                    break
                shown.append(piece)
                room -= len(piece)
            offset += len(piece)
            number += ends
        if not shown:
            raise InvalidInput(f"the result has {number:,} lines", field="from_line", fix=f"at most {number}")
        data = b"".join(shown)
        last = first + data.count(b"\n") - data.endswith(b"\n")
        text = clean(data.decode(errors="replace"))
        return f"[lines {first:,} to {last:,}, bytes {begin:,} to {begin + len(data):,} of {size:,}{note}]\n{text}"

    def _search(self, key: str, query: ReadQuery, matches: "Matches", clean: Clean) -> str:
        found = _Found(query.context, clean)
        for line in _iter_lines(self._store.iter_blocks(key), query.from_line or 1):
            spans = list(itertools.islice(matches(line.text), MOST_MATCHES))
            found.add(line, spans)
        what = "the pattern" if query.pattern else "these words"
        if not found.count:
            return f"[no line has {what}; {found.lines:,} lines were searched]"
        on = f"; the first {MOST_MATCHES} are shown: go on with from_line={found.next_line}" if found.next_line else ""
        return f"[{found.count:,} lines have {what}{on}]\n" + "\n".join(found.shown)


@dataclass(frozen=True)
class _Line:
    """A line, or a piece of a long one."""

    number: int
    offset: int
    text: str
    begins: bool


Matches = Callable[[str], Iterator[tuple[int, int]]]


def _compile(search: str, *, pattern: bool) -> Matches:
    """Return what finds words or a pattern in a line, in time that grows with the line's length alone.

    Raises:
        InvalidInput: it is no pattern of RE2, or one that would need too much memory.
    """
    options = re2.Options()
    options.max_mem, options.log_errors, options.case_sensitive = _MEMORY, False, pattern
    options.literal = not pattern
    try:
        compiled = re2.compile(search, options)
    except re2.error as error:
        said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise InvalidInput(f"the pattern is not one of RE2: {said[:200]}", field="search") from error
    return lambda text: (match.span() for match in compiled.finditer(text))


class _Found:
    """What a search has found so far.

    Args:
        context: lines shown around a match.
        clean: of what is shown.
    """

    def __init__(self, context: int, clean: Clean) -> None:
        self._context = context
        self._clean = clean
        self._before: list[_Line] = []
        self._after = 0
        self._room = MOST_BYTES
        self._matched = 0
        self._last = 0
        self.shown: list[str] = []
        self.count = 0
        self.lines = 0
        self.next_line: int | None = None

    def add(self, line: _Line, spans: list[tuple[int, int]]) -> None:
        """Take a line with where it matches."""
        self.lines += line.begins
        if spans:
            self.count += line.number != self._matched
            self._matched = line.number
        if self.next_line is not None:
            return
        if spans and (self.count > MOST_MATCHES or self._room <= 0):
            self.next_line = line.number
            return
        if spans:
            for one in self._before:
                self._show(one, "-", one.text[:_CLIP])
            self._before, self._after = [], self._context
            for text in _clip(line, spans):
                self._show(line, ":", text)
        elif self._after and line.begins:
            self._after -= 1
            self._show(line, "-", line.text[:_CLIP])
        elif self._context and line.begins:
            self._before = [*self._before, line][-self._context :]

    def _show(self, line: _Line, mark: str, text: str) -> None:
        if line.number > self._last and self._last and self._context and line.number > self._last + 1:
            self.shown.append("--")
        self._last = line.number
        said = self._clean(text.rstrip("\n"))
        self.shown.append(f"{line.number}{mark} {said}")
        self._room -= len(said.encode()) + 10


def _clip(line: _Line, spans: list[tuple[int, int]]) -> Iterator[str]:
    """Yield a short line whole, of a long one what is around each match, with its place."""
    if len(line.text) <= 2 * _CLIP and line.begins and line.text.endswith("\n"):
        yield line.text
        return
    end = -1
    for first, last in spans:
        if first < end:
            continue
        begin, end = max(0, first - _CLIP // 2), min(len(line.text), max(last, first + _CLIP // 2))
        place = line.offset + len(line.text[:begin].encode())
        yield f"(byte {place}) {line.text[begin : min(end, begin + 2 * _CLIP)]}"


def _iter_pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines with their ends; one that is longer than a block comes in pieces."""
    rest = b""
    for block in blocks:
        parts = (rest + block).split(b"\n")
        rest = parts.pop()
        for part in parts:
            yield part + b"\n"
        if len(rest) > _PIECE:
            yield rest
            rest = b""
    if rest:
        yield rest


def _iter_lines(blocks: Iterable[bytes], first: int) -> Iterator[_Line]:
    """Yield lines from one on as text, a long one in pieces of which each begins with the end of the one before."""
    number, offset, carried, begins = 1, 0, b"", True
    for piece in _iter_pieces(blocks):
        data = carried + piece
        if number >= first:
            skipped = 0 if begins else _count_continuation(data)
            text = data[skipped:].decode(errors="ignore")
            yield _Line(number, offset - len(carried) + skipped, text, begins)
        offset += len(piece)
        begins = piece.endswith(b"\n")
        number += begins
        carried = b"" if begins else data[-_OVERLAP:]


def _count_continuation(data: bytes) -> int:
    """Return how many bytes at the beginning belong to a character that began before."""
    count = 0
    while count < min(3, len(data)) and data[count] & 0xC0 == 0x80:
        count += 1
    return count
