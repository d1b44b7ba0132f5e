"""Pages of records, with tokens that say where the next one begins."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from twin.vectors.errors import BadRequest
from twin.vectors.records import Record

MAX_PAGE = 100
MAX_FETCH_PAGE = 10_000


def parse_limit(raw: Any, most: int) -> int:
    """Return the size of a page.

    Raises:
        BadRequest: If it is not a number that a page may have.
    """
    limit = MAX_PAGE if raw is None else raw
    if not isinstance(limit, int) or not 1 <= limit <= most:
        raise BadRequest(f"limit must be between 1 and {most}, got {limit}")
    return limit


def select_page(
    found: list[Record], limit: Any, token: str | None, most: int
) -> tuple[list[Record], dict[str, str] | None]:
    """Return one page of records ordered by id, and the token of the next page or None."""
    start = decode_token(token)
    after = [record for record in found if record.id > start]
    size = parse_limit(limit, most)
    page = after[:size]
    return page, {"next": encode_token(page[-1].id)} if len(after) > size else None


def encode_token(last: str) -> str:
    """Return the token of the page after an id."""
    return base64.urlsafe_b64encode(last.encode()).decode()


def decode_token(token: str | None) -> str:
    """Return the id after which a page begins.

    Raises:
        BadRequest: If the token is not one of ours.
    """
    if not token:
        return ""
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError) as exc:
        raise BadRequest("Invalid pagination token") from exc
