"""What users are told in an agent's place: by agent, in the users' language. Operators are told reasons elsewhere."""

from pydantic import Field

from pentad.domain.values import FrozenValue

WORDS_CHARACTERS = 1_000
NO_MODEL = (
    "No language model could be reached just now, so this request was not answered. "
    "Nothing you sent was lost. Please try again in a few minutes."
)


class UserWords(FrozenValue):
    """The words. None of them holds a reason: that stands in a run's ``stop_reason`` and ``error``, and in the log."""

    stopped: str = Field(
        default="This could not be finished. Please try again later, or ask in another way.",
        min_length=1,
        max_length=WORDS_CHARACTERS,
        description="the answer of a run that was stopped: a limit, a budget, a refusal, a kill switch, nobody decided",
    )
    unavailable: str = Field(
        default=NO_MODEL,
        min_length=1,
        max_length=WORDS_CHARACTERS,
        description="the answer where no model could be reached",
    )
    waiting: str = Field(
        default="A human is looking at this. The answer comes as soon as they have decided; you can go on writing.",
        min_length=1,
        max_length=WORDS_CHARACTERS,
        description="shown while a run, or the run before it in its session, waits for a human",
    )
