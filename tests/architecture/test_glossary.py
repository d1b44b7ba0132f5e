"""The glossary: each term once, in one sentence, with a name that the code spells."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest


class Term(NamedTuple):
    """A row of the glossary."""

    name: str
    meaning: str
    code: list[str]


# What the product's pages and messages say, and what puzzled new users.
EXPECTED = """
agent approval attempt band breaker budget call cascade catalog chain chunk circuit citation compaction confidence
degraded door drill effect epoch fence fork front gateway grant lease ledger live machine manifest message operator
part passage place pump quorum recall recording redrive replay reservation review rollout run session simulator span
spend standing step task tenant tier tool trace transition trigger turn twin undo version workflow
""".split()


@pytest.fixture(scope="module")
def tables(root: Path) -> list[list[Term]]:
    """The two tables of the page."""
    text = (root / "docs" / "glossary.md").read_text(encoding="utf-8")
    parts = re.split(r"^\|---\|---\|---\|$", text, flags=re.MULTILINE)[1:]
    rows = [re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", part, re.MULTILINE) for part in parts]
    return [
        [Term(name, meaning, re.findall(r"`(\w+)`", code)) for name, meaning, code in part if name != "term"]
        for part in rows
    ]


@pytest.fixture(scope="module")
def terms(tables: list[list[Term]]) -> list[Term]:
    return [term for table in tables for term in table]


def test_each_term_stands_there_once(terms: list[Term]) -> None:
    names = [term.name.lower() for term in terms]
    assert len(names) == len(set(names))
    assert set(EXPECTED) <= set(names)
    assert sum(name.startswith("escalate (") for name in names) == 3


def test_all_but_the_first_terms_are_in_the_order_of_the_alphabet(tables: list[list[Term]]) -> None:
    _, others = tables
    names = [term.name.lower() for term in others]
    assert names == sorted(names)


def test_each_term_is_explained_in_one_sentence(terms: list[Term]) -> None:
    wrong = [term.name for term in terms if not term.meaning.endswith(".") or re.search(r"[.!?] [A-Z`]", term.meaning)]
    assert not wrong


def test_the_code_spells_the_name_of_each_term(terms: list[Term], words: set[str]) -> None:
    assert not [term.name for term in terms if not term.code]
    assert not [f"{term.name}: {name}" for term in terms for name in term.code if name not in words]
