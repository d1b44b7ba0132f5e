"""What runs in a process of contenders: orders come in as lines of JSON, times go out the same way.

Standard library only: the process of LiteLLM has nothing else of the project.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

Call = Callable[[int], str]
"""Given the number of the call, make it, and return the text of the answer."""
THREADS = 8


class WrongAnswer(Exception):
    """A contender gave another answer than the server's."""


def timed(call: Call, number: int, answer: str) -> tuple[int, int]:
    """Make one call and return its nanoseconds: by the clock, and of the processor in this thread.

    Raises:
        WrongAnswer: it gave another answer.
    """
    worked, began = time.thread_time_ns(), time.perf_counter_ns()
    text = call(number)
    took = time.perf_counter_ns() - began, time.thread_time_ns() - worked
    if text != answer:
        raise WrongAnswer(f"call {number} answered: {text[:80]!r}")
    return took


def one_by_one(call: Call, numbers: list[int], answer: str) -> dict[str, Any]:
    """Return the nanoseconds of each call."""
    took = [timed(call, number, answer) for number in numbers]
    return {"ns": [clock for clock, _ in took], "cpu_ns": [cpu for _, cpu in took]}


def at_once(call: Call, numbers: list[int], answer: str) -> dict[str, Any]:
    """Return the nanoseconds that all calls took together, made by eight threads."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: time.sleep(0.001), range(THREADS)))  # the threads are there before the clock starts
        began = time.perf_counter_ns()
        list(pool.map(lambda number: timed(call, number, answer), numbers))
        return {"ns": [time.perf_counter_ns() - began]}


def serve(contenders: Mapping[str, Call], answer: str, facts: Callable[[], dict[str, Any]] = dict) -> None:
    """Follow orders until standard input ends.

    Args:
        contenders: what can be ordered.
        answer: what each call has to answer.
        facts: what to tell on the order "facts".
    """
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a library that prints must not print among the times
    numbers = count(1)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if order["do"] == "facts":
                told = facts()
            else:
                work = at_once if order["do"] == "at_once" else one_by_one
                told = work(contenders[order["contender"]], [next(numbers) for _ in range(order["calls"])], answer)
        except Exception as error:  # whatever a library raises ends the run, and is told by the one who reads
            told = {"error": f"{type(error).__name__}: {str(error)[:500]}"}
        print(json.dumps(told), file=out, flush=True)
