"""The wiring of a tool's function; the variable TOOL_MODULE says which tool."""

from collections.abc import Sequence
from functools import cache

from pydantic import BaseModel

from pentad.aws.clients import get_session_client
from pentad.aws.table import Table
from pentad.domain.errors import ConfigurationError
from pentad.domain.tracing import find_call_place, parse_traceparent
from pentad.runtime.clock import now
from pentad.runtime.settings import ToolSettings, read_settings
from pentad.runtime.wiring.ground.telemetry import telemetry_of
from pentad.tools.declare.discovery import AnyTool, load_tool
from pentad.tools.declare.reach import resolve_names
from pentad.tools.files.ports import FileStore
from pentad.tools.outside.ports import HttpClient, ToolSecrets
from pentad.tools.records.adapters.records_dynamodb import DynamoRecords
from pentad.tools.records.ports import RecordTable
from pentad.tools.results.adapters.upload_http import put_by_http
from pentad.tools.runtime.handed import HandedCall
from pentad.tools.runtime.serve import ServeTool


def tool_service() -> str:
    """Return the name of this tool's function without the deployment's prefix."""
    values = read_settings(ToolSettings)
    if values.mcp_server is not None:
        return f"tool-mcp-{values.mcp_server}"
    module = values.tool_module
    return f"tool-{module.rsplit('.', 1)[-1].replace('_', '-')}"


def make_served_tool(handed: HandedCall) -> ServeTool:
    """Return what answers a call: the tool that this function is for, with what the call's credentials reach."""
    tool = _load_own_tool(handed.tool)
    place = parse_traceparent(handed.traceparent)
    telemetry_of(tool_service()).join(
        place or find_call_place(handed.tenant_id, handed.run_id, handed.step, handed.index)
    )
    if "checkpoints" in tool.needs:
        # LangGraph takes a second to import, and is only in the functions of tools that run a graph.
        from pentad.runtime.wiring.ground.graphs import make_equipment

        values = read_settings(ToolSettings)
        tool = tool.with_equipment(make_equipment(values, handed, telemetry_of(tool_service())))
    settings = _read_own_settings(tool)
    secrets = _make_secrets(handed)
    egress = resolve_names(tool.egress, settings)
    _hold_to_egress(tool, egress, handed)
    return ServeTool(
        tool,
        records=_make_records,
        now=now,
        settings=settings,
        secrets=secrets,
        outside=_make_http_client(handed, egress, secrets),
        files=_make_files,
        upload=put_by_http,
        on_failure=secrets.forget_used if secrets is not None else lambda: None,
    )


@cache
def _load_own_tool(name: str | None) -> AnyTool:
    """Return the tool of this function; ``name`` says which, where it is that of a remote server.

    Raises:
        ConfigurationError: the server has no such tool.
    """
    values = read_settings(ToolSettings)
    if values.mcp_server is None:
        return load_tool(values.tool_module)
    # Only functions of remote servers read the catalog.
    from pentad.runtime.wiring.ground.remote_tools import load_remote_tool

    return load_remote_tool(values.mcp_server, name)


def _read_own_settings(tool: AnyTool) -> BaseModel | None:
    """Return what ``tools.yaml`` says of this tool: the synth has checked it."""
    model, values = tool.settings, read_settings(ToolSettings).tool_settings
    return None if model is None or values is None else model.model_validate_json(values)


def _make_secrets(handed: HandedCall) -> ToolSecrets | None:
    """Return what reads the tool's secrets, of which `ToolSettings.tool_secrets` says where they are."""
    places = read_settings(ToolSettings).tool_secrets
    if not places:
        return None
    # Only functions of tools that declare a secret import what reads one.
    from pentad.runtime.wiring.ground.tool_secrets import make_tool_secrets

    return make_tool_secrets(places, handed.keys)


def _make_http_client(handed: HandedCall, egress: Sequence[str], secrets: ToolSecrets | None) -> HttpClient | None:
    """Return what speaks HTTP to the hosts that the tool declares; None where it declares none."""
    if not egress:
        return None
    # httpcore takes 45 ms to import, and is only in the processes of tools that declare hosts.
    from pentad.runtime.wiring.ground.egress import make_http_client

    return make_http_client(egress, handed.deadline, secrets)


def _hold_to_egress(tool: AnyTool, egress: tuple[str, ...], handed: HandedCall) -> None:
    """Hold the process's own connections to the tool's hosts, where it says something of them."""
    if not tool.holds_connections:
        # A process answers for one tool, or for those of one remote server, which all have the same hosts.
        return
    # Only the processes of tools that declare hosts are held, and read what holds them.
    from pentad.runtime.wiring.ground.egress import hold_to_egress

    hold_to_egress(tool.name, egress, telemetry_of(tool_service()), handed.whole.url if handed.whole else None)


def _make_files(handed: HandedCall) -> FileStore:
    bucket = read_settings(ToolSettings).payload_bucket
    if bucket is None or handed.keys is None:
        raise ConfigurationError("the tool has no bucket of files", fix="declare a Grant on files")
    # Only functions of tools with files import the adapter, and only they make a client of S3.
    from pentad.tools.files.adapters.files_s3 import S3Files

    return S3Files(get_session_client("s3", **handed.keys.model_dump()), bucket, handed.tenant_id)


def _make_records(handed: HandedCall) -> RecordTable:
    name = read_settings(ToolSettings).records_table
    if name is None or handed.keys is None:
        raise ConfigurationError("the tool has no records table", fix="declare a Grant on records")
    return DynamoRecords(Table(get_session_client("dynamodb", **handed.keys.model_dump()), name), handed.tenant_id)
