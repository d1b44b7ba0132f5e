"""Cases of tests that were made of feedback: what was asked, what was answered, and what it should have been.

`pentad feedback export` writes them: a line of JSON each in ``cases.jsonl``, and each run's recording beside it.
"""

from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError

from pentad.domain.errors import InvalidInput
from pentad.domain.values import FrozenValue

CASES: Final = "cases.jsonl"


class CaseMessage(FrozenValue):
    """What was said."""

    role: Literal["user", "assistant"]
    content: str


class FeedbackCase(FrozenValue):
    """An answer that somebody judged."""

    format: Literal["pentad.case"] = "pentad.case"
    version: Literal[1] = 1
    case: str = Field(description="the feedback's id")
    agent: str
    messages: tuple[CaseMessage, ...] = Field(min_length=1, description="the conversation, the question last")
    answer: str | None = Field(description="what was answered")
    verdict: Literal["correct", "wrong"]
    expected: str | None = Field(description="what the answer should have said, where somebody said so")
    comment: str | None = None
    confidence: float | None = None
    run_id: str
    recording: str = Field(description="the run's recording, a file beside this one")

    def __str__(self) -> str:
        """Return its name in a test's id."""
        return self.case

    @property
    def question(self) -> str:
        """What the user asked."""
        return self.messages[-1].content


def load_cases(folder: Path) -> list[FeedbackCase]:
    """Return the cases of a folder; none where it has no file of them.

    Raises:
        InvalidInput: a line is no case of this version.
    """
    path = folder / CASES
    if not path.exists():
        return []
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            cases.append(FeedbackCase.model_validate_json(line))
        except ValidationError as error:
            raise InvalidInput(
                f"line {number} of {path.name} is not a case of this version",
                field="cases",
                fix="write it with `pentad feedback export`",
            ) from error
    return cases
