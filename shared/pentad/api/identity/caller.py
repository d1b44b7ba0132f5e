"""Who calls: what the authorizer found out, and what that allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pentad.domain.errors import NotAuthenticated, PolicyDenied
from pentad.domain.ids import check_id

SCOPES = ("runs:write", "runs:read", "approvals:write", "documents:write", "documents:read", "models:invoke")


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
        if self.user_id is None or user_id in (None, self.user_id):
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
