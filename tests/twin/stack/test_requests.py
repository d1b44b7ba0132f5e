"""DynamoDB requests of a plain answer as it is deployed, by function: docs/benchmarks.md says what each is for."""

from collections import Counter

import httpx
import pytest

from pentad.cli.commands.runs.function_use import MODEL_CALL, USES, find_memory_mb
from tests.twin.stack.world import Stack, await_memories
from twin.front.front import COUNTS_PATH

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

EMBEDDING_AFTER = 6
MOST = {
    "recall": USES["recall"].requests,
    "gateway": USES["gateway"].requests + MODEL_CALL.requests + EMBEDDING_AFTER,
    "deliver": USES["deliver"].requests,
    "remember": 12,
}
"""On warm functions; what a process keeps for a while, such as circuits, may be read or not. The API's depend on how
often it looks if a run has ended; `tests/contract/orchestration/test_requests.py` counts those of a start.
What `pentad trace` estimates is of the same table, so it holds for both.
"""
KEPT = 4
"""So many of a function's requests are spared at most by what its process keeps for a while."""


def count_requests(stack: Stack) -> Counter[str]:
    """Return the requests to DynamoDB so far, by function."""
    answer = httpx.get(
        f"{stack.facts['aws_url']}{COUNTS_PATH}",
        headers={"x-twin-key": stack.facts["secret_access_key"]},
        trust_env=False,
    ).json()
    functions = stack.aws("lambda")
    roles = {
        functions.get_function_configuration(FunctionName=f"pentad-dev-{name}")["Role"].rsplit("/", 1)[-1]: name
        for name in (*MOST, *USES)
    }
    found: Counter[str] = Counter()
    for one in answer:
        if one["service"] == "dynamodb" and one["principal"] in roles:
            found[roles[one["principal"]]] += one["count"]
    return found


def test_a_plain_answer_makes_as_many_requests_as_the_table_says(scripted: Stack) -> None:
    tenant = scripted.tenant()
    for number in range(2):  # the first warms the functions up
        before = count_requests(scripted)
        scripted.simulator.load_script({"reply": {"text": "Paris."}})
        view = tenant.ask("What is the capital of France?", agent="assistant")
        await_memories(tenant, view["session"])
        made = count_requests(scripted) - before
        if number:
            assert {name: made[name] for name in MOST if made[name] > MOST[name]} == {}, made
            assert made["deliver"] == MOST["deliver"]
            assert {name: made[name] for name in MOST if made[name] < MOST[name] - KEPT} == {}, made


def test_a_tool_call_makes_as_many_requests_of_the_runner_as_the_table_says(scripted: Stack) -> None:
    tenant = scripted.tenant()
    call = {"name": "calculator", "arguments": {"expression": "1 + 1"}}
    for number in range(2):  # the first warms the functions up
        before = count_requests(scripted)
        scripted.simulator.load_script({"reply": {"tool_calls": [call]}}, {"reply": {"text": "2."}})
        tenant.ask("How much is 1 + 1?", agent="assistant")
        made = count_requests(scripted) - before
        if number:
            assert USES["run-tool"].requests - KEPT <= made["run-tool"] <= USES["run-tool"].requests, made


def test_functions_have_the_memory_that_a_trace_reckons_with(scripted: Stack) -> None:
    functions = scripted.aws("lambda")
    for name in (*USES, "await-human"):
        deployed = functions.get_function_configuration(FunctionName=f"pentad-dev-{name}")
        assert find_memory_mb(deployed["FunctionName"]) == deployed["MemorySize"], name
