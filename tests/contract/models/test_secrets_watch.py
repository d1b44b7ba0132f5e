"""The watch for planted secrets sees what it should."""

import logging

import pytest

from pentad.domain.errors import ConfigurationError
from pentad.domain.models import Outcome
from pentad.models.providers.exchange import ProviderFailure
from tests.contract.models.bedrock_fake import SECRET_KEY
from tests.contract.models.conftest import KEY
from tests.secrets_watch import MARK, Watch

log = logging.getLogger("pentad.somewhere")


@pytest.mark.parametrize("key", [KEY, SECRET_KEY])
def test_every_planted_key_carries_the_mark(key: str) -> None:
    assert MARK in key


def test_a_key_in_a_log_an_argument_or_a_traceback_is_seen(secrets_watch: Watch) -> None:
    log.warning("the key is %s", KEY)
    log.warning("a call failed", extra={"request": {"key": KEY}})
    try:
        raise ValueError(KEY)
    except ValueError:
        log.exception("a call failed")
    assert len(secrets_watch.taken()) >= 3


def test_a_key_in_an_exceptions_text_is_seen(secrets_watch: Watch) -> None:
    ConfigurationError(f"bad key {KEY}")
    ProviderFailure(Outcome.AUTHENTICATION, f"401 {KEY}")
    assert secrets_watch.taken() == ["the text of ConfigurationError", "the text of ProviderFailure"]


def test_what_holds_no_key_is_not_noted(secrets_watch: Watch) -> None:
    before = secrets_watch.searched
    log.warning("all is well")
    assert (secrets_watch.taken(), secrets_watch.searched > before) == ([], True)
