"""What humans decide, and what happens when nobody does."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pentad.domain.ids import parse_approval_id
from pentad.domain.keys import approval_sk, run_pk
from pentad.testing.runs import KitRun
from pentad.testing.stack.world import Stack, Tenant, until

Json = dict[str, Any]


class KitApprovals:
    """Decides for the humans; each method returns the run once it has ended or waits again.

    Args:
        stack: where.
        tenant: whose runs, and the credential that decides.
        read: reads a run once it is settled, given what it waited for before.
    """

    def __init__(self, stack: Stack, tenant: Tenant, read: Callable[[str, str | None], KitRun]) -> None:
        self._stack, self._tenant, self._read = stack, tenant, read

    def act_as(self, user_id: str, *, groups: Sequence[str] = ()) -> "KitApprovals":
        """Return the approvals as a human with a name and groups decides them; without a group, for none.

        For agents that ask groups, several humans, or another one than who asked.
        """
        human = self._stack.tenant(self._tenant.name, user_id=user_id, groups=tuple(groups))
        return KitApprovals(self._stack, human, self._read)

    def approve(self, run: KitRun, **fields: Any) -> KitRun:
        """Let the calls run, or the draft go out; ``allow_tool_for_run=True`` asks no more for that tool."""
        return self._decide(run, "approve", **fields)

    def reject(self, run: KitRun, reason: str | None = None) -> KitRun:
        """Let nothing run; the model is told why."""
        return self._decide(run, "reject", **({"reason": reason} if reason else {}))

    def edit(self, run: KitRun, *arguments: Mapping[str, Any] | str, text: str | None = None) -> KitRun:
        """Change what is shown, and approve that.

        Args:
            run: the run that waits.
            arguments: of the first call, the second one, and so on; a string is the text of a draft.
            text: of a draft.
        """
        texts = [one for one in arguments if isinstance(one, str)]
        if texts:
            text, arguments = texts[0], ()
        changed: Json = (
            {"arguments": {str(place): dict(one) for place, one in enumerate(arguments)}} if arguments else {}  # type: ignore[arg-type]
        )
        return self._decide(run, "edit", **changed, **({"text": text} if text is not None else {}))

    def answer(self, run: KitRun, text: str) -> KitRun:
        """Answer a question, or the user in an agent's place."""
        return self._decide(run, "answer", text=text)

    def escalate(self, run: KitRun, group: str | None = None) -> KitRun:
        """Ask another group: the one named, else the agent's next; the run waits on."""
        self._post(run, "escalate", **({"group": group} if group else {}))
        return self._read(run.run_id, None)

    def expire(self, run: KitRun) -> KitRun:
        """Let the time to decide run out now: the agent's ``on_expiry`` happens."""
        return self._time_out(run, {"expires_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()})

    def remind(self, run: KitRun) -> KitRun:
        """Let the time until the next reminder pass now; the run waits on.

        Raises:
            AssertionError: the agent sets no ``remind_seconds``.
        """
        seconds = self._find_stored(run).body["remind_seconds"]
        if seconds is None:
            raise AssertionError(f"'{run.agent}' reminds nobody: set humans.remind_seconds in its agent.yaml")
        return self._time_out(run, {"asked_at": (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()})

    def _decide(self, run: KitRun, decision: str, **fields: Any) -> KitRun:
        decided = self._post(run, decision, **fields)
        # Where several have to agree, the run waits on.
        return self._read(run.run_id, None if decided["status"] == "pending" else run.approval_id)

    def _post(self, run: KitRun, decision: str, **fields: Any) -> Json:
        shown = self._tenant.get(f"/v1/approvals/{_check_waiting(run)}")
        answer = self._tenant.decide(
            _check_waiting(run), decision, **({"arguments_hash": shown["arguments_hash"]} | fields)
        )
        if answer.is_error:
            raise AssertionError(f"'{decision}' was refused: {answer.text}")
        decided: Json = answer.json()
        return decided

    def _time_out(self, run: KitRun, changes: Json) -> KitRun:
        """Change the stored approval, and end its task's wait as Step Functions does when the time is over."""
        stored = self._find_stored(run)
        self._stack.aws("dynamodb").update_item(
            TableName=self._stack.outputs["StateTable"],
            Key={"pk": {"S": stored.pk}, "sk": {"S": stored.sk}},
            UpdateExpression="SET body = :body",
            ExpressionAttributeValues={":body": {"S": json.dumps(stored.body | changes)}},
        )
        self._stack.aws("stepfunctions").send_task_failure(
            taskToken=self._decrypt(run, stored), error="States.Timeout", cause="the test let the time pass"
        )
        after = until(lambda: self._find_changed(run, stored), f"the end of the time of '{run.approval_id}'")
        return self._read(run.run_id, None if after.body["status"] == "pending" else run.approval_id)

    def _find_changed(self, run: KitRun, before: "_Stored") -> "_Stored | None":
        found = self._find_stored(run)
        return found if found.body["version"] > before.body["version"] else None

    def _find_stored(self, run: KitRun) -> "_Stored":
        run_id, step = parse_approval_id(_check_waiting(run))
        key = {"pk": run_pk(self._tenant.name, run_id), "sk": approval_sk(step)}
        item = self._stack.table("state").get(key["pk"], key["sk"])
        if item is None or "body" not in item:
            raise AssertionError(f"the approval '{run.approval_id}' is not stored in its item: its calls are too large")
        return _Stored(**key, body=json.loads(item["body"]), token=str(item["token"]))

    def _decrypt(self, run: KitRun, stored: "_Stored") -> str:
        reply = self._stack.aws("kms").decrypt(
            CiphertextBlob=base64.b64decode(stored.token),
            EncryptionContext={"tenant": self._tenant.name, "approval": _check_waiting(run)},
        )
        plain: bytes = reply["Plaintext"]
        return plain.decode()


@dataclass(frozen=True)
class _Stored:
    """An approval as DynamoDB holds it, its task token encrypted."""

    pk: str
    sk: str
    body: Json
    token: str


def _check_waiting(run: KitRun) -> str:
    """Return the approval that a run waits for.

    Raises:
        AssertionError: it waits for none.
    """
    if run.approval_id is None:
        raise AssertionError(f'{run!r} waits for no human: does the tool have approval="always"?')
    return run.approval_id
