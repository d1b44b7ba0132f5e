"""Rotate a secret of tools: Secrets Manager calls this for each of the four steps."""

from pydantic import Field

from pentad.domain.values import FrozenValue
from pentad.runtime.entrypoint import LambdaContext, entrypoint
from pentad.runtime.wiring.tools import rotate_secret as wiring
from pentad.tools.credentials.rotate import Step


class RotationEvent(FrozenValue, extra="ignore", alias_generator=None):
    """What Secrets Manager sends; fields that it may add one day are left alone."""

    step: Step = Field(alias="Step")
    secret_id: str = Field(alias="SecretId", min_length=1, max_length=2048)
    token: str = Field(alias="ClientRequestToken", min_length=32, max_length=64)


@entrypoint("rotate-secret", RotationEvent)
def handler(event: RotationEvent, context: LambdaContext) -> None:
    """Do one step of a rotation."""
    wiring.make_rotation()(event.secret_id, event.token, event.step)
