"""One suite over every store of secrets: versions, and labels that only move from where they are said to be."""

import uuid

import pytest

from pentad.domain.errors import ConfigurationError
from tests.contract.tools.credentials.conftest import Kept


def new_id() -> str:
    return str(uuid.uuid4())


def test_what_is_stored_is_read(kept: Kept) -> None:
    first = kept.set("a", "one")
    found = kept.store.read("a")
    assert found is not None
    assert (found.text, found.version_id) == ("one", first)
    second = kept.set("a", "two")
    assert [one and one.text for one in (kept.store.read("a"), kept.store.read("a", version_id=first))] == [
        "two",
        "one",
    ]
    assert second != first
    assert "two" not in repr(kept.store.read("a"))


def test_what_is_not_there_is_none(kept: Kept) -> None:
    kept.set("a", "one")
    assert kept.store.read("b") is None
    assert kept.store.read("a", stage="AWSPENDING") is None
    assert kept.store.read("a", version_id=new_id()) is None


def test_a_version_is_one_text(kept: Kept) -> None:
    current, made = kept.set("a", "one"), new_id()
    assert kept.store.add("a", "two", version_id=made, stage="PENDING")
    assert kept.store.add("a", "two", version_id=made, stage="PENDING")
    assert not kept.store.add("a", "three", version_id=made, stage="PENDING")
    pending, now = kept.store.read("a", stage="PENDING"), kept.store.read("a")
    assert (pending and pending.text, now and now.version_id) == ("two", current)


def test_the_label_moves_only_from_where_it_is(kept: Kept) -> None:
    first, made = kept.set("a", "one"), new_id()
    kept.store.add("a", "two", version_id=made, stage="PENDING")
    assert kept.store.make_current("a", made, instead_of=first)
    assert not kept.store.make_current("a", made, instead_of=first)
    stages = kept.store.list_stages("a")
    assert {version: sorted(found) for version, found in stages.items()} == {
        first: ["AWSPREVIOUS"],
        made: ["AWSCURRENT", "PENDING"],
    }
    now, before = kept.store.read("a"), kept.store.read("a", stage="AWSPREVIOUS")
    assert (now and now.text, before and before.text) == ("two", "one")
    operators = kept.set("a", "three")
    other = new_id()
    kept.store.add("a", "four", version_id=other, stage="PENDING")
    assert not kept.store.make_current("a", other, instead_of=made)
    now = kept.store.read("a")
    assert now is not None
    assert now.version_id == operators


def test_a_secret_that_is_not_there_is_not_written(kept: Kept) -> None:
    with pytest.raises(ConfigurationError):
        kept.store.list_stages("none")
    with pytest.raises(ConfigurationError):
        kept.store.add("none", "x", version_id=new_id(), stage="PENDING")
