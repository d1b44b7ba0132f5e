"""Write what people and models said in an ended run into a log of its own, redacted, off the user's path."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pentad.domain.messages import ContentBlock
from pentad.domain.runs import Run
from pentad.memory.sessions.ports import SessionStore, StoredMessage
from pentad.orchestration.contents.ports import ContentLine, ContentLog, NameFinder
from pentad.orchestration.runs.ports import RunStore

PART: Final = 40_000
"""Characters of a line's text: with all of them escaped it is still less than 256 KB."""
_PAGE: Final = 50
_MOST_MESSAGES: Final = 2_000

Mask = Callable[[str], str]


class WriteContents:
    """Writes the contents of runs.

    Args:
        runs: the store of runs.
        sessions: the store of sessions, which has what was said.
        log: where it goes.
        agents: whose runs; all others' contents are not written.
        mask: takes secrets and personal data out of a text.
        names: finds what has no form; None for nobody.
    """

    def __init__(
        self,
        runs: RunStore,
        sessions: SessionStore,
        log: ContentLog,
        *,
        agents: Sequence[str],
        mask: Mask,
        names: NameFinder | None = None,
    ) -> None:
        self._runs = runs
        self._sessions = sessions
        self._log = log
        self._agents = frozenset(agents)
        self._mask = mask
        self._names = names

    def __call__(self, tenant_id: str, run_id: str) -> int:
        """Write what was said in a run and return how many lines were new; again writes nothing twice.

        Raises:
            NotFound: no such run.
            StoreUnavailable, ConfigurationError: see the ports; again is safe.
        """
        run = self._runs.get(tenant_id, run_id)
        if run.agent not in self._agents:
            return 0
        lines = [line for stored in self._iter_messages(run) for line in self._build_lines(run, stored)]
        return self._log.write(f"{tenant_id}/{run_id}", lines) if lines else 0

    def _iter_messages(self, run: Run) -> Iterator[StoredMessage]:
        for first in range(run.request_seq, run.request_seq + _MOST_MESSAGES, _PAGE):
            page = self._sessions.read(run.tenant_id, run.session_id, first, first + _PAGE - 1)
            own = [stored for stored in page if stored.message.run_id == run.run_id]
            yield from own
            if len(own) < _PAGE:  # a run's messages follow each other
                return

    def _build_lines(self, run: Run, stored: StoredMessage) -> Iterator[ContentLine]:
        message = stored.message
        for number, block in enumerate(message.blocks):
            text = self._redact(_read_text(block))
            for part, start in enumerate(range(0, max(1, len(text)), PART)):
                yield {
                    "line": f"{message.message_id}.{number}.{part}",
                    "timestamp": message.created_at.isoformat(timespec="milliseconds"),
                    "tenant": run.tenant_id,
                    "run": run.run_id,
                    "session": run.session_id,
                    "agent": run.agent,
                    "step": message.step or 0,
                    "role": message.role,
                    "kind": block.type,
                    "text": text[start : start + PART],
                }

    def _redact(self, text: str) -> str:
        masked = self._mask(text)
        return self._names.mask(masked) if self._names is not None and masked.strip() else masked


def _read_text(block: ContentBlock) -> str:
    """Return what a block says; of a file its kind alone."""
    if block.type in ("text", "thinking"):
        return str(getattr(block, "text", ""))
    if block.type == "tool_call":
        return json.dumps({"tool": block.tool, "arguments": _sort(block.arguments)}, ensure_ascii=False, default=str)
    if block.type == "tool_result":
        return block.content
    return f"[{getattr(block, 'media_type', block.type)}]"


def _sort(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(arguments.items()))
