"""One stage for all tests of the package; every test makes its own machines.

It ends with the package: a twin in the same process needs the interpreter for itself.
"""

from collections.abc import Iterator

import pytest

from tests.twin.machine.stage import Stage, staged


@pytest.fixture(scope="package")
def stage() -> Iterator[Stage]:
    with staged(time_scale=0.05) as running:
        yield running
