"""Answer the tool runner in a tool's function: check the arguments, call the tool's code, say what came of it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from pentad.domain.display.hidden import strip_hidden
from pentad.domain.errors import InvalidInput, PentadError, RecordChanged, ToolFailed, TransientError
from pentad.domain.tracing import read_traceparent
from pentad.tools.credentials.masking import mask_known
from pentad.tools.declare.context import ToolContext
from pentad.tools.declare.declare import Tool
from pentad.tools.declare.reach import resolve_names
from pentad.tools.files.granted_files import GrantedFiles
from pentad.tools.files.ports import FileStore
from pentad.tools.outside.declared_secrets import DeclaredSecrets
from pentad.tools.outside.ports import HttpClient, ToolSecrets
from pentad.tools.records.call_records import CallRecords, run_in_one_piece
from pentad.tools.records.granted_records import GrantedRecords, RecordRules
from pentad.tools.records.plain_records import MAX_TRIES, wait_for_others
from pentad.tools.records.ports import RecordStore, RecordTable
from pentad.tools.records.traced_records import TracedRecords
from pentad.tools.results.keep import make_remote_fit
from pentad.tools.results.ports import PutWhole
from pentad.tools.runtime.arguments import validate_arguments
from pentad.tools.runtime.handed import HandedCall, ToolAnswer, read_answer
from pentad.tools.runtime.outcome import make_error_answer, run_function, shorten_answer


class ServeTool:
    """Runs and undoes what it is handed; it reads and writes nothing of the run.

    Args:
        tool: the declared tool.
        records: makes the table of records for a call; only asked where the tool declares a grant on records.
        now: the clock, UTC.
        settings: the tool's, where it declares any.
        secrets: reads the secrets that it declares.
        outside: speaks HTTP to the hosts that it declares.
        files: makes the files of a call's tenant; only asked where the tool declares a grant on files.
        upload: puts a result that is too large for an answer to the address that a call brings; without it,
            only what is shown of such a result is left.
        on_failure: called when a call, or an undo, came to an error: a secret that it used may have been rotated.
    """

    def __init__(
        self,
        tool: Tool[Any, Any],
        *,
        records: Callable[[HandedCall], RecordTable],
        now: Callable[[], datetime],
        settings: BaseModel | None = None,
        secrets: ToolSecrets | None = None,
        outside: HttpClient | None = None,
        files: Callable[[HandedCall], FileStore] | None = None,
        upload: PutWhole | None = None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self._tool = tool
        self._records = records
        self._now = now
        self._settings = settings
        self._secrets = secrets
        self._outside = outside
        self._files = files
        self._upload = upload
        self._on_failure = on_failure

    def __call__(self, handed: HandedCall, *, remaining_seconds: Callable[[], float]) -> ToolAnswer:
        """Return what the call, or its undo, came to; no error of the tool is raised.

        Args:
            handed: what to do, and for whom.
            remaining_seconds: seconds left of the function's time.
        """
        try:
            answer = self._serve(handed, remaining_seconds)
        except TransientError as error:
            again = ToolAnswer(
                kind="again",
                text=error.message,
                error_type=type(error).__name__,
                fix=error.fix,
                retry_after=error.retry_after,
            )
            answer = _hide_secrets(again)
        if answer.kind in ("again", "error", "kept"):
            self._on_failure()
        return answer

    def _serve(self, handed: HandedCall, remaining_seconds: Callable[[], float]) -> ToolAnswer:
        tool = self._tool
        if not tool.grants:
            return self._do(handed, remaining_seconds, {})
        table = TracedRecords(self._records(handed), handed.taint)
        if tool.in_one_piece:
            return self._serve_in_one_piece(handed, remaining_seconds, table)
        for number in range(1, MAX_TRIES + 1):
            records = GrantedRecords(table, tool.grants, tool.name)
            answer = _note_sources(self._do(handed, remaining_seconds, {"records": records}), table)
            met = answer.kind == "error" and answer.error_type == RecordChanged.__name__
            if not met or not tool.spec.idempotent or remaining_seconds() < 1:
                break
            wait_for_others(number)
        return answer

    def _serve_in_one_piece(
        self, handed: HandedCall, remaining_seconds: Callable[[], float], table: TracedRecords
    ) -> ToolAnswer:
        tool = self._tool

        def run(records: CallRecords) -> tuple[str, bool]:
            done = _note_sources(self._do(handed, remaining_seconds, {"records": records}), table)
            answer = shorten_answer(done, tool.spec.safe_output, make_remote_fit(handed.whole, self._upload))
            return answer.model_dump_json(by_alias=True), answer.kind in ("value", "text", "undone")

        if handed.again:
            earlier = table.find_answer(RecordRules(tool.grants, tool.name).mark_kind, handed.effect_key)
            if earlier is not None:
                return read_answer(earlier)
        try:
            answer = run_in_one_piece(
                table, tool.grants, tool.name, handed.effect_key, run, remaining_seconds=remaining_seconds
            )
        except InvalidInput as error:
            return make_error_answer(error)
        ended = ToolAnswer.model_validate_json(answer)
        if handed.op == "undo" and ended.kind == "error":
            # Whatever it raised, and wherever: nothing was written, so it may be tried again.
            return ended.model_copy(update={"kind": "kept"})
        return ended

    def _do(
        self, handed: HandedCall, remaining_seconds: Callable[[], float], tables: Mapping[str, RecordStore]
    ) -> ToolAnswer:
        context = self._make_context(handed, remaining_seconds, tables)
        return _hide_secrets(self._undo(handed, context) if handed.op == "undo" else self._run(handed, context))

    def _run(self, handed: HandedCall, context: ToolContext) -> ToolAnswer:
        try:
            values = validate_arguments(self._tool, handed.arguments)
        except InvalidInput as error:
            return make_error_answer(error, "rejected")
        except Exception as error:  # a boundary: a validator of the tool's author may raise anything; nothing was run
            return make_error_answer(error, "rejected")
        return run_function(self._tool, values, context, make_remote_fit(handed.whole, self._upload))

    def _undo(self, handed: HandedCall, context: ToolContext) -> ToolAnswer:
        undo = self._tool.undo
        if undo is None:
            return make_error_answer(ToolFailed("the tool has no undo"))
        try:
            undo.function(undo.data.validate_python(handed.undo), context)
        except TransientError:
            raise
        except ToolFailed as error:
            # The function says itself that it undid nothing, so it may be tried again when the reason is gone.
            return ToolAnswer(kind="kept", text=error.message, error_type=ToolFailed.__name__, fix=error.fix)
        except PentadError as error:
            return ToolAnswer(kind="error", text=error.message, error_type=type(error).__name__, fix=error.fix)
        except Exception as error:  # a boundary: an undo may raise anything; what it left is not known
            return make_error_answer(error)
        return ToolAnswer(kind="undone")

    def _open_files(self, handed: HandedCall) -> FileStore | None:
        grants = self._tool.file_grants
        if not grants or self._files is None:
            return None
        return GrantedFiles(self._files(handed), grants, self._tool.name)

    def _make_context(
        self, handed: HandedCall, remaining_seconds: Callable[[], float], tables: Mapping[str, RecordStore]
    ) -> ToolContext:
        return ToolContext(
            tenant=handed.tenant_id,
            run=handed.run_id,
            session=handed.session_id,
            user=handed.user_id,
            step=handed.step,
            index=handed.index,
            effect_key=handed.effect_key,
            now=self._now,
            remaining_seconds=remaining_seconds,
            tables=tables,
            traceparent=read_traceparent(),
            settings=self._settings,
            secrets=DeclaredSecrets(resolve_names(self._tool.secrets, self._settings), self._secrets, handed.tenant_id),
            outside=self._outside if self._tool.egress else None,
            kept=self._open_files(handed),
            again=handed.again,
        )


def _note_sources(answer: ToolAnswer, table: TracedRecords) -> ToolAnswer:
    """Return an answer with the sources of text from outside in the records that the call has read."""
    return answer.model_copy(update={"sources": table.met}) if table.met else answer


def _hide_secrets(answer: ToolAnswer) -> ToolAnswer:
    """Return an answer without the values of secrets that this process has read.

    Only here are they known; the runner masks what has a secret's form. What the tool declares as safe is no exception.
    The runner takes hidden characters away later, so a secret with one inside is masked as it will be read.
    """
    fields = ("value", "text", "undo", "fix", "error_type")
    return answer.model_copy(update={name: mask_known(getattr(answer, name), show=strip_hidden) for name in fields})
