"""Paths of files: one name for one file, and none that leaves the tenant."""

import pytest

from pentad.domain.errors import InvalidInput
from pentad.tools.files.paths import check_key, check_path

HOSTILE = ("", "/", "/etc/passwd", "a//b", "a/", "..", "../x", "a/../b", "a/./b", "...", "a/ /b", " a", "a ", "a.",
           "a\\b", "a\x00b", "a\nb", "a\u200bb", "a\u202eb", "a\ufeffb", "a\u2028b", "a\u00a0b", "\ud800", "a?b", "a#b",
           "a%2e%2e/b", "C:/x", "a*b", "x" * 201, "a/" * 20 + "b", "a\U000e0041b", "a\ue000b")  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_a_path_that_could_mean_something_else_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_path(path)
    assert caught.value.field == "path" and caught.value.fix


@pytest.mark.parametrize(
    "path", ["a", "reports/2026/q1 (final).md", "Ä/日本語.txt", ".env", "a..b", "😀.txt", "a+b=c&d,e;f@g!"]
)
def test_an_ordinary_path_stays(path: str) -> None:
    assert check_path(path) == path


def test_two_spellings_of_one_name_are_one_file() -> None:
    assert check_path("Cafe\u0301.txt") == check_path("Caf\u00e9.txt") == "Caf\u00e9.txt"


def test_a_key_has_at_most_1024_bytes() -> None:
    path = "/".join(["é" * 100] * 5)
    assert check_key("files/acme/", path)
    with pytest.raises(InvalidInput, match="bytes"):
        check_key("files/acme/", path + "/" + "é" * 30)


def test_a_folder_ends_in_a_slash_and_may_be_all() -> None:
    assert (check_path("a/b", folder=True), check_path("a/b/", folder=True), check_path("", folder=True)) == (
        "a/b/", "a/b/", "",
    )  # fmt: skip
    with pytest.raises(InvalidInput):
        check_path("../", folder=True)
