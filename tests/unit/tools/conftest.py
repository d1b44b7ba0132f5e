"""Each test of the runtime starts with sample tools that have not run."""

from collections.abc import Iterator

import pytest

from tests.unit.tools import sample_tools


@pytest.fixture(autouse=True)
def fresh_samples() -> Iterator[None]:
    sample_tools.ran.clear()
    sample_tools.failures.clear()
    yield
