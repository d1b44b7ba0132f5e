"""The tool runner's calls of read_result, from the cut of a result to what is read of it."""

from typing import Any

import pytest

from pentad.domain.declarations.agents import AgentSpec, Catalog
from pentad.domain.runs import CallStatus
from pentad.runtime.results import answer_read
from pentad.tools.declare.declare import Tool
from pentad.tools.results.adapters.whole_memory import MemoryWholeResults
from pentad.tools.results.handles import HANDLE, make_handle
from pentad.tools.results.keep import KeepResults
from pentad.tools.results.read import READ_RESULT, ReadResults
from pentad.tools.runtime.adapters.functions_builtin import BuiltinFunctions
from pentad.tools.runtime.adapters.functions_memory import MemoryFunctions
from pentad.tools.runtime.runner import ToolRunner
from tests.unit.tools import sample_tools
from tests.unit.tools.worlds import RUN, World

OTHER = "run_" + "7" * 26


class Reader:
    """A runner with a tool and read_result, as it is deployed.

    Args:
        tool: the tool.
        store: of whole results.
    """

    def __init__(self, tool: Tool[..., Any], store: MemoryWholeResults | None = None) -> None:
        self.world, self.store = World(tool), store or MemoryWholeResults()
        catalog = Catalog(
            agents={"helper": AgentSpec(name="helper", description="helps", prompt="help", tools=(tool.name,))},
            tools={tool.name: tool.spec},
        )
        world, reading = self.world, ReadResults(self.store)
        functions = MemoryFunctions(
            {tool.name: tool}, records=world.records.get_store, now=world.now, upload=self.store
        )
        self.runner = ToolRunner(
            catalog=catalog,
            runs=world.calls,
            effects=world.effects,
            audit=world.audit,
            functions=BuiltinFunctions(
                functions, {READ_RESULT: lambda handed: answer_read(handed, reading, world.calls, catalog)}
            ),
            telemetry=world.telemetry,
            now=world.now,
            results=KeepResults(self.store),
        )

    def call(self, tool: str, arguments: dict[str, Any], index: int) -> str:
        """Run a call and return its result."""
        self.world.add_call(arguments, index=index, tool=tool, status=CallStatus.PENDING)
        self.runner.execute("acme", RUN, "helper", 1, index, invocation=self.world.invocation())
        return self.world.calls.get_call("acme", RUN, 1, index).result or ""


@pytest.mark.parametrize("times", [3_000, 90_000], ids=["in the answer", "past it"])
def test_what_was_cut_is_read_by_its_handle(times: int) -> None:
    reader = Reader(sample_tools.echo)
    line = "words " * 10 + "\n"
    shown = reader.call("echo", {"text": line, "times": times}, 0)
    handle = HANDLE.search(shown)
    assert handle is not None and len(shown.encode()) <= 65_536
    [kept] = reader.store.kept.values()
    assert kept.decode() == line * times
    assert reader.call(READ_RESULT, {"handle": handle[0], "from_line": times - 1}, 1).endswith(line * 2)
    assert f"[{times:,} lines have these words" in reader.call(READ_RESULT, {"handle": handle[0], "search": "WORDS"}, 2)
    assert [entry[:2] for entry in reader.world.audited] == [("executed", "ok")] * 3


def test_another_runs_handle_opens_nothing() -> None:
    reader = Reader(sample_tools.echo)
    reader.store.put(f"acme/runs/{OTHER}/results/00001-00.txt", b"theirs")
    told = reader.call(READ_RESULT, {"handle": make_handle("acme", OTHER, 1, 0)}, 1)
    assert told.startswith("NotFound: this run has no result") and "theirs" not in told


def test_a_run_that_goes_on_for_another_reads_what_that_one_kept() -> None:
    reader = Reader(sample_tools.echo)
    reader.call("echo", {"text": "words\n", "times": 30_000}, 0)
    earlier = reader.world.calls.runs["acme", RUN]
    moved = {(tenant, OTHER, *place): one for (tenant, _, *place), one in reader.world.calls.stored.items()}
    kept = {key.replace(RUN, OTHER): data for key, data in reader.store.kept.items()}
    reader.world.calls.stored, reader.store.kept = moved, kept  # as if it were the other's
    reader.world.add_call({"handle": make_handle("acme", OTHER, 1, 0)}, index=1, tool=READ_RESULT)
    reader.world.calls.runs["acme", RUN] = earlier.model_copy(update={"forked_from_run_id": OTHER})
    reader.runner.execute("acme", RUN, "helper", 1, 1, invocation=reader.world.invocation())
    assert "words" in (reader.world.calls.get_call("acme", RUN, 1, 1).result or "")


@pytest.mark.parametrize("arguments", [{}, {"handle": 7}, {"handle": "h", "lines": 0}])
def test_arguments_that_are_not_valid_are_told(arguments: dict[str, Any]) -> None:
    assert Reader(sample_tools.echo).call(READ_RESULT, arguments, 1).startswith("InvalidInput: ")


def test_what_is_read_is_cleaned_though_the_store_holds_what_a_function_put_there() -> None:
    reader = Reader(sample_tools.echo)
    reader.call("echo", {"text": "words\n", "times": 30_000}, 0)
    [key] = reader.store.kept
    reader.store.put(key, f"a\u202eb sk-ant-{'a1' * 12}".encode())
    text = reader.call(READ_RESULT, {"handle": make_handle("acme", RUN, 1, 0)}, 1)
    assert text.endswith("ab [masked]")


def test_the_mark_of_text_from_outside_stays_on_what_is_read() -> None:
    reader = Reader(sample_tools.echo)
    reader.call("echo", {"text": "words\n", "times": 30_000}, 0)
    place = ("acme", RUN, 1, 0)
    for index, untrusted in ((1, False), (2, True)):
        reader.world.calls.stored[place] = reader.world.calls.stored[place].model_copy(update={"untrusted": untrusted})
        reader.call(READ_RESULT, {"handle": make_handle(*place)}, index)
        assert reader.world.calls.get_call("acme", RUN, 1, index).untrusted is untrusted


def test_the_result_of_a_call_that_is_tried_again_is_kept_once() -> None:
    reader = Reader(sample_tools.echo)
    for _ in range(2):
        reader.call("echo", {"text": "words\n", "times": 30_000}, 0)
    assert len(reader.store.kept) == 1


def test_fifty_results_of_one_step_each_have_their_own_handle() -> None:
    reader = Reader(sample_tools.echo)
    shown = [reader.call("echo", {"text": f"{index} words\n", "times": 20_000}, index) for index in range(50)]
    handles = {match[0] for text in shown if (match := HANDLE.search(text))}
    assert len(handles) == 50 and len(reader.store.kept) == 50
