"""The twin's page shows what functions logged as text, and runs none of it."""

from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

import httpx
import pytest

from pentad.cli.commands.twin.docs_ui import DocsUi

SCRIPT = "<script>alert(1)</script>"
GROUP = f'/aws/lambda/a"><img src=x onerror=alert(1)>{SCRIPT}'
LINES: list[Mapping[str, Any]] = [
    {"timestamp": 0, "message": f"{SCRIPT}\n00:00:01.000000 forged\x1b[2J\u202e"},
    {"timestamp": 1000, "message": "second"},
]


def read_log(group: str, most: int) -> list[Mapping[str, Any]]:
    assert group == GROUP
    return list(LINES[:most])


@pytest.fixture
def page() -> Iterator[httpx.Client]:
    ui = DocsUi(
        "http://127.0.0.1:9",
        openapi=lambda: {"openapi": "3.1.0", "info": {"title": f"</script>{SCRIPT}<!-- ", "version": "1"}},
        log_groups=lambda: [GROUP],
        read_log=read_log,
    )
    with httpx.Client(base_url=ui.start(), trust_env=False) as client:
        yield client
    ui.stop()


def test_log_lines_are_text_and_a_message_is_one_event(page: httpx.Client) -> None:
    reply = page.get("/logs", params={"group": GROUP})
    shown = reply.text.partition("<pre>")[2].partition("</pre>")[0]
    assert unescape(shown).split("\n") == [
        f"00:00:00.000000 {SCRIPT}",
        "                | 00:00:01.000000 forged\\u001b[2J\\u202e",
        "00:00:01.000000 second",
    ]
    assert "<script" not in reply.text
    assert "<img" not in reply.text
    assert "default-src 'none'" in reply.headers["content-security-policy"]


def test_a_groups_name_is_a_link_to_its_log_and_nothing_else(page: httpx.Client) -> None:
    reply = page.get("/logs")
    [link] = [part.partition('"')[0] for part in reply.text.split('href="')[1:]]
    assert "<img" not in reply.text
    assert "second" in page.get(unescape(link)).text


def test_the_api_document_ends_no_script(page: httpx.Client) -> None:
    reply = page.get("/")
    assert SCRIPT not in reply.text
    assert "\\u003c/script\\u003e\\u003cscript\\u003e" in reply.text
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/logs", "/nothing", "/v1/runs"])
def test_no_answer_is_guessed_to_be_a_page(path: str, page: httpx.Client) -> None:
    assert page.get(path).headers["x-content-type-options"] == "nosniff"
