"""What every effect ledger does."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pentad.domain.errors import InvalidTransition
from pentad.tools.runtime.ports import Effect
from tests.contract.tools.conftest import Stores

AT = datetime(2026, 3, 1, tzinfo=UTC)


def effect(**values: Any) -> Effect:
    return Effect(**{"tenant": "acme", "run": "r", "effect_key": "k", "status": "begun", "begun_at": AT, **values})


DONE = effect(status="done", result="ok", undo={"x": 1.5, "y": ["ü"]}, done_at=AT)


def test_the_first_begin_finds_nothing_and_the_second_finds_the_first(stores: Stores) -> None:
    assert stores.effects.begin(effect()) is None
    assert stores.effects.begin(effect(begun_at=AT.replace(hour=1))) == effect()


def test_a_done_effect_is_found_with_its_outcome(stores: Stores) -> None:
    stores.effects.begin(effect())
    stores.effects.finish(DONE)
    assert stores.effects.begin(effect()) == DONE


def test_the_first_outcome_stands(stores: Stores) -> None:
    stores.effects.begin(effect())
    stores.effects.finish(DONE)
    stores.effects.finish(effect(status="done", result="other"))
    assert stores.effects.begin(effect()) == DONE


def test_an_error_is_an_outcome(stores: Stores) -> None:
    failed = effect(status="done", result="no", is_error=True, error_type="ToolFailed")
    stores.effects.begin(effect())
    stores.effects.finish(failed)
    assert stores.effects.begin(effect()) == failed


def test_a_released_effect_can_be_begun_again_and_finished(stores: Stores) -> None:
    stores.effects.begin(effect())
    stores.effects.release(effect())
    assert stores.effects.begin(effect()) is None
    assert stores.effects.begin(effect()) == effect()
    stores.effects.finish(DONE)
    assert stores.effects.begin(effect()) == DONE


def test_a_done_effect_can_not_be_released(stores: Stores) -> None:
    stores.effects.begin(effect())
    stores.effects.finish(DONE)
    stores.effects.release(effect())
    assert stores.effects.begin(effect()) == DONE


def test_releasing_what_was_never_begun_changes_nothing(stores: Stores) -> None:
    stores.effects.release(effect())
    assert stores.effects.begin(effect()) is None


def test_tenants_runs_and_keys_are_apart(stores: Stores) -> None:
    stores.effects.begin(effect())
    assert stores.effects.begin(effect(tenant="other")) is None
    assert stores.effects.begin(effect(run="another")) is None
    assert stores.effects.begin(effect(effect_key="another")) is None


def test_what_is_known_of_an_effect_is_found(stores: Stores) -> None:
    assert stores.effects.find("acme", "r", "k") is None
    stores.effects.begin(effect())
    assert stores.effects.find("acme", "r", "k") == effect()
    stores.effects.release(effect())
    assert stores.effects.find("acme", "r", "k") is None


def test_no_effect_begins_in_a_run_that_has_ended(stores: Stores) -> None:
    stores.end("r")
    with pytest.raises(InvalidTransition):
        stores.effects.begin(effect(), in_open_run=True)
    assert stores.effects.find("acme", "r", "k") is None
    assert stores.effects.begin(effect(run="other"), in_open_run=True) is None


def test_an_effect_of_an_ended_run_is_found_and_finished(stores: Stores) -> None:
    stores.effects.begin(effect(), in_open_run=True)
    stores.end("r")
    assert stores.effects.begin(effect(), in_open_run=True) == effect()
    stores.effects.finish(DONE)
    assert stores.effects.begin(effect(), in_open_run=True) == DONE
