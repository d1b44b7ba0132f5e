"""One interpreter for the tests of fragments."""

from collections.abc import Iterator

import pytest

from tests.twin.machine.stage import Stage, staged


@pytest.fixture(scope="package")
def stage() -> Iterator[Stage]:
    with staged(time_scale=0.02) as running:
        yield running
