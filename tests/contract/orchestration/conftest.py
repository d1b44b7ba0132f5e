"""Fixtures of the conformance suites."""

from collections.abc import Iterator

import pytest

from .stores import KINDS, Stores, open_stores


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    with open_stores(request.param) as opened:
        yield opened


@pytest.fixture
def dynamodb() -> Iterator[Stores]:
    with open_stores("dynamodb") as opened:
        yield opened
