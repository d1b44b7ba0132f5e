"""Any nesting of fragments synthesizes, is valid, and runs to the end that its parts say, whatever is in what."""

import json

import pytest
from hypothesis import HealthCheck, example, given, settings

from infra.orchestration.fragments import Flow, Fragment
from pentad.domain.runs import RunStatus
from tests.twin.machine.stage import Stage
from tests.twin.workflows.bench import Bench, states_in
from tests.twin.workflows.nestings import Built, Node, build, lacks, nodes, succeeds

pytestmark = [pytest.mark.twin, pytest.mark.xdist_group("fragments")]

LOOPS = Node("refine", (Node("any", (Node("refine", (Node("model"),), 0.2), Node("broken"))),), 0.2)
DEEP = Node("parallel", (Node("branch", (Node("sequential", (Node("agent"), Node("tool"))), Node("broken"))), LOOPS))


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nodes)
@example(LOOPS)
@example(DEEP)
def test_any_nesting_runs_to_the_end_that_its_parts_say(stage: Stage, node: Node) -> None:
    built = Built()

    def make(flow: Flow) -> Fragment:
        flow.answer = "done: {{last}}"
        return flow.sequential(build(flow, node, built), flow.text("last", "{{input}}"))

    def say(name: str, time: int) -> str:
        if name in built.scores:
            return json.dumps({"score": built.scores[name] + 0.25 * (time % 2)})
        return json.dumps({"first": True}) if name.startswith("choice") else f"{name} {time}"

    bench = Bench(stage, make, say, broken=frozenset({"broken"}))
    run = bench.run("it")
    names = [name for name, _ in states_in(bench.definition)]
    assert len(names) == len(set(names))
    wanted = RunStatus.FAILED if not succeeds(node) else RunStatus.DEGRADED if lacks(node) else RunStatus.SUCCEEDED
    assert run.status is wanted, bench.ended
    assert (bench.ended["status"] == "SUCCEEDED") is succeeds(node)
    assert run.answer == ("done: it" if succeeds(node) else None)
    assert bench.world.runs.find_lease_holder(run.tenant_id, run.session_id) is None
    places = [result.place for result in bench.results.list_for_run(run.tenant_id, run.run_id)]
    assert len(places) == len(set(places))
    assert len(bench.model.asked) == len({place for place in places if bench.is_models(place)})
