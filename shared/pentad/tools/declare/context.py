"""What a tool's function receives besides its arguments, and what it may return besides its result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from pentad.domain.errors import ConfigurationError, ToolFailed
from pentad.tools.files.ports import FileStore
from pentad.tools.outside.declared_secrets import DeclaredSecrets
from pentad.tools.outside.ports import Credential, HttpClient
from pentad.tools.records.ports import RecordStore

T = TypeVar("T")
S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True)
class ToolContext:
    """On whose behalf a tool runs. A parameter annotated with it is injected and is in no schema.

    Args:
        tenant: the tenant; records are already narrowed to it.
        run: the run's id.
        session: the session's id.
        user: the user, where the run has one.
        step: the step of the run.
        index: the call's place in the step.
        effect_key: the same on every retry of this call. Ids of new things derived from it make running again harmless.
        now: the clock, UTC.
        remaining_seconds: seconds left of the function's time.
        tables: record stores by resource, one for each resource the tool has a grant on.
        traceparent: the call's span as W3C's Trace Context has it: send it as the header of that name.
        settings: what stands in ``tools.yaml`` under the tool's name, as the model that it declares.
        secrets: the declared secrets by name, each read when it is asked for.
        outside: speaks HTTP to the declared hosts; None where the tool declares none.
        kept: the tenant's files; None where the tool has no grant on them.
        again: an earlier try of this call was begun, and may have done it: look before doing it again.
    """

    tenant: str
    run: str
    session: str
    user: str | None
    step: int
    index: int
    effect_key: str
    now: Callable[[], datetime]
    remaining_seconds: Callable[[], float]
    tables: Mapping[str, RecordStore]
    traceparent: str | None = None
    settings: BaseModel | None = None
    secrets: Mapping[str, Credential] = field(default_factory=dict, repr=False)
    outside: HttpClient | None = None
    kept: FileStore | None = None
    again: bool = False

    @property
    def http(self) -> HttpClient:
        """What speaks HTTP to the hosts that the tool declares.

        Raises:
            ConfigurationError: it declares none, or there is no network here.
        """
        if self.outside is None:
            raise ConfigurationError(
                "HTTP is not available: the tool declares no egress, or it runs outside of a deployment",
                field="egress",
                fix='add egress=["api.example.com"] to @tool; in a test, give the context an outside=...',
            )
        return self.outside

    def settings_of(self, kind: type[S]) -> S:
        """Return the tool's settings, as the model that it declares.

        Args:
            kind: that model.

        Raises:
            ConfigurationError: the tool declares another one, or none.
        """
        if not isinstance(self.settings, kind):
            raise ConfigurationError(
                f"the tool asks for {kind.__name__}, and declares no such settings",
                field="settings",
                fix=f"add settings={kind.__name__} to @tool, and its values to tools.yaml",
            )
        return self.settings

    def secret(self, name: str) -> Credential:
        """Return the value of a secret as it is now: ask for it in each call, and keep it nowhere.

        Args:
            name: as it is declared; for ``settings.FIELD`` the field's value.

        Raises:
            ConfigurationError: the tool does not declare it, or nobody has stored it.
            ToolUnavailable: the store of secrets did not answer.
        """
        self._check_declared(name)
        return self.secrets[name]

    def renew_secret(self, name: str, refused: Credential) -> Credential:
        """Return another value than one that its service has just refused: it may have been rotated in this minute.

        Args:
            name: as in `secret`.
            refused: what `secret` returned.

        Raises:
            ToolFailed: there is no other one.
            ConfigurationError: as in `secret`.
            ToolUnavailable: as in `secret`.
        """
        self._check_declared(name)
        if not isinstance(self.secrets, DeclaredSecrets):
            raise ToolFailed(f"the credential '{name}' was refused", fix="store a valid one in Secrets Manager")
        return self.secrets.renew(name, refused)

    def access_token(self, name: str, *, refused: str = "") -> str:
        """Return a valid access token of OAuth 2.0, for the header ``Authorization: Bearer``.

        Args:
            name: of a declared secret ``{token_url, client_id, client_secret, refresh_token?, scope?}``; the host of
                its token_url has to be in ``egress``.
            refused: a token of before that was answered with 401, so that another one is asked for.

        Raises:
            ToolFailed: the vendor does not accept what the secret holds.
            ConfigurationError: as in `secret`, or the secret lacks something.
            ToolUnavailable: as in `secret`, or the vendor did not answer.
        """
        self._check_declared(name)
        if not isinstance(self.secrets, DeclaredSecrets):
            return self.secrets[name].fields.get("access_token") or self.secrets[name].text
        return self.secrets.get_token(name, self.http, refused)

    def _check_declared(self, name: str) -> None:
        if name not in self.secrets:
            raise ConfigurationError(
                f"the tool asks for the secret {name!r:.80} but does not declare it",
                field="secrets",
                fix="add its name to secrets=[...] of @tool",
            )

    @property
    def files(self) -> FileStore:
        """The tenant's files, as far as the tool's grants on them reach.

        Raises:
            ConfigurationError: the tool declares no grant on files.
        """
        if self.kept is None:
            raise ConfigurationError(
                "the tool uses files but declares no grant on them",
                field="permissions",
                fix='add Grant("files", "readwrite", keys="reports/") to permissions',
            )
        return self.kept

    def table(self, name: str) -> RecordStore:
        """Return the record store of a resource, narrowed to the tool's grants and to the tenant.

        Raises:
            ConfigurationError: the tool declares no grant on it.
        """
        if name not in self.tables:
            raise ConfigurationError(
                f"the tool uses the table {name!r} but declares no grant on it",
                field="permissions",
                fix=f'add Grant("{name}", "readwrite", keys="...") to permissions',
            )
        return self.tables[name]


@dataclass(frozen=True)
class Undoable(Generic[T]):
    """A result with what is needed to undo the effect that made it.

    Args:
        result: what the model is told.
        undo: JSON, given to the tool's undo function as it is; at most 32 KB.
    """

    result: T
    undo: dict[str, Any]
