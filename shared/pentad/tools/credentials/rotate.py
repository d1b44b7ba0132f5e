"""Rotate a secret in the four steps of Secrets Manager; each can be done again, and be cut off anywhere.

1. createSecret: a new value under AWSPENDING. The token is its id, so a second try finds the first one's value.
2. setSecret: the service takes the new value. Where it does already, nothing is done.
3. testSecret: the service is used with it.
4. finishSecret: AWSCURRENT moves, last, and only from the version that was current.

Source: "Rotation by Lambda function" of the Secrets Manager user guide.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from pentad.domain.errors import ConfigurationError, StoreUnavailable
from pentad.domain.values import FrozenValue
from pentad.tools.credentials.masking import register_secret
from pentad.tools.credentials.ports import Rotator, SecretStore, StoredSecret

Step = Literal["createSecret", "setSecret", "testSecret", "finishSecret"]
RotationKind = Literal["password", "key", "postgres", "odoo"]
_CURRENT, _PENDING, _PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"


class RotationPlan(FrozenValue):
    """How one secret is rotated.

    ``password`` makes a new password, ``key`` a new key of 256 bits in hex, of what keeps no copy elsewhere;
    ``postgres`` makes a new password of a role of PostgreSQL and sets it there; ``odoo`` lets Odoo make a new API key.
    """

    kind: RotationKind
    field: str = "password"


class SecretRotation:
    """The steps of rotations.

    Args:
        store: of the secrets.
        plans: how each is rotated, by its name.
        rotators: makes what does the steps of a kind.
    """

    def __init__(
        self,
        store: SecretStore,
        plans: Mapping[str, RotationPlan],
        rotators: Callable[[RotationKind], Rotator],
    ) -> None:
        self._store = store
        self._plans = plans
        self._rotators = rotators

    def __call__(self, secret_id: str, token: str, step: Step) -> None:
        """Do one step.

        Args:
            secret_id: ARN or name.
            token: id of the version that is made.
            step: which one.

        Raises:
            ConfigurationError: the secret is not rotated here, no rotation is under way, or see `Rotator`.
            StoreUnavailable, ToolUnavailable: try the step again.
        """
        plan = self._find_plan(secret_id)
        stages = self._store.list_stages(secret_id)
        if _CURRENT in stages.get(token, ()):
            return  # A step that is repeated after the last one.
        if _PENDING not in stages.get(token, ()):
            raise ConfigurationError(
                f"no rotation of '{_read_name(secret_id)}' is under way with this token",
                field="ClientRequestToken",
                fix="start one: aws secretsmanager rotate-secret",
            )
        if step == "finishSecret":
            self._finish(secret_id, token, stages)
            return
        rotator = self._rotators(plan.kind)
        current = self._read(secret_id, _CURRENT)
        pending = self._register(self._store.read(secret_id, version_id=token))
        if step == "createSecret":
            if pending is None:
                made = rotator.make(current.text, plan.field)
                register_secret(made)
                # False: another try of this step was faster, and its value counts.
                self._store.add(secret_id, made, version_id=token, stage=_PENDING)
            return
        if step == "testSecret":
            # Where a schedule is set up, Secrets Manager tries this step alone, with a version without a value.
            rotator.test((pending or current).text)
            return
        if pending is None:
            raise ConfigurationError(f"'{_read_name(secret_id)}' has no pending value", fix="start the rotation again")
        previous = self._register(self._store.read(secret_id, stage=_PREVIOUS))
        rotator.set(pending.text, current.text, None if previous is None else previous.text)

    def _finish(self, secret_id: str, token: str, stages: Mapping[str, object]) -> None:
        if self._store.read(secret_id, version_id=token) is None:
            raise ConfigurationError(f"'{_read_name(secret_id)}' has no pending value", fix="start the rotation again")
        former = self._read(secret_id, _CURRENT).version_id
        if not self._store.make_current(secret_id, token, instead_of=former):
            raise StoreUnavailable("the current version changed meanwhile: try the step again")

    def _read(self, secret_id: str, stage: str) -> StoredSecret:
        found = self._register(self._store.read(secret_id, stage=stage))
        if found is None:
            raise ConfigurationError(f"'{_read_name(secret_id)}' has no value", fix="store one")
        return found

    def _register(self, found: StoredSecret | None) -> StoredSecret | None:
        """Mask a value from now on, wherever this function shows it."""
        if found is not None:
            register_secret(found.text)
        return found

    def _find_plan(self, secret_id: str) -> RotationPlan:
        plan = self._plans.get(_read_name(secret_id))
        if plan is None:
            raise ConfigurationError(
                f"nothing says how '{_read_name(secret_id)}' is rotated",
                field="SecretId",
                fix="write rotate: into the section secrets of tools.yaml, and deploy",
            )
        return plan


def _read_name(secret_id: str) -> str:
    """Return a secret's name: in an ARN it is followed by a dash and six characters."""
    name = secret_id.split(":", 6)[-1] if secret_id.startswith("arn:") else secret_id
    return name[:-7] if secret_id.startswith("arn:") and name[-7:-6] == "-" else name
