"""One stage for all tests of the package; every test makes its own machines."""

from collections.abc import Iterator

import pytest

from tests.twin.machine.stage import Stage, staged


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with staged(time_scale=0.05) as running:
        yield running
