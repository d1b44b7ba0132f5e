"""The simulator as a server."""

import threading
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic

from tests.twin.simulator.conftest import CLAUDE
from twin.simulator import Simulator, SimulatorControl

pytestmark = pytest.mark.twin

HI: Any = [{"role": "user", "content": "hi"}]


def test_stopping_ends_a_call_that_hangs_on_a_fault() -> None:
    simulator = Simulator()
    url = simulator.start()
    SimulatorControl(url).add_faults({"kind": "timeout", "seconds": 600, "times": 1})
    failures: list[Exception] = []

    def call() -> None:
        with Anthropic(api_key="k", base_url=url, max_retries=0, timeout=60) as client:
            try:
                client.messages.create(model=CLAUDE, max_tokens=10, messages=HI)
            except anthropic.APIConnectionError as exc:
                failures.append(exc)

    thread = threading.Thread(target=call)
    thread.start()
    while simulator.faults.list_active() and thread.is_alive():  # until the call has met the fault
        thread.join(0.01)
    simulator.stop()
    thread.join(30)
    assert not thread.is_alive()
    assert len(failures) == 1


def test_ids_repeat_with_a_seed() -> None:
    def ids() -> list[str]:
        with Simulator(seed="s") as running, Anthropic(api_key="k", base_url=running.url) as client:
            return [client.messages.create(model=CLAUDE, max_tokens=10, messages=HI).id for _ in range(2)]

    first = ids()
    assert first == ids()
    assert len(set(first)) == 2


def test_models_are_listed(simulator: Simulator) -> None:
    with Simulator({CLAUDE: 1000, "gpt-5.6": 500}) as running, Anthropic(api_key="k", base_url=running.url) as client:
        assert [(model.id, model.max_input_tokens) for model in client.models.list()] == [(CLAUDE, 1000)]


def test_many_connections_are_answered_at_once(simulator: Simulator) -> None:
    answers: list[str] = []

    def call() -> None:
        with Anthropic(api_key="k", base_url=simulator.url, max_retries=0, timeout=60) as client:
            for _ in range(5):
                answers.append(str(client.messages.create(model=CLAUDE, max_tokens=10, messages=HI).stop_reason))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 40
