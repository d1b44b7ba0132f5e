"""A run as the protocol tells of it: a tool's result, or a task with its status. Pure."""

from datetime import datetime
from typing import Any

from pentad.domain.runs import Run, RunStatus, ToolCall
from pentad.tools.results.handles import make_handle
from pentad.tools.results.read import READ_RESULT

Json = dict[str, Any]
RUN, SESSION = "pentad/run_id", "pentad/session_id"
"""Keys of ``_meta``: what the rest of the API knows a call by."""
RELATED = "io.modelcontextprotocol/related-task"
POLL_MS = 3000
_DAY_MS = 86_400_000
_TASK_STATUS = {
    RunStatus.QUEUED: "working",
    RunStatus.RUNNING: "working",
    RunStatus.AWAITING_HUMAN: "working",
    RunStatus.CANCELLED: "cancelled",
}


def build_text_result(text: str, *, is_error: bool = False, meta: Json | None = None) -> Json:
    """Return the result of ``tools/call`` that is one text."""
    result: Json = {"content": [{"type": "text", "text": text}], "isError": is_error}
    return result if meta is None else result | {"_meta": meta}


def build_meta(run: Run) -> Json:
    """Return what else a result says: the run and its session, by which the rest of the API knows it."""
    return {RUN: run.run_id, SESSION: run.session_id}


def build_result(run: Run, call: ToolCall | None) -> Json:
    """Return the result of a run that has ended.

    Args:
        run: the run.
        call: of a served tool, its call; None for an agent or workflow, or where it was never planned.
    """
    meta = build_meta(run)
    if call is not None and call.result is not None:
        result = build_text_result(call.result, is_error=call.is_error, meta=meta)
        if make_handle(call.tenant_id, call.run_id, call.step, call.index) in call.result:
            # A handle opens its own run's results alone, and the client's model knows no run by itself.
            told = f"[{READ_RESULT} reads on in this result: give it the handle, and run_id {run.run_id}]"
            result["content"].append({"type": "text", "text": told})
        return result
    if run.answer is not None:
        notices = "".join(f"\n\n[{notice}]" for notice in run.notices)
        return build_text_result(run.answer + notices, is_error=run.status is RunStatus.FAILED, meta=meta)
    why = run.stop_reason or run.error or "it gave no reason"
    return build_text_result(f"The run {run.run_id} is {run.status.value}: {why}", is_error=True, meta=meta)


def build_pending_result(run: Run, group: str | None, check: str) -> Json:
    """Return the result of a call whose run goes on, for clients that know no tasks.

    Args:
        run: the run.
        group: who is asked, where it waits for a human.
        check: the tool by which the client asks again.
    """
    waits = "is still running" if group is None else f"waits for a human of the group '{group}'"
    text = f"This has not ended: the run {run.run_id} {waits}. Call {check} with this run_id to learn what came of it."
    return build_text_result(text, meta=build_meta(run))


def build_task(run: Run, days: int, *, inputs: Json | None, group: str | None, result: Json | None) -> Json:
    """Return a run as a task of the extension of 2026-07-28.

    Args:
        run: the run.
        days: how long it is kept.
        inputs: what the client's human is asked; None or empty for nothing.
        group: who else is asked, for the message.
        result: of a run that has ended.
    """
    status = _TASK_STATUS.get(run.status, "completed")
    task: Json = {
        "taskId": run.run_id,
        "status": status,
        "createdAt": _format_time(run.created_at),
        "lastUpdatedAt": _format_time(run.updated_at),
        "ttlMs": days * _DAY_MS,
        "pollIntervalMs": POLL_MS,
    }
    if status == "completed" and result is not None:
        return task | {"result": result}
    if status == "cancelled":
        return task | {"statusMessage": run.stop_reason or "The run was cancelled."}
    if inputs:
        return task | {"status": "input_required", "inputRequests": inputs}
    return task if group is None else task | {"statusMessage": f"It waits for a human of the group '{group}'."}


def build_session_task(task: Json) -> Json:
    """Return a task as 2025-11-25 has it: other names, and no result within it."""
    shown = {name: task[name] for name in ("taskId", "status", "createdAt", "lastUpdatedAt")}
    result, message = task.get("result"), task.get("statusMessage")
    if result is not None and result.get("isError"):
        # That revision has a tool's error as a task that failed.
        shown["status"] = "failed"
    more = {} if message is None else {"statusMessage": message}
    return shown | more | {"ttl": task["ttlMs"], "pollInterval": task["pollIntervalMs"]}


def _format_time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
