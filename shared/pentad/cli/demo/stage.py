"""What the demo does behind the stack's back: make providers fail, and look into the table of the notes tool."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pentad.aws.table import Table
from pentad.cli.demo.record import Json
from pentad.domain.keys import collection_pk
from pentad.models.providers.request_names import name_part

if TYPE_CHECKING:
    from twin.running.twin import Twin
    from twin.simulator import SimulatorControl

_PATHS = {"anthropic": ("/v1/messages",), "openai": ("/v1/responses", "/v1/chat/completions")}
_GATEWAY = "pentad-dev-gateway"


class RealProviders:
    """Providers that are called for real.

    They can't be made to fail: the secret of one points at the simulator meanwhile, and the gateway's instances, which
    remember credentials, are replaced.

    Args:
        twin: the running twin.
        names: the providers that are called for real, maybe none.
    """

    def __init__(self, twin: "Twin", names: Iterable[str]) -> None:
        self._twin = twin
        self._names = frozenset(names)
        self._kept: dict[str, str] = {}

    def replace(self, providers: Iterable[str]) -> None:
        """Let the simulator answer for those of these providers that are called for real."""
        for provider in self._names.intersection(providers) - self._kept.keys():
            self._kept[provider] = self._secrets.get_secret_value(SecretId=self._find_arn(provider))["SecretString"]
            root = self._twin.simulator_url
            stand_in = {"api_key": "local", "base_url": root if provider == "anthropic" else f"{root}/v1"}
            self._put_secret(provider, json.dumps(stand_in))

    def restore(self) -> None:
        """Let all of them be called for real again."""
        for provider, secret in self._kept.items():
            self._put_secret(provider, secret)
        self._kept.clear()

    @property
    def _secrets(self) -> Any:
        return self._twin.get_admin_client("secretsmanager")

    def _find_arn(self, provider: str) -> str:
        secrets = self._twin.deployment.secrets
        return next(arn for name, arn in secrets.items() if name.endswith(f"/{provider}"))

    def _put_secret(self, provider: str, secret: str) -> None:
        self._secrets.put_secret_value(SecretId=self._find_arn(provider), SecretString=secret)
        self._twin.host.restart(_GATEWAY)


class SimulatorFaults:
    """Makes the simulator of providers answer 529 to one tenant.

    Args:
        simulator: is told.
        tenant_id: whose calls fail; others' go on.
        real: the providers that are called for real; None where the simulator answers for all.
    """

    def __init__(self, simulator: "SimulatorControl", tenant_id: str, real: RealProviders | None = None) -> None:
        self._simulator = simulator
        self._name = name_part("tenant", tenant_id, tenant_id)
        self._real = real

    def inject(self, *providers: str) -> None:
        """Let every turn that these providers are asked for answer 529 until `clear`; embeddings go on."""
        overloaded = {"kind": "status", "status": 529, "name": self._name}
        self._simulator.clear_faults(name=self._name)
        self._simulator.add_faults(
            *({**overloaded, "provider": provider, "path": path} for provider in providers for path in _PATHS[provider])
        )
        if self._real is not None:
            self._real.replace(providers)

    def clear(self) -> None:
        """Let all providers answer again."""
        self._simulator.clear_faults(name=self._name)
        if self._real is not None:
            self._real.restore()


class NotesTable:
    """Reads what the notes tool stored, past the stack.

    Args:
        records: the table of tools' records.
        tenant_id: whose notes.
    """

    def __init__(self, records: Table, tenant_id: str) -> None:
        self._records = records
        self._pk = collection_pk(tenant_id, "NOTE")

    def list_notes(self) -> list[Json]:
        """Return the stored notes."""
        return [json.loads(item["body"]) for item in self._records.query(self._pk)[0]]
