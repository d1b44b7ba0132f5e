"""Map Runs: DescribeMapRun, ListMapRuns, UpdateMapRun, and the child executions of a run.

What moto gets wrong: a list of runs has no pages; an update changes nothing; child executions can be neither listed
nor described; who asks for a run while an execution begins gets an error.
"""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.exceptions import ResourceNotFound
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from twin.machine.distributed.runs import MapRun, find_run
from twin.machine.executions import find
from twin.moto_patches.patching import Patches


def read_run(map_run_arn: str) -> MapRun:
    """Return a Map Run.

    Raises:
        ResourceNotFound: there is none, or it is no longer kept.
    """
    run = find_run(map_run_arn)
    if run is None:
        raise ResourceNotFound(map_run_arn)
    return run


def _describe_map_run(self: Any) -> ActionResult:
    return ActionResult(read_run(self._get_param("mapRunArn")).describe())


def _list_map_runs(self: Any) -> ActionResult:
    execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    environment = execution.exec_worker.env if execution.exec_worker is not None else None
    runs = environment.map_run_record_pool_manager.get_all() if environment is not None else []
    return ActionResult({"mapRuns": [run.list_item() for run in reversed(runs)]})


def _update_map_run(self: Any) -> EmptyResult:
    fields = ("maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage")
    read_run(self._get_param("mapRunArn")).update(*(self._get_param(field) for field in fields))
    return EmptyResult()


def _wrap_describe_execution(original: Any) -> Any:
    """Child executions stand in no machine's list: their names are those of a machine and a run."""

    def describe(self: Any, execution_arn: str) -> Any:
        found = find(execution_arn) if "/" in execution_arn else None
        return original(self, execution_arn) if found is None else found

    return describe


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    describe = StepFunctionsParserBackend.describe_execution
    patches.set_attribute(StepFunctionsParserBackend, "describe_execution", _wrap_describe_execution(describe))
    for name, operation in (
        ("describe_map_run", _describe_map_run),
        ("list_map_runs", _list_map_runs),
        ("update_map_run", _update_map_run),
    ):
        patches.set_attribute(StepFunctionResponse, name, operation)
