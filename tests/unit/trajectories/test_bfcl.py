"""The benchmark's entries are read as trajectories, and its backends' state survives being stored."""

import ast
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pentad.domain.canonical import canonical_json
from tests.twin.trajectories.bfcl import domain
from tests.twin.trajectories.bfcl.backend import KEY, decoded, encoded, told
from tests.twin.trajectories.bfcl.conversation import Conversation, conversation, unplayable
from tests.twin.trajectories.bfcl.deployed import Benchmark, groups
from tests.twin.trajectories.bfcl.entries import Entry, Turn, called, entries, functions
from tests.twin.trajectories.bfcl.replay import Replayed, compared
from tests.twin.trajectories.bfcl.truth import Application, as_tool_result
from tests.twin.trajectories.play import Played
from tests.twin.trajectories.project import tools_of

FILES = {
    "GorillaFileSystem": {
        "root": {
            "home": {
                "type": "directory",
                "contents": {
                    "old": {"type": "directory", "contents": {}},
                    "a.txt": {"type": "file", "content": "first\nsecond"},
                },
            }
        }
    }
}


def entry(*turns: tuple[str, ...], classes: tuple[str, ...] = ("GorillaFileSystem",)) -> Entry:
    made = tuple(Turn(f"Do {place}.", calls) for place, calls in enumerate(turns, start=1))
    return Entry("mine", made, classes, FILES, long=False)


@pytest.fixture(scope="module")
def base() -> list[Entry]:
    return entries("base")


def test_the_base_category_has_all_its_conversations(base: list[Entry]) -> None:
    assert (len(base), sum(len(one.turns) for one in base), sum(len(one.calls) for one in base)) == (200, 734, 1142)


def test_calls_become_tool_calls_with_all_arguments_named() -> None:
    [turn] = conversation(entry(("tail('a.txt', lines=1)",)), functions(), set()).trajectory.turns
    [call] = turn.calls
    assert (call.tool, call.arguments) == ("tail", {"file_name": "a.txt", "lines": 1})
    assert call.result == '{"last_lines": "second"}'


def test_a_camel_case_function_is_a_tool_in_our_spelling() -> None:
    assert functions()["displayCarStatus"].tool == "display_car_status"


def test_calls_whose_order_matters_come_in_replies_of_their_own() -> None:
    calls = ("cd('old')", "cd('..')", "cat('a.txt')", "ls()", "pwd()")
    [turn] = conversation(entry(calls), functions(), {"cd"}).trajectory.turns
    assert [[call.tool for call in reply.calls] for reply in turn.replies] == [["cd"], ["cd"], ["cat", "ls", "pwd"], []]


def test_calls_of_different_backends_come_in_one_reply() -> None:
    both = entry(("cd('old')", "mean([1, 2])"), classes=("GorillaFileSystem", "MathAPI"))
    [turn] = conversation(both, functions(), {"cd"}).trajectory.turns
    assert [len(reply.calls) for reply in turn.replies] == [2, 0]


def test_what_changes_a_backend_is_found_by_applying_the_calls() -> None:
    assert Benchmark.of([entry(("cd('old')", "pwd()"), ("touch('b')", "ls()"))]).changing == {"cd", "touch"}


def test_a_turn_without_words_of_the_user_can_not_be_a_run() -> None:
    silent = Entry("mine", (Turn("Do.", ("ls()",)), Turn("", ("pwd()",))), ("GorillaFileSystem",), FILES, long=False)
    assert unplayable(silent, functions()) == "the user says nothing in a turn"
    assert unplayable(entry(("ls()",), ()), functions()) is None


def test_a_call_that_contradicts_the_documents_can_not_be_played() -> None:
    fits, contradicts = entry(("tail('a.txt', lines=1)",)), entry(("tail('a.txt', lines='1')",))
    assert unplayable(fits, functions()) is None
    assert "another type than the benchmark documents" in str(unplayable(contradicts, functions()))


def test_a_result_without_a_json_form_is_told_in_pythons_words() -> None:
    result = told({"result": complex(1, 2)})
    assert result == "{'result': (1+2j)}"
    assert [told(one) for one in (None, "text", {"a": 1}, ["a"])] == [None, "text", {"a": 1}, "['a']"]


def test_a_whole_number_that_became_a_float_is_no_difference() -> None:
    played, wanted = _played(entry(("touch('b')",)))
    left = json.loads(played.records[0][2])
    left["nodes"][0]["attributes"]["long_context"] = 0.0
    assert compared(replace(played, records=[(*played.records[0][:2], json.dumps(left))]), wanted).differences == []


