"""Opt-in: a deployed stage answers. Set PENTAD_E2E_URL and PENTAD_E2E_KEY; real providers are called and paid."""

import os
import uuid
from collections.abc import Iterator

import pytest

from pentad.cli.client import ApiClient
from pentad.cli.commands.runs.runs import ask

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not (os.environ.get("PENTAD_E2E_URL") and os.environ.get("PENTAD_E2E_KEY")),
        reason="set PENTAD_E2E_URL and PENTAD_E2E_KEY to try a deployed stage",
    ),
]


@pytest.fixture
def client() -> Iterator[ApiClient]:
    api = ApiClient(os.environ["PENTAD_E2E_URL"], os.environ["PENTAD_E2E_KEY"])
    yield api
    api.close()


def test_a_question_with_two_tools_is_answered(client: ApiClient) -> None:
    question = "What is 17.5 * (3 + 4), and how many days are there between 2026-01-01 and 2026-11-22?"
    view = ask(client, "assistant", question, session_id=None, key=uuid.uuid4().hex, seconds=120)
    assert view["status"] == "succeeded"
    assert "122.5" in view["answer"]
    assert "325" in view["answer"]


def test_one_idempotency_key_is_one_run(client: ApiClient) -> None:
    key = uuid.uuid4().hex
    first, second = (ask(client, "assistant", "Say hello.", session_id=None, key=key, seconds=120) for _ in range(2))
    assert first["run_id"] == second["run_id"]
