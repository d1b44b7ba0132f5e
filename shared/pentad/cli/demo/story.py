"""The demo's chapters: each asks something of the running stack and checks that it really happened."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pentad.cli.client import ApiClient
from pentad.cli.commands.knowledge.ingest import find_documents, ingest_all
from pentad.cli.commands.runs.runs import ask, wait_after_decision
from pentad.cli.demo.record import DemoFailure, Json, check, record_run
from pentad.cli.screen import Screen, build_line, format_count
from pentad.cli.show import print_run, render_approval, render_waterfall

ABOUT_THE_DOCS = "What does the state machine of an agent carry, and where do the words live?"
TWO_TOOLS = "What is 17.5 * (3 + 4), and how many days are there between 2026-01-01 and 2026-11-22?"
FOLLOW_UP = "What did I ask you before?"
NOTE_TITLE = "Pentad demo"
NOTE_TEXT = "The five layers work as one system."
NOTE = f'Save a note titled "{NOTE_TITLE}" with the text "{NOTE_TEXT}"'
_SECONDS = 120
_INGEST_SECONDS = 300


class Faults(Protocol):
    """Makes providers fail."""

    def inject(self, *providers: str) -> None:
        """Let every call to these providers answer 529 until `clear`."""
        ...

    def clear(self) -> None:
        """Let all providers answer again."""
        ...


class Notes(Protocol):
    """Looks at the notes that the tool keeps, past the stack."""

    def list_notes(self) -> list[Json]:
        """Return the stored notes."""
        ...


@dataclass
class Story:
    """The demo's state as it goes.

    Attributes:
        client: the API.
        screen: where the transcript goes.
        docs: the folder of documents to upload.
        faults: makes providers fail.
        notes: looks at what the notes tool stored.
        runs: what is kept of each run.
    """

    client: ApiClient
    screen: Screen
    docs: Path
    faults: Faults
    notes: Notes
    runs: list[Json] = field(default_factory=list)
    _session: str | None = None

    def tell(self) -> None:
        """Go through all chapters.

        Raises:
            DemoFailure: something did not happen.
        """
        chapters: list[tuple[str, Callable[[], None]]] = [
            ("The project's docs are uploaded and indexed", self.ingest),
            ("A question about them is answered with citations", self.cite),
            ("Two tools at once", self.use_tools),
            ("A follow-up that needs the session's memory", self.remember),
            ("An action that needs approval, then its undo", self.approve_and_undo),
            ("The primary provider fails, then all of them", self.degrade),
            ("One run as a waterfall", self.show_trace),
        ]
        for number, (title, chapter) in enumerate(chapters, start=1):
            self.screen.print_rule(f"{number}. {title}")
            try:
                chapter()
            except DemoFailure as failure:
                raise DemoFailure(f"chapter {number} ({title}): {failure}") from failure

    def ingest(self) -> None:
        """Upload the docs and wait for the index."""
        files = find_documents([self.docs])
        entries = ingest_all(self.client, files, _INGEST_SECONDS)
        failed = [entry["name"] for entry in entries if entry["status"] != "indexed"]
        check(not failed, f"these were not indexed: {', '.join(failed)}")
        chunks = sum(entry["chunks"] for entry in entries)
        check(chunks > len(files), "the documents gave too few chunks")
        self.screen.print(f"{format_count(len(entries), 'document')}, {format_count(chunks, 'chunk')} indexed")

    def cite(self) -> None:
        """Ask about the docs; every citation must point at text that is really in the document."""
        view, kept = self._ask(ABOUT_THE_DOCS)
        check(view["status"] == "succeeded", f"the run is {view['status']}")
        check(view["citations"], "the answer has no citation")
        for citation in view["citations"]:
            self._check_citation(citation)
        check(kept["transitions"] == 4, f"a plain answer took {kept['transitions']} transitions, not 4")

    def use_tools(self) -> None:
        """Ask for two tools; both calls must be of one turn."""
        view, kept = self._ask(TWO_TOOLS)
        calls = kept["tool_calls"]
        check({call["tool"] for call in calls} == {"calculator", "date_time"}, f"called {[c['tool'] for c in calls]}")
        check(len({call["step"] for call in calls}) == 1, "the tools were not called in one turn")
        check(all(call["status"] == "succeeded" for call in calls), "a tool failed")
        ran = [function for function in kept["functions"] if function["name"].endswith("-run-tool")]
        check(len(ran) == len(calls) and _has_overlap(*ran[:2]), "the tools were not called in parallel")
        for number in ("122.5", "325"):
            check(number in (view["answer"] or ""), f"{number} is not in the answer")
        # Recall; Think, Decide, Act and one for each call; Think, Decide, Deliver.
        check(kept["transitions"] == 1 + 3 + len(calls) + 3, f"it took {kept['transitions']} transitions")
        self._session = view["session"]

    def remember(self) -> None:
        """Ask what only the session knows, there and in a new session."""
        view, _ = self._ask(FOLLOW_UP, session_id=self._session)
        check("17.5" in (view["answer"] or ""), "the session's memory is not in the answer")
        stranger, _ = self._ask(FOLLOW_UP)
        check("17.5" not in (stranger["answer"] or ""), "another session can see what was asked in this one")

    def approve_and_undo(self) -> None:
        """Ask for a note, approve exactly what is shown, look at the table, undo, look again."""
        view, _ = self._ask(NOTE, keep=False)
        check(view["status"] == "awaiting_human", f"the run is {view['status']} and waits for nobody")
        check(not self.notes.list_notes(), "the note was saved before anybody approved it")
        pending = {item["approval"]: item for item in self.client.iter_items("/v1/approvals", limit=100)}
        approval = pending.get(view["pending_approval"])
        if approval is None:
            raise DemoFailure("the approval is not in the list")
        self.screen.print(render_approval(approval))
        body = {"decision": "approve", "arguments_hash": approval["arguments_hash"]}
        self.client.call("POST", f"/v1/approvals/{approval['approval']}", body=body)
        view = wait_after_decision(self.client, view["run_id"], approval["approval"], _SECONDS)
        print_run(self.screen, view)
        kept = self._record_run(view)
        check(view["status"] == "succeeded", f"after the approval the run is {view['status']}")
        shown, call = approval["calls"][0], kept["tool_calls"][0]
        check(shown["arguments"] == call["arguments"], "what ran is not what was shown")
        saved = self.notes.list_notes()
        check(len(saved) == 1 and saved[0]["text"] == shown["arguments"]["text"], "the note is not in the table")
        undone = self.client.call("POST", "/v1/undo", body={"undo_token": call["undo_token"]})
        check(undone["status"] == "undone" and not self.notes.list_notes(), "the note is still there after the undo")
        self.screen.print("approved, executed as shown, undone with its token")

    def degrade(self) -> None:
        """Let the primary provider fail, then all of them; then a run in the same session must work again."""
        self.faults.inject("anthropic")
        try:
            view, kept = self._ask(ABOUT_THE_DOCS)
            turns = [attempt for attempt in kept["model_attempts"] if attempt["tier"] != "embeddings"]
            providers = [attempt["provider"] for attempt in turns]
            told = any("answered because" in notice for notice in view["notices"])
            check(view["status"] == "succeeded" and told, "the fallback gave no notice")
            check(providers[0] == "anthropic" and providers[-1] == "openai", f"the attempts were {providers}")
            self.faults.inject("anthropic", "openai")
            down, _ = self._ask(ABOUT_THE_DOCS)
            check(
                down["status"] == "degraded" and down["answer"], f"with all providers down the run is {down['status']}"
            )
        finally:
            self.faults.clear()
        again, _ = self._ask(FOLLOW_UP, session_id=down["session"])
        check(again["status"] == "succeeded", "the session does not continue after the degraded run")

    def show_trace(self) -> None:
        """Print the waterfall of the run with the tools."""
        kept = next(run for run in self.runs if run["question"] == TWO_TOOLS)
        trace = self.client.call("GET", f"/v1/runs/{kept['run_id']}/trace")
        kinds = {span["kind"] for span in trace["spans"]}
        check(kinds >= {"run", "state", "function", "model", "tool"}, f"the waterfall has only {sorted(kinds)}")
        self.screen.print(render_waterfall(trace, self.screen.width))

    def _ask(self, question: str, *, session_id: str | None = None, keep: bool = True) -> tuple[Json, Json]:
        self.screen.print(build_line("[bold]> {question}[/]", question=question))
        view = ask(self.client, "assistant", question, session_id=session_id, key=uuid.uuid4().hex, seconds=_SECONDS)
        print_run(self.screen, view)
        return view, self._record_run(view) if keep else {}

    def _record_run(self, view: Json) -> Json:
        kept = record_run(self.client, view)
        self.runs.append(kept)
        return kept

    def _check_citation(self, citation: Json) -> None:
        name = citation["document"]
        path = next((path for known, path in find_documents([self.docs]).items() if known == name), None)
        if path is None:
            raise DemoFailure(f"the citation names {name}, which was not uploaded")
        text = path.read_text(encoding="utf-8")
        check(text[citation["start"] : citation["end"]].startswith(citation["quote"]), f"{name} has no such passage")


def _has_overlap(first: Json, second: Json) -> bool:
    return bool(first["start"] < second["end"] and second["start"] < first["end"])
