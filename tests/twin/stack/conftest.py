"""Fixtures of the stack: the shared twin, and tenants that no other test has."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.twin.conftest import OwnProject
from tests.twin.stack.world import Stack, Tenant


@pytest.fixture(scope="session")
def stack(shared_twin: dict[str, Any]) -> Iterator[Stack]:
    """The stack on the twin that all workers share."""
    with Stack(shared_twin) as found:
        yield found


@pytest.fixture
def scripted(own: OwnProject) -> Iterator[Stack]:
    """The stack of the user's project, without a script; scripts are its twin's own, so its tests come one by one."""
    own.stack.simulator.reset()
    yield own.stack
    own.stack.simulator.reset()


@pytest.fixture
def tenant(stack: Stack) -> Tenant:
    """A new tenant."""
    return stack.tenant()
