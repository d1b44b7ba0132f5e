"""From a provider's rows to results: whole addresses only, text without markup, the hosts that were asked for."""

import html
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from pentad.tools.data.web.ports import WebResult
from pentad.tools.data.web.settings import WebSearchSettings

_MAX_TEXT = 1_500
_MAX_TITLE = 300
_MAX_URL = 2_000
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")


def make_results(rows: Any, settings: WebSearchSettings, *, text: str, published: Sequence[str]) -> list[WebResult]:
    """Return the results of a provider's rows; what has no address is left out.

    Args:
        rows: what the provider answered.
        settings: how many, and of which hosts.
        text: the field with the words of the page.
        published: fields with its date, the first that is there counts.
    """
    found: list[WebResult] = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        url = row.get("url")
        if not isinstance(url, str) or not is_page(url) or not _is_among(url, settings.domains):
            continue
        date = next((row[name] for name in published if isinstance(row.get(name), str)), None)
        found.append(
            WebResult(
                url=url,
                title=_clean(row.get("title"), _MAX_TITLE),
                text=_clean(row.get(text), _MAX_TEXT),
                published=None if date is None else date[:40],
            )
        )
    return found[: settings.results]


def is_page(url: str) -> bool:
    """Tell whether a text is the whole address of a page."""
    if len(url) > _MAX_URL or any(sign.isspace() or not sign.isprintable() for sign in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False


def _is_among(url: str, domains: Sequence[str]) -> bool:
    host = (urlsplit(url).hostname or "").lower()
    return not domains or any(host == one or host.endswith(f".{one}") for one in map(str.lower, domains))


def _clean(value: Any, most: int) -> str:
    if not isinstance(value, str):
        return ""
    return " ".join(html.unescape(_TAG.sub("", value[: most * 3])).split())[:most]
