"""How long an attempt is waited for: by the speed and the length of the latest replies."""

from pentad.domain.usage import Usage
from pentad.models.catalog.catalog import ModelEntry, load
from pentad.models.providers.speeds import START_SECONDS, USUAL_TOKENS, USUAL_TOKENS_PER_SECOND, Speeds

CATALOG = load()
SONNET: ModelEntry = CATALOG.models["claude-sonnet-5-5"]
HAIKU: ModelEntry = CATALOG.models["claude-haiku-5-5"]
USUAL = START_SECONDS + USUAL_TOKENS / USUAL_TOKENS_PER_SECOND
CAP = 16_000


def wrote(tokens: int) -> Usage:
    return Usage(input_tokens=9, output_tokens=tokens)


def test_a_model_of_which_nothing_is_known_has_the_time_of_a_long_reply_and_no_more_than_its_cap() -> None:
    assert Speeds().compute_seconds(SONNET, CAP) == USUAL
    assert Speeds().compute_seconds(SONNET, 500) == START_SECONDS + 10


def test_short_replies_leave_it_at_that_and_a_longer_one_gives_twice_its_time() -> None:
    speeds = Speeds()
    for _ in range(3):
        speeds.record(SONNET, wrote(1_000), 10)
    assert speeds.compute_seconds(SONNET, CAP) == START_SECONDS + USUAL_TOKENS / 100
    speeds.record(SONNET, wrote(3_000), 30)
    assert speeds.compute_seconds(SONNET, CAP) == START_SECONDS + 60
    speeds.record(SONNET, wrote(9_000), 90)
    assert speeds.compute_seconds(SONNET, CAP) == START_SECONDS + CAP / 100
    assert speeds.compute_seconds(HAIKU, CAP) == USUAL


def test_an_attempt_that_was_cut_has_twice_the_time_at_the_next_until_the_cap() -> None:
    speeds, waited = Speeds(), list[float]()
    for _ in range(4):
        waited.append(speeds.compute_seconds(SONNET, CAP))
        speeds.record_cut(SONNET, waited[-1], CAP)
    assert waited == [USUAL, START_SECONDS + 170, START_SECONDS + 320, START_SECONDS + 320]


def test_long_replies_of_long_ago_are_forgotten() -> None:
    speeds = Speeds()
    speeds.record(SONNET, wrote(16_000), 320)
    for _ in range(32):
        speeds.record(SONNET, wrote(40), 1)
    assert speeds.compute_seconds(SONNET, CAP) == USUAL
