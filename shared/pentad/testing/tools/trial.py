"""A tool by itself: its arguments are checked and its result is cleaned as in a deployment, records are in memory."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from pentad.domain.canonical import sha256_of
from pentad.domain.errors import ConfigurationError, ToolFailed
from pentad.domain.reading.json_text import read_json
from pentad.domain.secrets import KNOWN
from pentad.tools.credentials.masking import register_secret
from pentad.tools.declare.declare import Tool
from pentad.tools.outside.ports import Credential, HttpAnswer, HttpClient
from pentad.tools.records.adapters.records_memory import MemoryRecords
from pentad.tools.runtime.handed import HandedCall, ToolAnswer
from pentad.tools.runtime.outcome import make_outcome
from pentad.tools.runtime.serve import ServeTool

_RUN = "run_" + "0" * 26


@dataclass(frozen=True)
class TrialAnswer:
    """What a call came to.

    Args:
        text: what the model reads.
        is_error: the tool was refused its arguments, or failed.
        error_type: the error's class; one such as ``ToolUnavailable`` lets a deployment try the call again.
        undo: what the tool keeps for its undo.
    """

    text: str
    is_error: bool
    error_type: str | None
    undo: dict[str, Any] | None

    @property
    def value(self) -> Any:
        """The result as JSON; its text where it is none."""
        try:
            return read_json(self.text)
        except ValueError:
            return self.text


@dataclass
class ScriptedHttp:
    """An `HttpClient` that answers what a test says, in order, and keeps what it was asked.

    Args:
        answers: each a status and a body: text, or what is sent as JSON.
    """

    answers: list[tuple[int, Any]]
    asked: list[dict[str, Any]] = field(default_factory=list)

    def request(self, method: str, url: str, **given: Any) -> HttpAnswer:
        """Return the next answer; see `HttpClient`."""
        if not self.answers:
            raise AssertionError(f"the tool asks {method} {url}, and the test has no answer left")
        self.asked.append({"method": method, "url": url, **given})
        status, body = self.answers.pop(0)
        sent = body if isinstance(body, str) else json.dumps(body)
        return HttpAnswer(status, {}, sent.encode(), url)


class ToolTrial:
    """Calls a tool, and undoes its calls.

    Args:
        tool: the declared tool.
        settings: as ``tools.yaml`` would give them; the model's defaults where None.
        secrets: the text of each secret by its name.
        http: answers in the place of hosts, such as `ScriptedHttp`.
        tenant_id: whose calls they are.
        user_id: on whose behalf.

    Attributes:
        records: what tools keep, of all tenants.
    """

    def __init__(
        self,
        tool: Tool[Any, Any],
        *,
        settings: BaseModel | None = None,
        secrets: Mapping[str, str] | None = None,
        http: HttpClient | None = None,
        tenant_id: str = "acme",
        user_id: str | None = "ada",
    ) -> None:
        self.records = MemoryRecords()
        self._tool = tool
        self._tenant_id, self._user_id = tenant_id, user_id
        self._calls = 0
        self._serve = ServeTool(
            tool,
            records=lambda handed: self.records.get_store(handed.tenant_id),
            now=lambda: datetime.now(UTC),
            settings=settings if settings is not None or tool.settings is None else tool.settings(),
            secrets=_FixedSecrets(secrets or {}),
            outside=http,
        )

    def call(self, **arguments: Any) -> TrialAnswer:
        """Call the tool with arguments as a model gives them, and return what it comes to."""
        self._calls += 1
        answer = self._hand("run", arguments=json.loads(json.dumps(arguments)))
        if answer.kind == "again":
            return TrialAnswer(answer.text, True, answer.error_type, None)
        outcome = make_outcome(answer, reversible=self._tool.undo is not None, safe=self._tool.spec.safe_output)
        return TrialAnswer(outcome.text, outcome.is_error, outcome.error_type, outcome.undo)

    def undo(self, answer: TrialAnswer) -> None:
        """Undo a call.

        Args:
            answer: what the call came to.

        Raises:
            AssertionError: it left nothing to undo, or the undo failed; the message is the tool's.
        """
        if answer.undo is None:
            raise AssertionError("the call left nothing to undo")
        done = self._hand("undo", undo=answer.undo)
        if done.kind != "undone":
            raise AssertionError(f"the undo failed: {done.text}")

    def _hand(self, op: str, **given: Any) -> ToolAnswer:
        handed = HandedCall.model_validate(
            {
                "op": op,
                "tenant_id": self._tenant_id,
                "run_id": _RUN,
                "session_id": "trial",
                "user_id": self._user_id,
                "agent": "trial",
                "step": 1,
                "index": self._calls - 1,
                "effect_key": sha256_of([op, self._calls]),
                "deadline": time.time() + 30,
                **given,
            }
        )
        given_over = HandedCall.model_validate_json(handed.model_dump_json(by_alias=True))
        with KNOWN.forget_after():  # as in the process of the tool's own function, and of no other test
            answer = self._serve(given_over, remaining_seconds=lambda: 30.0)
        return ToolAnswer.model_validate_json(answer.model_dump_json(by_alias=True))


class _FixedSecrets:
    """Secrets that a test says."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def get(self, tenant_id: str, name: str) -> Credential:
        """Return a secret; see `ToolSecrets`."""
        if name not in self._values:
            raise ConfigurationError(
                f"the trial has no secret '{name}'", field="secrets", fix=f'give it: secrets={{"{name}": "..."}}'
            )
        register_secret(self._values[name], name=name)
        return Credential(self._values[name])

    def renew(self, tenant_id: str, name: str, refused: Credential) -> Credential:
        """Say that there is no other value; see `ToolSecrets`."""
        raise ToolFailed(f"the secret '{name}' was refused, and the trial has no other one")

    def forget_used(self) -> None:
        """Do nothing: values do not change in a trial."""

    def get_token(self, tenant_id: str, name: str, http: HttpClient, *, refused: str = "") -> str:
        """Return the secret's text as the token: no vendor is asked for one in a trial."""
        return self.get(tenant_id, name).text
