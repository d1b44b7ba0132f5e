"""Who calls: what the authorizer found out, and what that allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pentad.domain.errors import NotAuthenticated, PolicyDenied
from pentad.domain.ids import check_id
from pentad.domain.runs import Actor

ALL_USERS = "users:all"
"""The scope that lets a credential of one user reach the things of all users of its tenant."""
REPLACE = "runs:replace"
"""The scope that lets a fork replace the agent's prompt and the results of tools."""
SCOPES = (
    "runs:write",
    "runs:read",
    REPLACE,
    "approvals:write",
    "documents:write",
    "documents:read",
    "memory:read",
    "memory:write",
    "users:erase",
    "models:invoke",
    ALL_USERS,
)


@dataclass(frozen=True)
class Caller:
    """An authenticated caller.

    Args:
        tenant_id: whose data it works on; never from the request itself.
        key_id: the API key's id, or the JWT's subject.
        user_id: the user it acts for, where the credential is one user's.
        scopes: what it may do.
        groups: the groups of humans that it may decide for; None decides for all of them.
        owner: the person who answers for a key that is no user's.
        source_ip: where the request came from.
    """

    tenant_id: str
    key_id: str
    user_id: str | None
    scopes: frozenset[str]
    groups: frozenset[str] | None = frozenset()
    owner: str | None = None
    source_ip: str | None = None

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "Caller":
        """Return the caller of an API Gateway event.

        Raises:
            NotAuthenticated: the event did not pass the authorizer.
        """
        request = event.get("requestContext", {})
        context = request.get("authorizer", {}).get("lambda") or {}
        tenant = context.get("tenant")
        if not tenant:
            raise NotAuthenticated("the request has no credential", fix="send Authorization: Bearer <API key>")
        return cls(
            tenant_id=check_id("tenant", str(tenant)),
            key_id=str(context.get("key_id") or ""),
            user_id=str(context["user"]) if context.get("user") else None,
            scopes=frozenset(str(context.get("scopes") or "").split()),
            groups=_parse_groups(context.get("groups")),
            owner=str(context["owner"]) if context.get("owner") else None,
            source_ip=str(request.get("http", {}).get("sourceIp") or "") or None,
        )

    @property
    def reach(self) -> str | None:
        """The user whose things it may reach, and no others; None reaches those of its whole tenant."""
        return None if ALL_USERS in self.scopes else self.user_id

    def may_reach(self, user_id: str | None) -> bool:
        """Tell whether it may reach what is a user's; what is nobody's is the tenant's."""
        return self.reach is None or self.reach == user_id

    def is_in(self, group: str) -> bool:
        """Tell whether it may decide for a group."""
        return self.groups is None or group in self.groups

    def to_actor(self, at: datetime, group: str | None = None) -> Actor:
        """Return it as the record of who did something."""
        return Actor(
            user_id=self.user_id,
            key_id=self.key_id,
            person=self.person,
            group=group,
            at=at,
            source_ip=self.source_ip,
        )

    def check_scope(self, scope: str) -> None:
        """Return if the caller has the scope.

        Raises:
            PolicyDenied: it has not.
        """
        if scope not in self.scopes:
            raise PolicyDenied(
                f"the credential does not have the scope '{scope}'", fix=f"use a key or token with the scope '{scope}'"
            )

    def resolve_user(self, user_id: str | None) -> str | None:
        """Return the user of a run that this caller starts.

        Raises:
            PolicyDenied: the credential is another user's.
        """
        if self.reach is None or user_id in (None, self.user_id):
            return user_id or self.user_id
        raise PolicyDenied(
            "the credential belongs to another user", field="user", fix=f"leave 'user' out, or send '{self.user_id}'"
        )

    @property
    def name(self) -> str:
        """Who decided, for records: the user, else the key."""
        return self.user_id or f"key:{self.key_id}"

    @property
    def person(self) -> str:
        """The human behind the credential: two credentials of one person are one.

        The user; of a key that is no user's, its owner. Keys that name neither are taken for one person's, since
        nobody can tell them apart.
        """
        return self.user_id or self.owner or UNKNOWN_PERSON


UNKNOWN_PERSON = "unknown"
ALL_GROUPS = "*"
"""What a key and the authorizer say of a credential that decides for every group. Nothing else means that."""


def _parse_groups(said: Any) -> frozenset[str] | None:
    return None if said == ALL_GROUPS else frozenset(str(said or "").split())
