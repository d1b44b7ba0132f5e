"""Write what people and models said in an ended run into a log of its own, redacted, off the user's path."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pentad.domain.errors import NotFound
from pentad.domain.messages import ContentBlock
from pentad.domain.runs import Run
from pentad.memory.sessions.ports import SessionStore, StoredMessage
from pentad.observability.ports import Telemetry
from pentad.orchestration.contents.mask_said import Mask, dump_said, mask_said
from pentad.orchestration.contents.ports import ContentLine, ContentLog, NameFinder, begin_streams
from pentad.orchestration.runs.ports import RunStore

PART: Final = 40_000
"""Characters of a line's text: with all of them escaped it is still less than 256 KB."""
_PAGE: Final = 50
MOST_MESSAGES: Final = 2_000
"""Of a run: what comes after is not written, which its last line says, and the function's own log."""


class WriteContents:
    """Writes the contents of runs.

    Args:
        runs: the store of runs.
        sessions: the store of sessions, which has what was said.
        log: where it goes.
        telemetry: tells of what was not written.
        agents: whose runs; all others' contents are not written.
        mask: takes secrets and personal data out of a text.
        names: finds what has no form; None for nobody.
    """

    def __init__(
        self,
        runs: RunStore,
        sessions: SessionStore,
        log: ContentLog,
        telemetry: Telemetry,
        *,
        agents: Sequence[str],
        mask: Mask,
        names: NameFinder | None = None,
    ) -> None:
        self._runs = runs
        self._sessions = sessions
        self._log = log
        self._telemetry = telemetry
        self._agents = frozenset(agents)
        self._mask = mask
        self._names = names

    def __call__(self, tenant_id: str, run_id: str) -> int:
        """Write what was said in a run and return how many lines were new; again writes nothing twice.

        Of a run that is gone, since its user was erased, nothing is written; and what was written while it went is
        taken back.

        Raises:
            StoreUnavailable, ConfigurationError: see the ports; again is safe.
        """
        run = self._find_run(tenant_id, run_id)
        if run is None or run.agent not in self._agents:
            return 0
        lines = list(self._iter_lines(run))
        if not lines:
            return 0
        stream = f"{begin_streams(tenant_id, run.user_id)}{run_id}"
        written = self._log.write(stream, lines)
        if self._find_run(tenant_id, run_id) is None:
            self._log.remove(stream)
            return 0
        return written

    def _find_run(self, tenant_id: str, run_id: str) -> Run | None:
        try:
            return self._runs.get(tenant_id, run_id)
        except NotFound:
            self._telemetry.log_event("contents.run_gone", tenant=tenant_id, run=run_id)
            return None

    def _iter_lines(self, run: Run) -> Iterator[ContentLine]:
        for number, stored in enumerate(self._iter_messages(run)):
            if number == MOST_MESSAGES:
                self._telemetry.log_event("contents.cut", level="WARNING", tenant=run.tenant_id, run=run.run_id)
                text = f"What was said after the run's first {MOST_MESSAGES:,} messages is not in this log."
                at = stored.message.created_at.isoformat(timespec="milliseconds")
                yield _describe(run) | {"line": "cut", "timestamp": at, "role": "system", "kind": "cut", "text": text}
                return
            yield from self._build_lines(run, stored)

    def _iter_messages(self, run: Run) -> Iterator[StoredMessage]:
        """Return the run's messages, and where there are more than are written, one of these."""
        for first in range(run.request_seq, run.request_seq + MOST_MESSAGES + 1, _PAGE):
            page = self._sessions.read(run.tenant_id, run.session_id, first, first + _PAGE - 1)
            own = [stored for stored in page if stored.message.run_id == run.run_id]
            yield from own
            if len(own) < _PAGE:  # a run's messages follow each other
                return

    def _build_lines(self, run: Run, stored: StoredMessage) -> Iterator[ContentLine]:
        message = stored.message
        for number, block in enumerate(message.blocks):
            text = mask_said(read_text(block), self._mask, self._names)
            for part, start in enumerate(range(0, max(1, len(text)), PART)):
                yield _describe(run) | {
                    "line": f"{message.message_id}.{number}.{part}",
                    "timestamp": message.created_at.isoformat(timespec="milliseconds"),
                    "step": message.step or 0,
                    "role": message.role,
                    "kind": block.type,
                    "text": text[start : start + PART],
                }


def _describe(run: Run) -> dict[str, Any]:
    """Return what each line says of its run: not whose it is, which only the stream's name tells, by a hash."""
    return {"tenant": run.tenant_id, "run": run.run_id, "session": run.session_id, "agent": run.agent}


def read_text(block: ContentBlock) -> str:
    """Return what a block says; of a file its kind alone."""
    if block.type in ("text", "thinking"):
        return str(getattr(block, "text", ""))
    if block.type == "tool_call":
        return dump_said({"tool": block.tool, "arguments": _sort(block.arguments)})
    if block.type == "tool_result":
        return block.content
    return f"[{getattr(block, 'media_type', block.type)}]"


def _sort(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(arguments.items()))
