"""The shared twin, tenants that no other test has, and calls to models that last until a test is done with them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.twin.stack.world import Stack, Tenant, until, word

HANG_SECONDS = 30


@pytest.fixture(scope="session")
def stack(shared_twin: dict[str, Any]) -> Iterator[Stack]:
    """The stack on the twin that all workers share."""
    with Stack(shared_twin) as found:
        yield found


@pytest.fixture
def tenant(stack: Stack) -> Tenant:
    """A new tenant."""
    return stack.tenant()


class Slow:
    """A question whose first call to the models lasts long enough to do something meanwhile."""

    def __init__(self, stack: Stack, tenant: Tenant) -> None:
        self._stack, self._tenant, self.mark = stack, tenant, word()

    def hang(self) -> None:
        """Let the next call of a question with the mark hang."""
        fault = {"kind": "delay", "seconds": HANG_SECONDS, "text": self.mark, "times": 1, "path": "/v1/messages"}
        self._stack.simulator.add_faults(fault)

    def start(self, message: str = "What is 21 + 21?", **fields: Any) -> str:
        """Start a run and return it once its call hangs."""
        self.hang()
        text = f"{message} ({self.mark})"
        answer = self._tenant.post("/v1/runs", {"agent": "assistant", "message": text, "session": "s", **fields})
        assert answer.status_code == 202, answer.text
        until(
            lambda: all(one["text"] != self.mark for one in self._stack.simulator.add_faults()), "the call that hangs"
        )
        return str(answer.json()["run_id"])

    def release(self) -> None:
        """Let the call that hangs go on."""
        self._stack.simulator.clear_faults(self.mark)


@pytest.fixture
def slow(stack: Stack, tenant: Tenant) -> Iterator[Slow]:
    """A question that takes its time."""
    made = Slow(stack, tenant)
    yield made
    made.release()
