"""What the command line asks the API for is what was typed, and nothing else."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pentad.cli.client import ApiClient, ProblemError
from pentad.cli.console import CommandError

NOBODY = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/documents/../sessions/ses_1",
        "/v1/documents/a/%2E%2e/../b",
        "/v1/runs/..",
        "/v1/documents/a%3F/../b",
        "/v1/runs/./run_1?limit=1",
    ],
)
def test_a_name_with_dots_leads_to_nothing_else(path: str) -> None:
    with pytest.raises(CommandError, match=r"can't be part of an id or a name"):
        ApiClient(NOBODY, "key").call("DELETE", path)


@pytest.mark.parametrize("path", ["/v1/documents/a..b/c.md", "/v1/runs?cursor=../x", "/v1/documents/.../d"])
def test_dots_within_a_name_are_sent(path: str) -> None:
    client = ApiClient(NOBODY, "key")
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(200, json={})

    client._http = httpx.Client(base_url=NOBODY, transport=httpx.MockTransport(answer))
    client.call("GET", path)
    assert asked == [path]


def test_a_page_that_is_refused_is_asked_for_again_and_not_the_whole_list() -> None:
    client = ApiClient(NOBODY, "key")
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(cursor := request.url.params.get("cursor", "0"))
        if len(asked) % 3 == 0:
            return httpx.Response(429, json={"detail": "too many requests"})
        following = int(cursor) + 1
        return httpx.Response(200, json={"items": [{"n": cursor}], "cursor": str(following) if following < 5 else None})

    def ask(call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return call()
        except ProblemError:
            return call()

    client._http = httpx.Client(base_url=NOBODY, transport=httpx.MockTransport(answer))
    found = client.iter_items("/v1/documents", ask, limit=1000)
    assert [one["n"] for one in found] == ["0", "1", "2", "3", "4"]
    assert asked == ["0", "1", "2", "2", "3", "4", "4"]
