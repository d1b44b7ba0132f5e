"""DynamoDB requests of a plain answer as it is deployed, by function: docs/benchmarks.md says what each is for."""

from collections import Counter

import httpx
import pytest

from tests.twin.stack.world import Stack, await_memories
from twin.front.front import COUNTS_PATH

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("stack-own")]

MOST = {"recall": 5, "gateway": 32, "deliver": 4, "remember": 12}
"""On warm functions; what a process keeps for a while, such as circuits, may be read or not. The API's depend on how
often it looks if a run has ended; `tests/contract/orchestration/test_requests.py` counts those of a start.
"""


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
        for name in MOST
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
