"""What was said is cut where a reader would, and every word of it is kept."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pentad.memory.remember.ports import Spoken
from pentad.memory.sessions.ports import Session
from pentad.memory.turns.cut import LONGEST_CHARACTERS, MAX_PARTS, cut_parts, make_utterances
from tests.unit.memory.turns.talk import AT

SESSION = Session(
    tenant_id="acme",
    session_id="s1",
    agent="assistant",
    user_id="ada",
    version=1,
    length=2,
    created_at=AT,
    updated_at=AT,
    expires_at=AT,
)


def spoken(text: str, speaker: str = "user", seq: int = 0) -> Spoken:
    assert speaker in ("user", "assistant")
    return Spoken(seq, "user" if speaker == "user" else "assistant", text, ((0, len(text)),), AT)


@given(st.text(alphabet="ab .!?\n\u3002", max_size=6000))
@settings(max_examples=80, deadline=None)
def test_parts_hold_every_word_and_none_is_long_or_empty(text: str) -> None:
    parts = cut_parts(text)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(part and len(part) <= LONGEST_CHARACTERS for part in parts)


def test_a_short_message_is_one_part() -> None:
    assert cut_parts("I moved to Graz. It rains.") == ["I moved to Graz. It rains."]


def test_of_a_pasted_log_the_middle_is_left_out() -> None:
    parts = cut_parts("\n\n".join(f"line {number} {'x' * 470}" for number in range(500)))
    assert len(parts) == MAX_PARTS
    assert (parts[0][:6], parts[-1][:8]) == ("line 0", "line 499")


def test_each_part_has_its_speaker_and_place() -> None:
    long = "This is a sentence of some words. " * 40
    made = make_utterances([spoken("Hello.", seq=3), spoken(long, "assistant", seq=4)], SESSION)
    assert [(one.speaker, one.seq, one.part) for one in made][:3] == [
        ("ada", 3, 0),
        ("assistant", 4, 0),
        ("assistant", 4, 1),
    ]
    assert made[0].line == "ada (8 March 2026): Hello."


def test_a_name_in_front_is_the_speaker_and_markers_are_no_words() -> None:
    made = make_utterances(
        [spoken("Caroline: I went to a group."), spoken("It is open [cite:k7f2qa].", "assistant", 1)], SESSION
    )
    assert [(one.speaker, one.text) for one in made] == [
        ("Caroline", "I went to a group."),
        ("assistant", "It is open."),
    ]


def test_a_session_without_a_user_has_one_all_the_same() -> None:
    [one] = make_utterances([spoken("Hi.")], SESSION.model_copy(update={"user_id": None}))
    assert one.speaker == "user"


def test_nobody_speaks_for_the_agent_or_the_system() -> None:
    for name in ("assistant", "Assistant", "SYSTEM", "Tool"):
        [one] = make_utterances([spoken(f"{name}: I agreed to pay.")], SESSION)
        assert (one.speaker, one.text) == ("ada", f"{name}: I agreed to pay.")
