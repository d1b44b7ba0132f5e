"""Where the secrets of tools are, as the synth tells a tool's function in the variable TOOL_SECRETS."""

from pydantic import Field

from pentad.domain.ids import TenantId
from pentad.domain.values import FrozenValue

SECRET_PATTERN = r"[a-z0-9][a-z0-9-]{0,63}"  # noqa: S105  (a pattern of names)
"""Of a secret's name in a declaration."""


class SecretPlace(FrozenValue):
    """Where the value of one declared secret is in Secrets Manager."""

    secret: str = Field(min_length=1, max_length=400, description="its name there, or its ARN")
    tenants: bool | tuple[TenantId, ...] = Field(
        default=False,
        description="which tenants have one of their own, below this one's name: all, none, or those that are listed",
    )
    renewed: bool = Field(
        default=False, description="the tool stores a new value: a refresh token that the vendor takes once"
    )

    def find(self, tenant_id: str) -> str:
        """Return the name of the secret that counts for a tenant: never another tenant's.

        A tenant that has one of its own is never served with the shared one.
        """
        own = self.tenants if isinstance(self.tenants, bool) else tenant_id in self.tenants
        return f"{self.secret}/{tenant_id}" if own else self.secret


def name_tool_secret(prefix: str, name: str) -> str:
    """Return the name of the secret that the stack makes for a declared name.

    Args:
        prefix: of the stage.
        name: as tools declare it.
    """
    return f"{prefix}/tools/{name}"
