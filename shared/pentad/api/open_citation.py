"""The place in a document that an answer cites, opened by whoever may see the run that cites it."""

from dataclasses import dataclass

from pentad.api.found import FindRun
from pentad.api.views.views import CitedPlaceView
from pentad.domain.errors import NotFound
from pentad.domain.knowledge import Citation, Passage
from pentad.domain.runs import Run
from pentad.memory.context.window import is_question
from pentad.memory.documents.ports import DocumentRegistry
from pentad.memory.retrieval.citations import find_passage
from pentad.memory.retrieval.passages import name_passage
from pentad.memory.sessions.ports import SessionStore

_MOST_MESSAGES = 2_000
"""Of a conversation that are read for the passage; beyond them stands the citation's quotation."""


@dataclass(frozen=True)
class OpenCitation:
    """Opens what a run's answer cites.

    Only what the answer cites is shown, as the run was given it: its search asked for documents that its user may see.
    So the link needs no rule of its own beside that of the run, and no index.

    Attributes:
        find: finds the run.
        sessions: the messages, with the passages that were given.
        registry: says what has become of the document.
    """

    find: FindRun
    sessions: SessionStore
    registry: DocumentRegistry

    def __call__(self, tenant_id: str, run_id: str, name: str) -> CitedPlaceView:
        """Return the place.

        Args:
            tenant_id: the caller's.
            run_id: the run whose answer cites it.
            name: of the passage in the citation's marker, such as ``k7f2qa``.

        Raises:
            NotFound: there is no such run, or its answer does not cite the passage.
            StoreUnavailable: a store did not answer.
        """
        run = self.find(tenant_id, run_id)
        cited = next((one for one in run.citations if name_passage(one.passage_id) == name), None)
        if cited is None:
            raise NotFound(
                "the run's answer does not cite this passage",
                field="name",
                fix="use the 'link' of one of the run's 'citations'",
            )
        return self._build_view(run, cited, self._find_given(run, cited))

    def _find_given(self, run: Run, cited: Citation) -> Passage | None:
        """Return the passage as it was given to the run, or None where the session does not hold it any more."""
        head = self.sessions.get(run.tenant_id, run.session_id)
        if head is None:
            return None
        first = run.request_seq if run.manifest is None else run.manifest.epoch_first_seq
        # A step is at most an assistant's message and one with results.
        last = min(run.request_seq + 2 * run.spent.steps + 1, head.length - 1)
        first = max(first, last - _MOST_MESSAGES + 1)
        stored = self.sessions.read(run.tenant_id, run.session_id, first, last)
        later = (one.seq for one in stored if one.seq > run.request_seq and is_question(one.message))
        end = next(later, last + 1)  # A later run may have been given another version.
        found = find_passage([one for one in stored if one.seq < end], cited.passage_id)
        return found if found is not None and found.version == cited.version else None

    def _build_view(self, run: Run, cited: Citation, given: Passage | None) -> CitedPlaceView:
        document = self.registry.get(run.tenant_id, cited.document)
        there = document is not None and document.status in ("indexed", "stale")
        return CitedPlaceView(
            **cited.model_dump(),
            text=cited.quote if given is None else given.text,
            header="" if given is None else given.header,
            is_whole=given is not None,
            document_status="deleted" if document is None else document.status,
            is_newest=document is not None and there and document.version == cited.version,
        )
