"""Tests of `twin.host.model`: how many processes a machine has room for."""

import os
from types import SimpleNamespace

import psutil
import pytest

from twin.host.model import count_affordable_processes, make_limits


@pytest.mark.parametrize(
    ("cores", "memory_gb", "functions", "expected"),
    [
        (2, 24, 0, 32),
        (2, 24, 20, 32),
        (2, 24, 58, 58),
        (2, 24, 500, 64),
        (2, 8, 58, 25),
        (1, 2, 58, 16),
        (16, 64, 10, 64),
    ],
)
def test_each_function_may_have_a_process_where_the_memory_allows_it(
    monkeypatch: pytest.MonkeyPatch, cores: int, memory_gb: int, functions: int, expected: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=memory_gb * 1024**3))
    assert count_affordable_processes(functions) == expected
    limits = make_limits(1_000, None, functions=functions)
    running = count_affordable_processes()
    assert (limits.max_running, limits.max_processes, limits.api_processes) == (running, expected, running // 2)


def test_a_person_says_how_many() -> None:
    limits = make_limits(10, 3, functions=58)
    assert (limits.concurrency, limits.max_running, limits.max_processes, limits.api_processes) == (10, 3, 3, 2)
    with pytest.raises(ValueError, match="1 or more"):
        make_limits(0, None)
    with pytest.raises(ValueError, match="1 or more"):
        make_limits(10, 0)
