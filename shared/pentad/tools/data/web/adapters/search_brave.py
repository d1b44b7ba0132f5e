"""Brave's web search (``GET /res/v1/web/search``).

Source: "Brave Search API, Web Search": at most 400 characters and 50 words, ``count`` to 20, ``offset`` to 9; errors as
``{"error": {"code", "detail"}}``, a key that is not valid as 422 SUBSCRIPTION_TOKEN_INVALID, limits as 429 RATE_LIMITED
or QUOTA_LIMITED with ``X-RateLimit-Reset``: the seconds until each of its windows begins anew, shortest first.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

from pentad.domain.errors import ConfigurationError, InvalidInput
from pentad.tools.data.web.found import make_results
from pentad.tools.data.web.ports import WebQuery, WebResult
from pentad.tools.data.web.settings import WebSearchSettings
from pentad.tools.outside.ports import HttpAnswer, HttpClient
from pentad.tools.outside.vendor_api import VendorApi, VendorError, clean_words, read_json_object

_FRESHNESS = {"day": "pd", "week": "pw", "month": "pm", "year": "py"}
_MOST_WORDS = 50
_MOST_CHARACTERS = 400


class BraveSearch:
    """`WebSearch` by Brave.

    Args:
        http: speaks to it.
        settings: where it is and what is asked.
        get_key: returns the key.
    """

    def __init__(self, http: HttpClient, settings: WebSearchSettings, get_key: Callable[[], str]) -> None:
        self._settings = settings
        self._api = VendorApi(
            http,
            settings.url,
            name="Brave",
            authorize=lambda: {"X-Subscription-Token": get_key(), "Accept": "application/json"},
            read_error=_read_error,
        )

    def search(self, query: WebQuery) -> list[WebResult]:
        """See `WebSearch`."""
        settings = self._settings
        sites = " OR ".join(f"site:{domain}" for domain in settings.domains)
        # The sites count among the words: they are left out, and results of others dropped, where they do not fit.
        words = f"{query.words} ({sites})" if len(settings.domains) > 1 else f"{query.words} {sites}".strip()
        if len(words) > _MOST_CHARACTERS or len(words.split()) > _MOST_WORDS:
            words = " ".join(query.words.split()[:_MOST_WORDS])
        asked = {"q": words, "count": str(settings.results), "offset": str(query.page), "text_decorations": "false"}
        if settings.country:
            asked["country"] = settings.country
        if query.freshness:
            asked["freshness"] = _FRESHNESS[query.freshness]
        answer = self._api.ask("GET", "/res/v1/web/search", params=asked, accept=(422,))
        if answer.status == 422:
            _refuse(self._api.read_error(answer))
        web = read_json_object(answer).get("web")
        rows = web.get("results") if isinstance(web, dict) else None
        return make_results(rows, settings, text="description", published=("page_age", "age"))


def _refuse(error: VendorError) -> NoReturn:
    if "TOKEN" in error.code:
        raise ConfigurationError(
            "Brave does not accept the key", field="secret", fix="store a valid key in the tool's secret"
        )
    words = clean_words(error.words)
    raise InvalidInput(
        f"Brave rejected the query{': ' if words else ''}{words}",
        field="query",
        fix="ask with fewer, plainer words",
    )


def _read_error(answer: HttpAnswer) -> VendorError:
    body = read_json_object(answer).get("error")
    error: dict[str, Any] = body if isinstance(body, dict) else {}
    found = VendorError(code=str(error.get("code", "")), words=str(error.get("detail", "")))
    return replace(found, final=answer.status in (402, 429) and "QUOTA" in found.code)
