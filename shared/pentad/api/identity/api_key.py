"""An API key as it is stored."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from pentad.domain.declarations.asking import GroupName
from pentad.domain.ids import TenantId, UserId
from pentad.domain.values import FrozenValue

KEY_ID_PATTERN = r"^[a-z0-9]{12}$"


class ApiKey(FrozenValue):
    """A key as it is stored."""

    tenant_id: TenantId
    key_id: str = Field(pattern=KEY_ID_PATTERN)
    secret_hash: str = Field(description="SHA-256 of the secret, in hex", repr=False)
    scopes: tuple[str, ...]
    user_id: UserId | None = Field(default=None, description="set where the key is one user's")
    groups: tuple[GroupName | Literal["*"], ...] = Field(
        default=(), description="the groups that it may decide for; '*' is all of them, none is none"
    )
    owner: str | None = Field(
        default=None, max_length=200, description="the person who answers for it, where it is no user's"
    )
    name: str = Field(default="", max_length=100, description="what it is for")
    created_at: datetime
    expires_at: datetime | None = None
    disabled_at: datetime | None = None
