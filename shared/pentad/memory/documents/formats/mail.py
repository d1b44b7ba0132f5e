"""Render a message (EML) as text: who wrote it to whom, its subject, and its words."""

import re
from collections.abc import Sequence
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy
from functools import lru_cache
from typing import Any

from pentad.domain.errors import InvalidInput
from pentad.memory.documents.formats.builder import TextBuilder
from pentad.memory.documents.formats.charset import decode
from pentad.memory.documents.formats.web.html import parse_html
from pentad.memory.documents.structure import ParsedText, clean

_FIELDS = ("From", "To", "Cc", "Date")
_MOST_PARTS = 200
_END_OF_FIELDS = re.compile(rb"\r?\n[ \t]*\r?\n")
_CHARSET = re.compile(
    rb"^Content-Type:[^\n]*(?:\n[ \t][^\n]*)*?charset=\"?([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE | re.MULTILINE
)
_MOST_OTHER_WORDS = 5
_MOST_LEFT_UNSAID = 20
"""Words that the HTML has and the plain text has not, if that has no more itself: beyond, the HTML is read."""
_MOST_LINES = 5_000
_FOLDED = re.compile(r"\n[ \t]")
_ESCAPED = re.compile(r"\\([nN,;\\])")
_ZONE = re.compile(r"TZID=\"?([\w/+-]{1,60})", re.IGNORECASE)
_EVENT_FIELDS = {
    "SUMMARY": "Summary",
    "DTSTART": "Start",
    "DTEND": "End",
    "DURATION": "Duration",
    "RRULE": "Repeats",
    "LOCATION": "Location",
    "ORGANIZER": "Organizer",
    "ATTENDEE": "Attendee",
    "STATUS": "Status",
    "DESCRIPTION": "Description",
}
_WORD = re.compile(r"(?<![\w/.:@])\w{2,}(?![\w/:@])")
"""Words; addresses are written out in plain text only."""
FIELD_CHARACTERS = 4_000
"""Of a field, such as a hundred addresses: what the library takes to read one grows with the square of its length."""

_KEPT_FIELDS = 4
"""A part's own; what a field of 4,000 characters is taken apart into may have megabytes."""


class _Fields(EmailPolicy):
    """The library's way of reading fields, bounded: a long one is cut, one that nests too deep is not taken apart.

    The library reads a field anew each time that it asks what a part is; here the last few stay read.
    """

    def __init__(self, **given: Any) -> None:
        # As the library sets its own: a policy refuses to be changed.
        object.__setattr__(self, "_read", lru_cache(_KEPT_FIELDS)(self._read_field))
        super().__init__(**given)

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:FIELD_CHARACTERS]

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return vars(self)["_read"](name, value)

    def _read_field(self, name: str, value: str) -> Any:
        try:
            return super().header_fetch_parse(name, value)
        except RecursionError:
            # What says how to read the message has to be of the library's types.
            is_structure = name.lower().startswith("content-")
            return super().header_fetch_parse(name, "") if is_structure else " ".join(value.split())


def parse_mail(data: bytes) -> ParsedText:
    """Return a message below its subject. Attachments are named, and not read: each is a document of its own.

    Raises:
        InvalidInput: it is no message.
    """
    try:
        data, notes = _read_raw_fields(data)
        message: Any = BytesParser(EmailMessage, policy=_Fields()).parsebytes(data)  # the stub says: a Message
        return _render(message, notes)
    except (MessageError, LookupError, AttributeError, IndexError) as error:
        raise InvalidInput("the message can't be read", field="document", fix="upload its text") from error


