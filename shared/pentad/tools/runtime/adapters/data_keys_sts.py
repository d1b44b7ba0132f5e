"""Credentials for tools' data: sessions of one role, whose tags say which tool, tenant and run they are for.

STS makes no session of less than 15 minutes. So each has a policy of its own that allows nothing after the time that
its calls need: what stays behind in a warm process is worth nothing then.
"""

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any

from pentad.aws.errors import translate_errors
from pentad.domain.canonical import sha256_of
from pentad.domain.declarations.agents import ToolData
from pentad.tools.runtime.handed import SessionKeys

SHORTEST_SECONDS = 900
"""The shortest session that STS makes; of a role that assumes a role the longest is an hour."""
_SPARE_SECONDS = 30.0
"""A session is handed over with so much left beyond the call's own time."""
_SHARED_SECONDS = 60.0
"""So long calls of one tool and tenant get the same session; it lasts so much longer than one of them needs."""
_KEPT = 500


class StsDataKeys:
    """`DataKeys` by AssumeRole with session tags; a session is used again while it lasts.

    Args:
        client: a low-level STS client.
        role: ARN of the role of tools' data, whose policy compares the tags; or what gives it for a tool.
        needs: what each tool reaches, by its name; a tool that is not in it reaches nothing.
        clock: ``time.time``.
    """

    def __init__(
        self,
        client: Any,
        role: str | Callable[[str], str],
        needs: Mapping[str, Sequence[ToolData]],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._role = role
        self._needs = needs
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str, str], tuple[float, SessionKeys]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, tool: str, tenant_id: str, run_id: str, *, seconds: float) -> SessionKeys | None:
        """See `DataKeys`."""
        needs = self._needs.get(tool, ())
        if not needs:
            return None
        # Records are a tenant's; checkpoints are a run's.
        run = run_id if "checkpoints" in needs else ""
        place = (tool, tenant_id, run)
        with self._lock:
            found = self._kept.get(place)
        needed = seconds + _SPARE_SECONDS
        if found is not None and found[0] - self._clock() > needed:
            return found[1]
        tags = {"tool": tool, "tenant": tenant_id} | ({"run": run} if run else {})
        made = self._assume(tags, self._clock() + needed + _SHARED_SECONDS)
        with self._lock:
            self._kept[place] = made
            self._kept.move_to_end(place)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made[1]

    def _assume(self, tags: Mapping[str, str], until: float) -> tuple[float, SessionKeys]:
        seconds = max(SHORTEST_SECONDS, ceil(until - self._clock()))
        with translate_errors("the token service"):
            reply = self._client.assume_role(
                RoleArn=self._role(tags["tool"]) if callable(self._role) else self._role,
                # In CloudTrail: the tool, and which tenant and run by a hash; 64 characters at most.
                RoleSessionName=f"{tags['tool'][:47]}-{sha256_of(dict(tags))[:16]}",
                DurationSeconds=seconds,
                Policy=build_policy(until),
                Tags=[{"Key": name, "Value": value} for name, value in tags.items()],
            )
        given = reply["Credentials"]
        keys = SessionKeys(
            access_key_id=given["AccessKeyId"],
            secret_access_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
        )
        return min(until, given["Expiration"].timestamp()), keys


def build_policy(until: float) -> str:
    """Return the policy of a session that is worth nothing after a time; of the rest the role's own policy decides.

    Args:
        until: as ``time.time()``, rounded up to a second.
    """
    end = datetime.fromtimestamp(ceil(until), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    statement = {
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
        "Condition": {"DateLessThan": {"aws:CurrentTime": end}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
