"""What the demo does behind the stack's back: make providers fail, and look into the table of the notes tool."""

import json
from typing import TYPE_CHECKING

from pentad.cli.demo.record import Json

if TYPE_CHECKING:
    from pentad.local.twin import Twin


class SimulatorFaults:
    """Makes providers answer 529 in the simulator.

    A provider that is called for real can't be made to fail, so its secret points at the simulator meanwhile.

    Args:
        twin: the running twin.
    """

    def __init__(self, twin: "Twin") -> None:
        from pentad.local.simulator import SimulatorControl

        self._control = SimulatorControl(twin.simulator_url)

    def fail(self, *providers: str) -> None:
        """Let every call to these providers answer 529 until `heal`."""
        overloaded = {"kind": "status", "status": 529}
        # Embeddings go on: what is shown is the loss of the reasoning model.
        paths = {"anthropic": ["/v1/messages"], "openai": ["/v1/responses", "/v1/chat/completions"]}
        self._control.clear_faults()
        self._control.faults(
            *({**overloaded, "provider": provider, "path": path} for provider in providers for path in paths[provider])
        )

    def heal(self) -> None:
        """Let all providers answer again."""
        self._control.clear_faults()


class NotesTable:
    """Reads what the notes tool stored, past the stack.

    Args:
        twin: the running twin.
        tenant: whose notes.
    """

    def __init__(self, twin: "Twin", tenant: str) -> None:
        from pentad.aws.table import Table
        from pentad.domain.keys import collection

        name = next(name for name in twin.admin_client("dynamodb").list_tables()["TableNames"] if "records" in name)
        self._table = Table(twin.admin_client("dynamodb"), name)
        self._pk = collection(tenant, "NOTE")

    def texts(self) -> list[Json]:
        """Return the stored notes."""
        return [json.loads(item["body"]) for item in self._table.query(self._pk)[0]]
