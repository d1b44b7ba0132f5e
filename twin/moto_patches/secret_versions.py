"""Versions and rotation of secrets: moto leaves AWSCURRENT on two versions, and rotates without a rotation.

* A value that is stored after `UpdateSecretVersionStage` leaves AWSCURRENT on the version that had it: moto remembers
  the version that was current last by its own doing.
* `RotateSecret` without a function moves AWSCURRENT to an empty version, so that the value is lost; AWS refuses it.
* `RotateSecret` with a function calls moto's own Lambda, and AWSCURRENT moves whatever came of that. AWS makes a
  version with the label AWSPENDING and calls the function for four steps; the function moves AWSCURRENT, in the last.
* A secret that is marked for deletion gets new values and tags, and another one of its name is said to exist.
"""

import time
import uuid
from collections.abc import Callable
from typing import Any, Final, Protocol

from moto.core.exceptions import JsonRESTError
from moto.secretsmanager.exceptions import InvalidParameterException, InvalidRequestException, SecretNotFoundException
from moto.secretsmanager.models import FakeSecret, ReplicaSecret, SecretsManagerBackend

from twin.moto_patches.patching import Patches

JsonObject = dict[str, Any]
_CURRENT: Final = "AWSCURRENT"
_PREVIOUS: Final = "AWSPREVIOUS"
_PENDING: Final = "AWSPENDING"
_DAYS: Final = "AutomaticallyAfterDays"


class Rotates(Protocol):
    """Calls the functions of rotations."""

    def check(self, function_arn: str, secret_arn: str) -> str | None:
        """Return why a function may not be called for a secret, or None."""

    def begin(self, function_arn: str, secret_arn: str, token: str, *, trial: bool) -> None:
        """Begin to call it; a trial tests what is current."""


_listener: list[Rotates] = []


def listen(rotates: Rotates | None) -> None:
    """Let a rotation's function be called by this; None: a rotation is noted, and no function is called."""
    _listener[:] = [] if rotates is None else [rotates]


def apply(patches: Patches) -> None:
    """Keep labels on one version each, and rotate as AWS does."""

    def reset_default_version(self: FakeSecret, secret_version: JsonObject, version_id: str) -> None:
        former = next((one for one in self.versions.values() if _CURRENT in one["version_stages"]), None)
        stages = {*secret_version["version_stages"], _CURRENT, *([_PREVIOUS] if former is not None else [])}
        self.remove_version_stages_from_old_versions(sorted(stages))
        if former is not None:
            former["version_stages"].append(_PREVIOUS)
        self.versions[version_id] = secret_version
        self.default_version_id = version_id

    update_stage = SecretsManagerBackend.update_secret_version_stage

    def update_secret_version_stage(
        self: SecretsManagerBackend,
        secret_id: str,
        version_stage: str,
        remove_from_version_id: str,
        move_to_version_id: str,
    ) -> tuple[str, str]:
        secret = self.secrets[secret_id] if secret_id in self.secrets else None
        if isinstance(secret, FakeSecret) and move_to_version_id and move_to_version_id not in secret.versions:
            # moto takes the label from the other version before it looks.
            raise InvalidParameterException(f"Not a valid version: {move_to_version_id}")
        moved = update_stage(self, secret_id, version_stage, remove_from_version_id, move_to_version_id)
        if isinstance(secret, FakeSecret) and version_stage == _CURRENT and move_to_version_id:
            secret.default_version_id = move_to_version_id
        return moved

    check_existing: Any = SecretsManagerBackend._check_with_existing_secrets_and_versions

    def check_with_existing(self: Any, secret_name: str, *args: Any, on_create: bool = False) -> Any:
        secret = self.secrets[secret_name] if secret_name in self.secrets.keys() else None
        if isinstance(secret, FakeSecret) and secret.is_deleted():
            raise InvalidRequestException(
                "You can't create this secret because a secret with this name is already scheduled for deletion."
                if on_create
                else "You can't perform this operation on the secret because it was marked for deletion."
            )
        return check_existing(self, secret_name, *args, on_create=on_create)

    patches.set_attribute(SecretsManagerBackend, "_check_with_existing_secrets_and_versions", check_with_existing)
    patches.set_attribute(FakeSecret, "reset_default_version", reset_default_version)
    patches.set_attribute(SecretsManagerBackend, "update_secret_version_stage", update_secret_version_stage)
    patches.set_attribute(SecretsManagerBackend, "rotate_secret", _rotate_secret)
    for name in ("tag_resource", "untag_resource"):
        patches.set_attribute(SecretsManagerBackend, name, _wrap_tags(getattr(SecretsManagerBackend, name)))


