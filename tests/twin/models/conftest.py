"""Fixtures: the shared twin, a tenant of one test, and clients of which only address and key are ours."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.twin.stack.world import Stack, Tenant


@pytest.fixture(scope="session")
def stack(shared_twin: dict[str, Any]) -> Iterator[Stack]:
    """The stack on the twin that all workers share."""
    with Stack(shared_twin) as found:
        yield found


@pytest.fixture
def tenant(stack: Stack) -> Tenant:
    """A new tenant."""
    return stack.tenant()


@pytest.fixture
def client(stack: Stack, tenant: Tenant) -> Iterator[openai.OpenAI]:
    """OpenAI's own client: base_url and api_key, nothing else."""
    with openai.OpenAI(base_url=f"{stack.url}/v1", api_key=tenant.token) as found:
        yield found
