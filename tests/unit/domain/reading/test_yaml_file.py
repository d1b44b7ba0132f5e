"""A person's YAML file: what is wrong in it is told in one line, with its file, its line and a fix."""

import pytest

from pentad.domain.errors import ConfigurationError
from pentad.domain.reading.yaml_file import YamlFile, decode_yaml

TEXT = "description: gr\u00fc\u00df\nlimits:\n  steps: 6\n"
VALUE = {"description": "gr\u00fc\u00df", "limits": {"steps": 6}}


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.encode("utf-16"),
    ],
    ids=["text", "UTF-8", "mark", "CRLF", "UTF-16"],
)
def test_a_file_is_read_however_an_editor_stored_it(content: str | bytes) -> None:
    assert YamlFile("a.yaml", content).data == VALUE


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3: 'a' is defined twice"),
        ("x:\n  - {a: 1, a: 2}\n", "a.yaml:2: 'a' is defined twice"),
        ("a:\n\tb: 1\n", "a.yaml:2: not YAML: found character that cannot start any token"),
        (b"a: 1\nb: gr\xfc\n", "a.yaml is not YAML in UTF-8, line 2"),
        ("a: 1\nb: \0\n", "a.yaml:2: not YAML: the character U+0000"),
        ("a: 1\nb: 2026-13-45\n", "a.yaml:2: not YAML: month must be in 1..12"),
        ("a: 1\nb: &b [*b]\n", "a.yaml:2: this value holds itself"),
        (f"a: {'[' * 120}{']' * 120}\n", "a.yaml:1: nests too deep"),
        (f"a: {'[' * 200_000}{']' * 200_000}\n", "a.yaml:1: nests too deep"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: not YAML: but found another document"),
        ("!!python/object:os.system {}\n", "a.yaml:1: not YAML: could not determine a constructor"),
    ],
)
def test_a_mistake_is_one_line_with_its_place_and_a_fix(content: str | bytes, told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        YamlFile("a.yaml", content)
    assert caught.value.message.startswith(told)
    assert caught.value.fix
    assert "\n" not in caught.value.message


def test_tabs_are_named_as_what_is_wrong() -> None:
    with pytest.raises(ConfigurationError, match="never by tabs"):
        YamlFile("a.yaml", "a:\n\tb: 1\n")


def test_the_same_key_in_two_mappings_and_merged_ones_are_no_mistake() -> None:
    text = "base: &b {x: 1}\none: {<<: *b, y: 2}\ntwo: {x: 3}\n'1': a\n1: b\n"
    data = YamlFile("a.yaml", text).data
    assert data == {"base": {"x": 1}, "one": {"x": 1, "y": 2}, "two": {"x": 3}, "1": "a", 1: "b"}


def test_aliases_of_aliases_are_looked_at_once() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert len(YamlFile("a.yaml", "\n".join(lines)).data) == 40


def test_a_place_that_is_not_there_has_the_line_of_what_it_would_stand_in() -> None:
    file = YamlFile("a.yaml", TEXT)
    assert [file.find_line(one) for one in ((), ("limits",), ("limits", "steps"), ("limits", "x"))] == [1, 2, 3, 2]


def test_a_cold_start_reads_a_file_without_looking_for_keys_that_stand_twice() -> None:
    assert YamlFile("a.yaml", "a: 1\na: 2\n", unique=False).data == {"a": 2}


def test_the_text_of_a_file_is_told_apart_by_its_mark() -> None:
    assert decode_yaml("a.yaml", TEXT.encode("utf-16")).lstrip("\ufeff") == TEXT