def test_a_stored_backend_goes_on_where_it_was() -> None:
    whole, stored = Application(entry()), Application(entry())
    whole.run("cd('old')", "touch('b')")
    stored.run("cd('old')")
    found = decoded(json.loads(canonical_json(stored.database()["GORILLAFILESYSTEM"][KEY])))
    found.touch("b")
    assert {"GORILLAFILESYSTEM": {KEY: encoded(found)}} == whole.database()
    assert whole.agrees({"GORILLAFILESYSTEM": {KEY: encoded(found)}})


def test_the_benchmarks_judge_tells_another_state() -> None:
    mine, other = Application(entry()), Application(entry())
    other.run("touch('b')")
    assert not mine.agrees(other.database())


def test_random_numbers_go_on_after_being_stored(base: list[Entry]) -> None:
    travel = next(one for one in base if "TravelAPI" in one.classes)
    backend = Application(travel).instances["TravelAPI"]
    again = decoded(json.loads(canonical_json(encoded(backend))))
    assert again._random.random() == backend._random.random()


def test_a_value_that_has_no_json_form_is_refused() -> None:
    backend = Application(entry()).instances["GorillaFileSystem"]
    backend.opened = object()
    with pytest.raises(TypeError, match="holds a object"):
        encoded(backend)


def test_every_function_is_a_module_that_declares_one_tool_with_the_documented_parameters() -> None:
    for function in functions().values():
        [tool] = [one for one in ast.parse(domain.source(function, True)).body if isinstance(one, ast.FunctionDef)]
        documented = list(function.parameters["properties"])
        assert tool.name == function.tool
        assert [one.arg for one in tool.args.kwonlyargs if one.arg != "context"] == documented


def _played(entry_: Entry) -> tuple[Played, Conversation]:
    """Return an entry as if it had been played well."""
    wanted = conversation(entry_, functions(), {"cd", "touch"})
    records = [(kind, key, canonical_json(one)) for kind, of in wanted.left().items() for key, one in of.items()]
    calls = [
        {"tool": call.tool, "arguments": call.arguments, "result": call.result} for call in wanted.trajectory.calls
    ]
    runs = [{"status": "succeeded"} for _ in wanted.trajectory.turns]
    times = {("run", place, 0): 1 for place, _ in enumerate(calls, start=1)}
    return Played(runs, calls, records, times, {"unexpected": [], "unconsumed": []}), wanted


def test_nothing_differs_where_all_is_as_the_executor_has_it() -> None:
    assert compared(*_played(entry(("touch('b')", "ls()")))) == Replayed(same_state=True, differences=[])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"records": []}, "the state of GORILLAFILESYSTEM differs"),
        ({"executions": {("run", 1, 0): 1, ("run", 2, 0): 2}}, "of 2 calls 2 ran, one of them 2 times"),
        ({"executions": {("run", 1, 0): 1}}, "of 2 calls 1 ran, one of them 1 times"),
        ({"runs": [{"status": "stopped", "stop_reason": "a loop"}]}, "run 1 is stopped: a loop"),
        ({"runs": []}, "0 of 1 turns were played"),
        ({"script": {"unexpected": [], "unconsumed": [{"step": 2}]}}, "the model was not asked for a step: 2"),
    ],
    ids=["state", "twice", "not run", "stopped", "turns", "script"],
)
def test_what_is_not_as_the_executor_has_it_is_told(change: dict[str, Any], said: str) -> None:
    played, wanted = _played(entry(("touch('b')", "ls()")))
    assert compared(replace(played, **change), wanted).differences == [said]


def test_another_result_of_a_call_is_told() -> None:
    played, wanted = _played(entry(("touch('b')", "ls()")))
    played.calls[1]["result"] = "[]"
    assert compared(played, wanted).differences == [
        """call 2, ls, came to '[]', not '{"current_directory_content": ["old", "a.txt", "b"]}'"""
    ]


def test_groups_need_at_most_so_many_tools_and_lose_no_entry(base: list[Entry]) -> None:
    found = groups(base, most=40)
    assert [one for group in found for one in group] == base
    assert all(len({name for one in group for name in called(one)}) <= 40 for group in found)


@pytest.mark.parametrize(
    ("result", "told"),
    [("None", "done"), ('{"a": 1.5}', '{"a": 1.5}'), ('{"password": "x"}', '{"password": "[masked]"}')],
)
def test_results_are_expected_as_a_model_is_told_them(result: str, told: str) -> None:
    assert as_tool_result(result) == told


def test_a_domains_tools_find_the_code_that_they_share(tmp_path: Path) -> None:
    [one] = [function for name, function in functions().items() if name == "mean"]
    [mean] = tools_of(domain.make(tmp_path, [one], set())).values()
    assert mean(numbers=[1, 2]) == {"result": 1.5}
