"""The wiring of functions.orchestration.run_tool."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import ceil

from pentad.aws.clients import get_client
from pentad.domain.declarations.agents import FIND_TOOLS
from pentad.domain.errors import PentadError
from pentad.domain.models import CallContext
from pentad.models.remote.adapters.mac_kms import KmsMacKey
from pentad.models.remote.identity import Identity, sign_identity
from pentad.observability.ports import Telemetry
from pentad.orchestration.switches.adapters.switches_dynamodb import DynamoSwitches
from pentad.orchestration.switches.switchboard import Switches
from pentad.runtime.catalog import load_catalog
from pentad.runtime.clock import now
from pentad.runtime.finding import make_finder
from pentad.runtime.results import answer_read
from pentad.runtime.settings import ToolRunnerSettings, read_settings
from pentad.runtime.wiring.ground.audit import make_sealed_log
from pentad.runtime.wiring.ground.stores import make_runs, make_table, make_whole_results
from pentad.runtime.wiring.ground.telemetry import telemetry_of
from pentad.tools.graphs.adapters.inner_audit_dynamodb import DynamoInnerAudit
from pentad.tools.graphs.adapters.nodes_dynamodb import DynamoGraphNodes
from pentad.tools.graphs.equipment import PURPOSE
from pentad.tools.graphs.node_spans import LostNodes
from pentad.tools.policy.adapters.sums_dynamodb import DynamoCallSums
from pentad.tools.policy.admission import CallAdmission
from pentad.tools.policy.sums import TakeSums
from pentad.tools.rates.adapters.buckets_dynamodb import DynamoTokenBuckets
from pentad.tools.rates.limit import ToolRates
from pentad.tools.results.keep import KeepResults
from pentad.tools.results.read import READ_RESULT, ReadResults
from pentad.tools.runtime.adapters.audit_dynamodb import DynamoAudit
from pentad.tools.runtime.adapters.call_order_dynamodb import DynamoCallOrder
from pentad.tools.runtime.adapters.data_keys_sts import StsDataKeys
from pentad.tools.runtime.adapters.effects_dynamodb import DynamoEffects
from pentad.tools.runtime.adapters.functions_builtin import BuiltinFunctions
from pentad.tools.runtime.adapters.functions_lambda import LambdaFunctions, Prove
from pentad.tools.runtime.function_names import find_group
from pentad.tools.runtime.handed import HandedCall
from pentad.tools.runtime.one_by_one import OneByOne
from pentad.tools.runtime.runner import ToolRunner

_NAME = "run-tool"
_GRAPH = "checkpoints"


@cache
def make_tool_runner() -> ToolRunner:
    """Return what runs tools' calls."""
    values, telemetry = read_settings(ToolRunnerSettings), telemetry_of(_NAME)
    ledger = make_table(values.ledger_table)
    catalog = load_catalog()
    needs = catalog.tool_data
    transient = make_table(values.transient_table)
    graphs = [name for name, data in needs.items() if _GRAPH in data]
    runs, whole = make_runs(values), make_whole_results(values.payload_bucket, values.aws_endpoint_url)
    functions = LambdaFunctions(
        # One attempt: a second one would run the tool twice.
        lambda seconds: get_client("lambda", read_timeout=5.0 * ceil(seconds / 5), attempts=1),
        values.tool_function_prefix,
        keys=StsDataKeys(get_client("sts"), _find_role(values), needs),
        prove=_make_prover(values.identity_key, needs),
        grouped=values.tools_grouped,
    )
    reading = ReadResults(whole)
    return ToolRunner(
        catalog=catalog,
        runs=runs,
        functions=BuiltinFunctions(
            functions,
            {
                READ_RESULT: lambda handed: answer_read(handed, reading, runs, catalog),
                FIND_TOOLS: make_finder(catalog),
            },
        ),
        effects=DynamoEffects(make_table(values.state_table)),
        audit=DynamoAudit(ledger, make_sealed_log(ledger, values.audit_key, telemetry)),
        telemetry=telemetry,
        now=now,
        gate=Switches(DynamoSwitches(transient), telemetry, now),
        order=OneByOne(DynamoCallOrder(transient)),
        admission=CallAdmission(
            ToolRates(DynamoTokenBuckets(transient), telemetry, now), TakeSums(DynamoCallSums(transient), now)
        ),
        inner=DynamoInnerAudit(make_table(values.state_table), graphs) if graphs else None,
        tell_lost=LostNodes(DynamoGraphNodes(make_table(values.state_table)), graphs, telemetry).record,
        results=KeepResults(whole, lambda error: _tell_lost(telemetry, error)),
    )


def _tell_lost(telemetry: Telemetry, error: PentadError) -> None:
    telemetry.log_event("result.not_kept", level="WARNING", error=type(error).__name__)


def _find_role(values: ToolRunnerSettings) -> Callable[[str], str]:
    """Return what says which role a tool's data is reached with."""
    return lambda tool: values.tool_data_roles.get(find_group(tool), values.tool_data_role)


def _make_prover(key: str | None, needs: Mapping[str, Sequence[str]]) -> Prove:
    """Return what signs for whom a graph asks the gateway; other tools ask no model, and get nothing."""
    mac = None if key is None else KmsMacKey(get_client("kms"), key)

    def prove(tool: str, handed: HandedCall) -> str | None:
        if mac is None or _GRAPH not in needs.get(tool, ()):
            return None
        context = CallContext(
            tenant_id=handed.tenant_id,
            agent=handed.agent,
            user_id=handed.user_id,
            session_id=handed.session_id,
            run_id=handed.run_id,
            step=handed.step,
            purpose=PURPOSE,
        )
        return sign_identity(Identity(context=context, tool=tool, expires=handed.deadline), mac)

    return prove
