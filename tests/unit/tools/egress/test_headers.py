"""Headers that a tool may set."""

import pytest

from pentad.domain.errors import ToolFailed
from pentad.tools.egress.headers import check_headers, keep_for_origin
from tests.secrets_watch import MARK


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "CONNECTION", "Expect", "x y", "", "ü"]
)
def test_a_tool_cannot_set_what_the_client_decides(name: str) -> None:
    with pytest.raises(ToolFailed):
        check_headers({name: "value"})


@pytest.mark.parametrize("value", [f"{MARK}\r\nX: y", f"{MARK}\n", f"\x00{MARK}", f"{MARK}ü€", None, 3])
def test_a_value_that_cannot_be_sent_is_not_told(value: str) -> None:
    with pytest.raises(ToolFailed) as caught:
        check_headers({"Authorization": value})
    assert MARK not in f"{caught.value} {caught.value.fix}"


def test_another_origin_gets_no_header_that_may_be_a_credential() -> None:
    headers = check_headers({"Authorization": "b", "X-Api-Key": "k", "Cookie": "c", "Accept": "text/html"})
    assert keep_for_origin(headers) == {"accept": "text/html"}