def _read_raw_fields(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return a message with its fields in UTF-8: some programs write them in a charset of their own, and encode none.

    Returns:
        The message, and what is doubtful about its fields.
    """
    end = _END_OF_FIELDS.search(data)
    head = data[: end.start()] if end else data
    if head.isascii():
        return data, ()
    declared = _CHARSET.search(head)
    found = decode(head, declared[1].decode() if declared else None)
    return found.text.encode() + data[len(head) :], tuple(f"in the fields: {note}" for note in found.notes)


def _render(message: EmailMessage, notes: tuple[str, ...]) -> ParsedText:
    out = TextBuilder()
    out.notes += notes
    out.add_heading(1, str(message.get("Subject") or ""))
    out.add("\n".join(f"{name}: {message[name]}" for name in _FIELDS if message[name]))
    cut = [name for name, value in message.raw_items() if len(value) >= FIELD_CHARACTERS]
    if cut:
        out.notes.append(f"fields were cut after {FIELD_CHARACTERS:,} characters: {clean(', '.join(cut))[:200]}")
    attachments: list[str] = []
    shown, plain = _choose_body(message)
    for number, part in enumerate(message.walk()):
        if number > _MOST_PARTS:
            out.notes.append(f"parts after the first {_MOST_PARTS} were not read")
            break
        if (part is not message or shown is None) and (part.is_attachment() or part.get_filename()):
            attachments.append(part.get_filename() or part.get_content_type())
    if shown is not None:
        _add_body(out, shown)
        _note_difference(out, message, shown)
    if plain is not None:
        out.notes.append("its HTML was read, as programs show it: its plain text says little of it")
    invitation = None if shown is not None else _find_part(message, "text/calendar")
    if invitation is not None:
        _add_invitation(out, invitation)
    _note_unread(out, message, shown or invitation, plain, attachments)
    if attachments:
        names = ", ".join(clean(name)[:60] for name in attachments[:5])
        more = f" and {len(attachments) - 5} more" if len(attachments) > 5 else ""
        out.notes.append(f"attachments were not read: {names}{more}: upload them as documents")
    return out.finish()


def _note_unread(
    out: TextBuilder,
    message: EmailMessage,
    shown: EmailMessage | None,
    plain: EmailMessage | None,
    attachments: Sequence[str],
) -> None:
    """Note texts of a message beside its body, a body that is empty, and what is broken in its form."""
    parts = [part for number, part in enumerate(message.walk()) if number <= _MOST_PARTS]
    alike = {"text/plain", "text/html"}
    texts = [part for part in parts if part.get_content_maintype() == "text" and not part.get_filename()]
    kinds = [part.get_content_type() for part in texts if part not in (shown, plain) and not part.is_attachment()]
    if shown is None or kinds.count(shown.get_content_type()) or set(kinds) - alike:
        more = [kind for kind in kinds if shown is None or kind == shown.get_content_type() or kind not in alike]
        if more:
            out.notes.append(
                f"other texts of the message were not read: {len(more):,} ({', '.join(dict.fromkeys(more))[:60]})"
            )
    if shown is None and attachments:
        out.notes.append("the message has no text of its own, only attachments")
    elif shown is None:
        out.notes.append("the message has no text that can be read: its parts may be damaged")
    broken = dict.fromkeys(type(one).__name__ for part in parts for one in part.defects)
    if broken:
        out.notes.append(f"its form is damaged, and words may be missing: {', '.join(broken)[:120]}")


def _choose_body(message: EmailMessage) -> tuple[EmailMessage | None, EmailMessage | None]:
    """Return the body to read, and the plain text where that is passed over: it may only say to look at the HTML."""
    plain, html = (message.get_body(preferencelist=(kind,)) for kind in ("plain", "html"))
    if not isinstance(plain, EmailMessage):
        return (html if isinstance(html, EmailMessage) else None), None
    if isinstance(html, EmailMessage):
        said, seen = (_list_words(part) for part in (plain, html))
        if len(seen - said) > max(_MOST_LEFT_UNSAID, len(said)):
            return html, plain
    return plain, None


def _list_words(part: EmailMessage) -> set[str]:
    body = TextBuilder()
    _add_body(body, part)
    return set(_WORD.findall(body.finish().text.casefold()))


def _find_part(message: EmailMessage, kind: str) -> EmailMessage | None:
    for number, part in enumerate(message.walk()):
        if number > _MOST_PARTS:
            break
        if part.get_content_type() == kind and isinstance(part, EmailMessage):
            return part
    return None


def _add_invitation(out: TextBuilder, part: EmailMessage) -> None:
    """Add the events of a calendar (RFC 5545), a block each, as ``Summary: ...`` and the like."""
    payload = part.get_payload(decode=True)
    decoded = decode(payload if isinstance(payload, bytes) else b"", part.get_content_charset() or "utf-8")
    out.notes += decoded.notes
    lines = _FOLDED.sub("", clean(decoded.text)).split("\n")
    event: list[str] = []
    for line in lines[:_MOST_LINES]:
        name, _, value = line.partition(":")
        name, _, parameters = name.partition(";")
        if line.strip().upper() in ("BEGIN:VEVENT", "END:VEVENT"):
            out.add("\n".join(event), "row")
            event = []
        elif name.upper() in _EVENT_FIELDS and value.strip():
            zone = _ZONE.search(parameters)
            words = _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value.strip())
            event.append(f"{_EVENT_FIELDS[name.upper()]}: {words}{f' ({zone[1]})' if zone else ''}")
    if len(lines) > _MOST_LINES:
        out.notes.append(f"lines of its calendar after the first {_MOST_LINES:,} were not read")


def _note_difference(out: TextBuilder, message: EmailMessage, shown: EmailMessage) -> None:
    """Note words of the plain text that readers of the same message do not see: programs show its HTML."""
    other = message.get_body(preferencelist=("html",))
    if shown.get_content_type() == "text/html" or not isinstance(other, EmailMessage):
        return
    plain, seen = (_list_words(part) for part in (shown, other))
    if len(plain - seen) >= _MOST_OTHER_WORDS:
        out.notes.append(
            f"its plain text, which was read, has {len(plain - seen):,} words that its HTML does not show to readers"
        )


def _add_body(out: TextBuilder, part: EmailMessage) -> None:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    is_html = part.get_content_type() == "text/html"
    decoded = decode(raw, part.get_content_charset(), markup=is_html)
    out.notes += decoded.notes
    if not is_html:
        for paragraph in clean(decoded.text).split("\n\n"):
            out.add(paragraph)
        return
    found = parse_html(clean(decoded.text))
    out.notes += found.notes
    for block in found.blocks:
        out.add(found.text[block.start : block.end], block.kind, header=block.header)
