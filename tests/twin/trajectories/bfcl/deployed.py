"""Deploy the functions that some entries call, on a twin of their own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pentad.testing.stack import keeper
from tests.twin.stack.world import Stack
from tests.twin.trajectories import project
from tests.twin.trajectories.bfcl import domain
from tests.twin.trajectories.bfcl.conversation import Conversation, conversation
from tests.twin.trajectories.bfcl.entries import Entry, Function, called, functions
from tests.twin.trajectories.bfcl.truth import changing

MOST_TOOLS = 54
"""Of one deployment: each is five resources of CloudFormation's 500, and one of the twin's 64 processes."""


@dataclass(frozen=True)
class Benchmark:
    """What all entries of a category share.

    Attributes:
        functions: all functions by method.
        changing: the methods that change their backend's state.
    """

    functions: dict[str, Function]
    changing: set[str]

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "Benchmark":
        """Read what these entries need."""
        return cls(functions(), changing(entries))

    def conversation(self, entry: Entry) -> Conversation:
        """Return an entry as a conversation."""
        return conversation(entry, self.functions, self.changing)

    def domain(self, entries: Sequence[Entry], folder: Path) -> Path:
        """Write the tools that entries need, and an agent that has them, into a folder."""
        methods = sorted({method for entry in entries for method in called(entry)})
        return domain.make(folder, [self.functions[method] for method in methods], self.changing)

    @contextmanager
    def deployed(self, entries: Sequence[Entry], root: Path, folder: Path) -> Iterator[Stack]:
        """Run a twin with the tools that entries need.

        Args:
            entries: the entries.
            root: this project.
            folder: an empty one, for the copy of the project and the twin's state.
        """
        assembly = project.make(root, self.domain(entries, folder / "domain"), folder / "project")
        with keeper.running(assembly, folder / ".pentad") as facts, Stack(facts) as stack:
            yield stack


def groups(entries: Sequence[Entry], most: int = MOST_TOOLS) -> list[list[Entry]]:
    """Return the entries in order, in groups that need at most so many tools."""
    found: list[list[Entry]] = []
    methods: set[str] = set()
    for entry in entries:
        if not found or len(methods | called(entry)) > most:
            found.append([])
            methods = set()
        found[-1].append(entry)
        methods |= called(entry)
    return found
