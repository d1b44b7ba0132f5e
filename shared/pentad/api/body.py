"""Read a request's body, once for every route: bytes, then text, then JSON that a route's function can rely on."""

import base64
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pentad.domain.display.unicode_text import mend_escapes
from pentad.domain.reading.json_text import read_strict_json

BODY_BYTES = 1_000_000
"""A message has at most 100,000 characters, which are at most 600,000 bytes as JSON escapes."""
MENDED_HEADER = "x-pentad-mended"
"""Of an answer: what of the request was read otherwise than it was written, which is ``body``."""
_MEDIA_TYPE = "Content-Type"
_PLAIN = ("", "identity")
_CHARSET = re.compile(r""";\s*charset\s*=\s*["']?([^\s;"']+)""")
_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")


class BadBody(Exception):
    """A body that nothing can be read from.

    Args:
        status: 400; 413 where it is too large, 415 where its label is at fault.
        detail: what is wrong with it; never a part of it.
        field: the header at fault, or ``body``.
        fix: what to send instead.
    """

    def __init__(self, status: HTTPStatus, detail: str, field: str | None, fix: str) -> None:
        super().__init__(detail)
        self.status, self.detail, self.field, self.fix = status, detail, field, fix


def read_body(event: Mapping[str, Any], *, labelled: bool = True) -> dict[str, Any]:
    """Return API Gateway's event with its body as JSON text that Python's reader takes (`read_strict_json`).

    Half of a surrogate pair, as JavaScript leaves it where it cuts a text inside an emoji, is read as U+FFFD; then the
    event has ``mended``, and the answer is to say so by `MENDED_HEADER`.

    Args:
        event: the event, payload 2.0; what is no text comes in it as base64.
        labelled: whether a label of another type than JSON is refused; OpenAI's own routes don't look at it.

    Raises:
        BadBody: it is too large, compressed, in another encoding than UTF-8, labelled as something else, or no JSON.
    """
    given = event.get("body")
    if not given:
        return dict(event)
    raw = _decode(given) if event.get("isBase64Encoded") else str(given).encode("utf-8", "surrogatepass")
    if len(raw) > BODY_BYTES:
        raise BadBody(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body has more than {BODY_BYTES:,} bytes",
            None,
            "a message has at most 100,000 characters; upload longer text as a document",
        )
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    _check_headers(headers, labelled=labelled)
    sent = _read_text(raw)
    text = mend_escapes(sent)
    if text.strip():
        _check_json(text)
    headers["content-type"] = "application/json"  # The routes' own reader looks at it once more.
    mended = {"mended": True} if text != sent else {}
    return {**event, **mended, "headers": headers, "body": text.strip() or None, "isBase64Encoded": False}


def _check_headers(headers: Mapping[str, str], *, labelled: bool) -> None:
    if headers.get("content-encoding", "").strip().lower() not in _PLAIN:
        raise BadBody(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "the body is compressed, and the API does not unpack it",
            "Content-Encoding",
            "send it as it is, without Content-Encoding",
        )
    label = headers.get("content-type", "").lower()
    charset = _CHARSET.search(label)
    if charset is not None and charset[1] not in _CHARSETS:
        raise BadBody(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the body is not in UTF-8", _MEDIA_TYPE, "send UTF-8, as JSON is"
        )
    kind = label.partition(";")[0].strip()
    if labelled and kind and kind != "application/json" and not kind.endswith("+json"):
        raise BadBody(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "the content type of the body is not supported",
            _MEDIA_TYPE,
            "send application/json",
        )


def _decode(given: str) -> bytes:
    try:
        return base64.b64decode(given, validate=True)
    except ValueError as error:
        raise _make_unreadable("the body is not text in UTF-8") from error


def _read_text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _make_unreadable("the body is not text in UTF-8") from error


def _check_json(text: str) -> None:
    try:
        read_strict_json(text)
    except ValueError as error:
        raise _make_unreadable("the body is not valid JSON") from error


def _make_unreadable(detail: str) -> BadBody:
    return BadBody(HTTPStatus.BAD_REQUEST, detail, "body", "send one JSON object in UTF-8")
