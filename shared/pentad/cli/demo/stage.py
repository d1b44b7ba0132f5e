"""What the demo does behind the stack's back: make providers fail, and look into the table of the notes tool."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pentad.cli.demo.record import Json

if TYPE_CHECKING:
    from twin.running.twin import Twin

_PATHS = {"anthropic": ("/v1/messages",), "openai": ("/v1/responses", "/v1/chat/completions")}
_GATEWAY = "pentad-dev-gateway"


class SimulatorFaults:
    """Makes providers answer 529.

    The simulator does so on request. A provider that is called for real can't be made to fail: its secret points at
    the simulator meanwhile, and the gateway's instances, which remember credentials, are replaced.

    Args:
        twin: the running twin.
        real: the providers that are called for real.
    """

    def __init__(self, twin: "Twin", real: Iterable[str] = ()) -> None:
        from twin.simulator import SimulatorControl

        self._twin = twin
        self._real = frozenset(real)
        self._control = SimulatorControl(twin.simulator_url)
        self._kept: dict[str, str] = {}

    def inject(self, *providers: str) -> None:
        """Let every turn that these providers are asked for answer 529 until `heal`; embeddings go on."""
        overloaded = {"kind": "status", "status": 529}
        self._control.clear_faults()
        self._control.add_faults(
            *({**overloaded, "provider": provider, "path": path} for provider in providers for path in _PATHS[provider])
        )
        for provider in self._real.intersection(providers) - self._kept.keys():
            self._kept[provider] = self._secrets.get_secret_value(SecretId=self._find_arn(provider))["SecretString"]
            root = self._twin.simulator_url
            stand_in = {"api_key": "local", "base_url": root if provider == "anthropic" else f"{root}/v1"}
            self._put_secret(provider, json.dumps(stand_in))

    def clear(self) -> None:
        """Let all providers answer again."""
        self._control.clear_faults()
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


class NotesTable:
    """Reads what the notes tool stored, past the stack.

    Args:
        twin: the running twin.
        tenant_id: whose notes.
    """

    def __init__(self, twin: "Twin", tenant_id: str) -> None:
        from pentad.aws.table import Table
        from pentad.domain.keys import collection_pk

        name = next(name for name in twin.get_admin_client("dynamodb").list_tables()["TableNames"] if "records" in name)
        self._table = Table(twin.get_admin_client("dynamodb"), name)
        self._pk = collection_pk(tenant_id, "NOTE")

    def list_notes(self) -> list[Json]:
        """Return the stored notes."""
        return [json.loads(item["body"]) for item in self._table.query(self._pk)[0]]
