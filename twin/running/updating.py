"""Update a running twin in place: another assembly's code, prompts, versions and state machines, as if deployed.

Over HTTP (with the administrator's secret key, which the twin's file has)::

    POST /_twin/update    {"assembly": "cdk.out", "hold": false}
    POST /_twin/rollout   {"action": "advance" | "finish" | "roll_back"}

The answer has what was done (`changes` of resources; `moved`: rollouts whose share is another now), and the `rollouts`
that are still under way.
"""

import hmac
import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twin.deploy import rollouts
from twin.deploy.assembly import AssemblyError, read_assembly
from twin.deploy.deployer import Deployer
from twin.deploy.deployment import Deployment, Rollout
from twin.deploy.errors import DeployError
from twin.deploy.host_spec import build_function_spec
from twin.deploy.updates import Change
from twin.front.model import ApiResponse
from twin.host.host import FunctionHost

UPDATE_PATH = "/_twin/update"
ROLLOUT_PATH = "/_twin/rollout"
KEY_HEADER = "x-twin-key"


class Updates:
    """Changes a running twin, one update at a time.

    Args:
        deployer: what deployed it.
        deployment: what that left.
        host: runs its functions.
        client: gives clients with the administrator's rights.
    """

    def __init__(
        self, deployer: Deployer, deployment: Deployment, host: FunctionHost, client: Callable[[str], Any]
    ) -> None:
        self._deployer, self._deployment, self._host, self._client = deployer, deployment, host, client
        self._one_at_a_time = threading.RLock()
        self._changes: list[Change] = []

    def sync_host(self) -> None:
        """Tell the host of every function, version and alias there is now."""
        for definition in self._deployment.functions.values():
            self._host.register(build_function_spec(definition, self._deployment.invoke_configs))
        for one in self._deployment.versions:
            self._host.add_qualifier(one.function, one.qualifier, one.version)

    def update(self, assembly_dir: Path, *, hold: bool = False) -> list[Rollout]:
        """Bring the twin to another assembly and return the rollouts under way.

        Runs in flight finish on the versions they were started with; new runs go where the aliases lead.

        Args:
            assembly_dir: the new cloud assembly. The former one's assets must stay where they are.
            hold: leave gradual rollouts at their first part, until `advance`, `finish` or `rollback`.

        Raises:
            AssemblyError: the assembly cannot be read.
            UpdateRefused: it differs in what only a new start can change; nothing was changed.
            DeployError: a resource cannot be changed.
        """
        with self._one_at_a_time:
            rollouts.finish(self._client, self._deployment)
            assembly = read_assembly(assembly_dir)
            self._changes = self._deployer.update(assembly, self._deployment, on_code=self.sync_host)
            if not hold:
                rollouts.finish(self._client, self._deployment)
            return list(self._deployment.rollouts)

    def advance(self) -> list[Rollout]:
        """Do what happens after an interval, and return the rollouts still under way."""
        with self._one_at_a_time:
            rollouts.advance(self._client, self._deployment)
            return list(self._deployment.rollouts)

    def finish(self) -> None:
        """End all rollouts on their new versions."""
        with self._one_at_a_time:
            rollouts.finish(self._client, self._deployment)

    def rollback(self) -> None:
        """Let new runs go to the former versions at once, then put the rest back, as CloudFormation does at an alarm.

        Raises:
            DeployError: there was no update, or a resource cannot be changed back.
        """
        with self._one_at_a_time:
            rollouts.rollback(self._client, self._deployment)
            self._changes = self._deployer.rollback(self._deployment, on_code=self.sync_host)

    def serve(self, path: str, key: str | None, body: bytes, secret: str) -> ApiResponse | None:
        """Answer a request of this module's own, or None where the path is another's."""
        if path not in (UPDATE_PATH, ROLLOUT_PATH):
            return None
        if key is None or not hmac.compare_digest(key.encode(), secret.encode()):
            return _answer(403, {"error": f"the header {KEY_HEADER} must hold the administrator's secret key"})
        with self._one_at_a_time:  # what another update has changed is not this one's to tell
            return self._serve(path, body)

    def _serve(self, path: str, body: bytes) -> ApiResponse:
        self._changes, before = [], [(one, one.shifted) for one in self._deployment.rollouts]
        try:
            asked = json.loads(body or b"{}")
            if path == UPDATE_PATH:
                self.update(Path(str(asked["assembly"])), hold=asked.get("hold") is True)
            else:
                self._act(str(asked["action"]))
        except (AssemblyError, DeployError) as error:
            return _answer(409, {"error": str(error)})
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            return _answer(400, {"error": f"malformed request: {error!r}"})
        told = {
            "changes": [one._asdict() for one in self._changes],
            "moved": [asdict(one) for one, shifted in before if one.shifted != shifted],
            "rollouts": [asdict(one) for one in self._deployment.rollouts],
        }
        return _answer(200, told)

    def _act(self, action: str) -> None:
        actions: dict[str, Callable[[], object]] = {
            "advance": self.advance,
            "finish": self.finish,
            "roll_back": self.rollback,
        }
        if action not in actions:
            raise ValueError(f"action must be one of {', '.join(actions)}")
        actions[action]()


def _answer(status: int, body: dict[str, Any]) -> ApiResponse:
    return ApiResponse(status, (("Content-Type", "application/json"),), json.dumps(body).encode())
