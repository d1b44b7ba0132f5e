"""Tavily's search (``POST /search``).

Source: "Tavily API reference, Search": ``max_results`` to 20, at most 400 characters; errors as
``{"detail": {"error": ...}}``: 400, 401, 429 for the rate, 432 and 433 for the plan's and the budget's limit.
"""

from collections.abc import Callable
from typing import Any

from pentad.domain.errors import InvalidInput
from pentad.tools.data.web.found import make_results
from pentad.tools.data.web.ports import WebQuery, WebResult
from pentad.tools.data.web.settings import WebSearchSettings
from pentad.tools.outside.ports import HttpAnswer, HttpClient
from pentad.tools.outside.vendor_api import VendorApi, VendorError, clean_words, read_json_object

_COUNTRIES = {"CH": "switzerland", "DE": "germany", "AT": "austria", "FR": "france", "IT": "italy", "ES": "spain",
              "GB": "united kingdom", "US": "united states", "NL": "netherlands", "CA": "canada", "AU": "australia",
              "JP": "japan", "IN": "india", "BR": "brazil"}  # fmt: skip


class TavilySearch:
    """`WebSearch` by Tavily.

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
            name="Tavily",
            authorize=lambda: {"Authorization": f"Bearer {get_key()}"},
            read_error=_read_error,
        )

    def search(self, query: WebQuery) -> list[WebResult]:
        """See `WebSearch`."""
        if query.page:
            raise InvalidInput("Tavily has one page of results", field="page", fix="leave 'page' out, ask differently")
        settings = self._settings
        asked: dict[str, Any] = {"query": query.words, "max_results": settings.results, "include_answer": False}
        if settings.domains:
            asked["include_domains"] = list(settings.domains)
        if settings.country in _COUNTRIES:
            asked["country"] = _COUNTRIES[settings.country]
        if query.freshness:
            asked["time_range"] = query.freshness
        answer = self._api.ask("POST", "/search", json=asked, reads=True, accept=(400, 422))
        if answer.status != 200:
            words = clean_words(self._api.read_error(answer).words)
            raise InvalidInput(
                f"Tavily rejected the query{': ' if words else ''}{words}",
                field="query",
                fix="ask with fewer, plainer words",
            )
        rows = read_json_object(answer).get("results")
        return make_results(rows, settings, text="content", published=("published_date",))


def _read_error(answer: HttpAnswer) -> VendorError:
    detail = read_json_object(answer).get("detail")
    words = detail.get("error") if isinstance(detail, dict) else detail
    return VendorError(words=str(words or ""), final=answer.status in (432, 433))
