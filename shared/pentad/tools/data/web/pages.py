"""Read a page of the web: its main text, a part at a time."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, Field

from pentad.domain.errors import InvalidInput, NotFound, ToolFailed, ToolThrottled, ToolUnavailable
from pentad.tools.data.web.found import is_page
from pentad.tools.outside.ports import HttpAnswer, HttpClient

MAX_PAGE_BYTES = 2_000_000
MAX_SHOWN = 40_000
"""Characters of a page in one answer."""
_TEXTS = ("text/", "application/json", "application/xml", "application/xhtml+xml", "application/ld+json")
_DOCUMENTS = (b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")
"""What documents begin with, whatever the server says that they are."""
_ACCEPT = "text/html, application/xhtml+xml, text/plain, text/markdown, application/json;q=0.8, */*;q=0.1"


@dataclass(frozen=True)
class PageText:
    """What a parser makes of a page.

    Args:
        text: its main content.
        title: its title, where it has one.
        notes: what is doubtful, such as the charset.
    """

    text: str
    title: str | None = None
    notes: tuple[str, ...] = ()


ParsePage = Callable[[bytes, str], PageText]
"""Takes the bytes and the content type."""


class ReadPage(BaseModel):
    """A page, or a part of it."""

    url: str = Field(description="where redirects led")
    title: str | None
    text: str
    characters: int = Field(description="of the whole page's text")
    next_start: int | None = Field(default=None, description="read on from here; None at the end")
    notes: list[str]


def read_page(http: HttpClient, parse: ParsePage, url: str, *, start: int) -> ReadPage:
    """Return the main text of a page.

    Args:
        http: reaches public addresses.
        parse: makes text of it.
        url: its address.
        start: the character to begin with.

    Raises:
        InvalidInput: it is no address of a page, or holds no text.
        NotFound: there is no such page.
        PolicyDenied: the address is not public.
        ToolFailed: the server refuses it, or it is too large.
        ToolThrottled: the server asks to wait.
        ToolUnavailable: the server did not answer.
    """
    if not is_page(url):
        raise InvalidInput(
            f"{url[:80]!r} is not a page's address", field="url", fix="give the full address: https://example.com/page"
        )
    answer = http.request("GET", url, headers={"Accept": _ACCEPT}, max_bytes=MAX_PAGE_BYTES)
    _check_status(answer)
    kind = answer.headers.get("content-type", "")
    if kind and not kind.lower().startswith(_TEXTS):
        raise InvalidInput(
            f"the page is of the type '{kind.partition(';')[0][:60]}', which is not supported",
            field="url",
            fix="give a page of HTML or text; documents can be uploaded and searched",
        )
    if answer.body.startswith(_DOCUMENTS):
        raise InvalidInput(
            "the page is a document (PDF, Office or an archive), which is not supported",
            field="url",
            fix="documents can be uploaded and searched",
        )
    page = parse(answer.body, kind)
    return _show(answer.url, page, start)


def _show(url: str, page: PageText, start: int) -> ReadPage:
    if start and start >= len(page.text):
        raise InvalidInput(f"the page has {len(page.text):,} characters", field="start", fix="begin before its end")
    notes = list(page.notes)
    if not page.text.strip():
        notes.append("the page has no text: it may be made by scripts in a browser, which are not run")
    end = start + MAX_SHOWN
    return ReadPage(
        url=url,
        title=page.title,
        text=page.text[start:end],
        characters=len(page.text),
        next_start=end if end < len(page.text) else None,
        notes=notes,
    )


def _check_status(answer: HttpAnswer) -> None:
    status, retry = answer.status, answer.retry_after
    told = f"'{answer.host}' answered {status}" if answer.host else f"the server answered {status}"
    match status:
        case 200 | 203:
            return
        case 404 | 410:
            raise NotFound(f"{told}: no such page", field="url", fix="search for the page")
        case 429:
            raise ToolThrottled(f"{told}: it asks to wait", retry_after=retry)
        case 401 | 402 | 403 | 407 | 451:
            raise ToolFailed(f"{told}: the page is not public", fix="use another source")
        case _ if status >= 500 or status == 408:
            raise ToolUnavailable(f"{told}", retry_after=retry)
        case _:
            raise ToolFailed(f"{told}: there is nothing to read", fix="use another source")
