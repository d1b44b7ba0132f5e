"""The tools' functions through Lambda's Invoke: the runner waits for the answer, and never repeats a call itself."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError
from pydantic import ValidationError

from pentad.aws.errors import SNAP_START, code_of
from pentad.domain.errors import (
    ConfigurationError,
    InvalidInput,
    PolicyDenied,
    StoreUnavailable,
    ToolBusy,
    ToolFailed,
    ToolThrottled,
    ToolUnavailable,
)
from pentad.domain.reading.json_text import read_json
from pentad.tools.runtime.function_names import name_function
from pentad.tools.runtime.handed import MAX_PAYLOAD_BYTES, HandedCall, ToolAnswer, read_answer
from pentad.tools.runtime.ports import DataKeys

_NO_ROOM = SNAP_START | {
    "EC2ThrottledException",
    "ENILimitReachedException",
    "ResourceConflictException",
    "ResourceNotReadyException",
    "SubnetIPAddressLimitReachedException",
    "ThrottlingException",
    "TooManyRequestsException",
}
"""What Invoke answers before anything is run: no concurrency, or nothing to run the function on yet. Source: the errors
of Invoke in Lambda's API reference."""
_GONE = frozenset({"ResourceNotFoundException", "AccessDeniedException"})
_SPARE_SECONDS = 5.0
"""Waited for beyond the tool's own time: its function ends first, and tells so."""
_OVER = 900.0
"""Lambda's longest time, in seconds."""
Invoke = Callable[[float], Any]
"""Given the seconds to wait for an answer, returns a low-level client of Lambda that asks once only."""
Prove = Callable[[str, HandedCall], str | None]
"""Given a tool and a call, returns what proves to the gateway for whom the tool asks; None where it asks no model."""


class LambdaFunctions:
    """`ToolFunctions` of a deployment.

    Args:
        clients: makes the client; see `Invoke`.
        prefix: name of the tools' functions up to the tool's name.
        keys: credentials for the tools' data.
        prove: see `Prove`.
        grouped: the tools are in groups; see `name_function`.
        clock: ``time.time``.
    """

    def __init__(
        self,
        clients: Invoke,
        prefix: str,
        *,
        keys: DataKeys,
        prove: Prove,
        grouped: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clients = clients
        self._prefix = prefix
        self._keys = keys
        self._prove = prove
        self._grouped = grouped
        self._clock = clock

    def call(self, tool: str, handed: HandedCall, *, function: str | None) -> ToolAnswer:
        """See `ToolFunctions`."""
        # A tool may have moved into a group, or out of one, since the run began: then its newest function runs.
        names = [name_function(self._prefix, tool, grouped=grouped) for grouped in (self._grouped, not self._grouped)]
        if function is not None and function.split(":")[6:7] not in ([name] for name in names):
            raise PolicyDenied(f"'{function}' is not the function of the tool '{tool}'", field="function")
        given = self._prepare(tool, handed)
        # A function of before there was such a field refuses it; a run that began then has none.
        unknown = {name for name in ("traceparent", "tool") if getattr(given, name) is None}
        payload = given.model_dump_json(by_alias=True, exclude=unknown).encode()
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise InvalidInput(
                f"the call has {len(payload):,} bytes", field="arguments", fix=f"at most {MAX_PAYLOAD_BYTES:,}"
            )
        return self._invoke(names[:1] if function is None else [function, *names], payload, handed.deadline)

    def _prepare(self, tool: str, handed: HandedCall) -> HandedCall:
        """Return the call with what proves to others for whom the tool asks."""
        seconds = max(1.0, handed.deadline - self._clock())
        try:
            keys = self._keys.get(tool, handed.tenant_id, handed.run_id, seconds=seconds)
            identity = self._prove(tool, handed)
        except StoreUnavailable as error:
            raise ToolThrottled(f"{error.message}; nothing was begun", retry_after=error.retry_after) from error
        return handed.model_copy(update={"keys": keys, "identity": identity})

    def _invoke(self, functions: Sequence[str], payload: bytes, deadline: float) -> ToolAnswer:
        """Let the first of the functions answer that there is."""
        function, *others = functions
        seconds = min(max(1.0, deadline - self._clock()) + _SPARE_SECONDS, _OVER)
        try:
            reply = self._clients(seconds).invoke(FunctionName=function, Payload=payload)
            data = reply["Payload"].read()
        except ClientError as error:
            code = code_of(error)
            if code in _NO_ROOM:
                raise ToolBusy(f"Lambda had no room for the tool's function ({code}); nothing was begun") from error
            if code in _GONE and others:
                # Of a function that is gone the role may know nothing any more, and IAM answers before Lambda looks.
                return self._invoke(others, payload, deadline)
            if code in _GONE:
                raise ConfigurationError(f"the tool's function can't be called: {code}") from error
            raise ToolUnavailable(f"the tool's function did not answer: {code}") from error
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise ToolThrottled("Lambda could not be reached; nothing was begun") from error
        except BotoCoreError as error:
            raise ToolUnavailable(f"the tool's function could not be reached: {type(error).__name__}") from error
        if reply.get("FunctionError"):
            raise _make_death(data)
        return _parse_answer(data)


def _make_death(data: bytes) -> ToolUnavailable | ToolFailed | ConfigurationError:
    """Return the error of a function that ended without an answer.

    A process that died or ran out of time may be tried again, as a state would; what its handler raised is a fault of
    the deployment, and stays one. Of what it said nothing is repeated: it may hold anything.
    """
    try:
        told = read_json(data)
    except ValueError:
        told = {}
    kind = str(told.get("errorType") if isinstance(told, dict) else "")
    if kind == "Sandbox.Timedout":
        return ToolUnavailable("the tool's function did not answer in time")
    if kind == "Runtime.ExitError":
        return ToolUnavailable("the tool's function ended without an answer")
    if kind == ConfigurationError.__name__:
        return ConfigurationError("the tool's function is not set up; its log says why", fix="see its log")
    return ToolFailed("the tool's function failed outside of the tool; its log says why")


def _parse_answer(data: bytes) -> ToolAnswer:
    try:
        return read_answer(data)
    except ValidationError:
        name = ToolFailed.__name__
        return ToolAnswer(kind="error", text=f"{name}: the tool's function gave no usable answer", error_type=name)