def _wrap_tags(original: Callable[..., Any]) -> Callable[..., Any]:
    def change_tags(self: Any, arn: str, changed: Any) -> Any:
        secret = self.secrets[arn] if arn in self.secrets else None
        if isinstance(secret, FakeSecret) and secret.is_deleted():
            raise InvalidRequestException(
                "You can't perform this operation on the secret because it was marked for deletion."
            )
        return original(self, arn, changed)

    return change_tags


def _rotate_secret(
    self: SecretsManagerBackend,
    secret_id: str,
    client_request_token: str | None = None,
    rotation_lambda_arn: str | None = None,
    rotation_rules: JsonObject | None = None,
    rotate_immediately: bool = True,
) -> str:
    secret = self.secrets[secret_id] if secret_id in self.secrets else None
    if not isinstance(secret, FakeSecret) or isinstance(secret, ReplicaSecret):
        raise SecretNotFoundException()
    if secret.is_deleted():
        raise InvalidRequestException("You can't perform this operation on the secret because it was marked deleted.")
    function = rotation_lambda_arn or secret.rotation_lambda_arn
    if not function:
        raise InvalidRequestException("No Lambda rotation function ARN is associated with this secret.")
    days = (rotation_rules or {}).get(_DAYS)
    if days is not None and not 1 <= days <= 1_000:
        raise InvalidParameterException("RotationRules.AutomaticallyAfterDays must be within 1-1000.")
    token = client_request_token or str(uuid.uuid4())
    _refuse_second(secret, token)
    for refusal in [one.check(function, secret.arn) for one in _listener]:
        if refusal is not None:
            raise JsonRESTError("AccessDeniedException", refusal)
    secret.rotation_requested = secret.rotation_enabled = True
    secret.rotation_lambda_arn = function
    if days is not None:
        secret.auto_rotate_after_days = days
        secret.next_rotation_date = int(time.time()) + days * 86_400
    if token not in secret.versions and (rotate_immediately or _listener):
        secret.remove_version_stages_from_old_versions([_PENDING])
        secret.versions[token] = {
            "createdate": int(time.time()),
            "version_id": token,
            "version_stages": [_PENDING],
        }
    for rotates in _listener:
        rotates.begin(function, secret.arn, token, trial=not rotate_immediately)
    return secret.to_short_dict(version_id=token)


def _refuse_second(secret: FakeSecret, token: str) -> None:
    """Refuse a rotation while another is under way: its version is pending and not current."""
    for version_id, version in secret.versions.items():
        stages = version["version_stages"]
        if _PENDING in stages and _CURRENT not in stages and version_id != token:
            raise InvalidRequestException("A previous rotation isn't complete. That rotation will be reattempted.")


def finish_rotation(backend: SecretsManagerBackend, secret_id: str, token: str, *, trial: bool) -> None:
    """Note that the function has done its steps; a trial's version is removed."""
    secret = backend.secrets[secret_id] if secret_id in backend.secrets else None
    if not isinstance(secret, FakeSecret):
        return
    if trial:
        version = secret.versions.get(token)
        if version is not None and version["version_stages"] == [_PENDING]:
            del secret.versions[token]
        return
    secret.last_rotation_date = int(time.time())
