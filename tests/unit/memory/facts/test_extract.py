"""A long message is read in pieces, all of it as far as its bound; a part of a session is as much as some requests."""

import random
from dataclasses import replace

import pytest

from pentad.domain.messages import TextBlock
from pentad.domain.models import CallContext
from pentad.domain.usage import estimate_tokens
from pentad.memory.facts.extract import (
    ANSWER_CHARACTERS,
    MESSAGE_TOKENS,
    MOST_REQUESTS,
    PART_TOKENS,
    PIECE_CHARACTERS,
    build_extract_request,
    cut_parts,
    is_read_in_part,
    list_pieces,
    narrow_work,
)
from pentad.memory.remember.ports import Spoken
from tests.unit.memory.facts.talk import START, say, work

SENTENCES = [f"Sentence {number} is of no interest to anybody at all." for number in range(1_900)]


def _read(spoken: Spoken) -> str:
    return "".join(spoken.text[start:end] for start, end in spoken.own)


@pytest.mark.parametrize(
    "text",
    [
        " ".join(SENTENCES),
        "\n\n".join(SENTENCES),
        "\n".join(SENTENCES),
        "x" * 100_000,
        "\u6211\u5728\u67cf\u6797\u5de5\u4f5c\u3002" * 1_000,
        ("word " * 1_000 + "\n") * 18,
    ],
)
def test_pieces_are_the_whole_message_in_order_and_each_is_small(text: str) -> None:
    [one] = say(f"u: {text}")
    pieces = list_pieces(one)
    assert "".join(map(_read, pieces)) == text
    assert all(len(_read(piece)) <= PIECE_CHARACTERS for piece in pieces)
    assert len(pieces) <= 2 * len(text) // PIECE_CHARACTERS + 1
    assert not is_read_in_part(one)


@pytest.mark.parametrize("gap", [" ", "\n", "\n\n"])
def test_no_sentence_is_cut(gap: str) -> None:
    [one] = say(f"u: {gap.join(SENTENCES)}")
    found = [sentence for piece in list_pieces(one) for sentence in SENTENCES if sentence in piece.words]
    assert found == SENTENCES


def test_what_is_not_the_users_own_is_in_no_piece() -> None:
    rng = random.Random(7)
    text = "".join(rng.choice("abc \n.") for _ in range(40_000))
    spans = tuple((start, start + 700) for start in range(0, 39_000, 1_000))
    one = replace(say(f"u: {text}")[0], own=spans)
    assert "".join(map(_read, list_pieces(one))) == "".join(text[start:end] for start, end in spans)


def test_of_a_message_beyond_the_bound_its_ends_are_read() -> None:
    text = "".join(f"{number:05d}\u6211\u5728\u67cf\u6797\u3002" for number in range(9_000))
    [one] = say(f"u: {text}")
    assert is_read_in_part(one)
    pieces = list_pieces(one)
    words = [_read(piece) for piece in pieces]
    assert text.startswith(words[0])
    assert text.endswith(words[-1])
    read = sum(map(estimate_tokens, words))
    assert 0.9 * MESSAGE_TOKENS < read <= MESSAGE_TOKENS
    gaps = [place for place in range(1, len(pieces)) if pieces[place].own[0][0] != pieces[place - 1].own[-1][1]]
    assert len(gaps) == 1
    before, behind = sum(map(len, words[: gaps[0]])), sum(map(len, words[gaps[0] :]))
    assert abs(before - behind) <= PIECE_CHARACTERS


def test_of_a_long_answer_the_ends_are_read_in_one_piece() -> None:
    [answer] = say(f"a: {'x' * ANSWER_CHARACTERS}middle{'y' * ANSWER_CHARACTERS}")
    assert list_pieces(answer) == [answer]
    request = build_extract_request([answer], [], CallContext(tenant_id="acme"), START)
    [block] = request.messages[0].blocks
    assert isinstance(block, TextBlock)
    assert "middle" not in block.text
    assert "xx\n[...]\nyy" in block.text


def test_each_request_has_room_and_a_name_of_its_own() -> None:
    spoken = say("u: short", f"u: {' '.join(SENTENCES)}", "a: ok", "u: more")
    parts = cut_parts(spoken)
    assert len(parts) > 2
    assert all(sum(estimate_tokens(one.words) for one in part) <= PART_TOKENS for part in parts)
    requests = [build_extract_request(part, [], CallContext(tenant_id="acme"), START) for part in parts]
    names = [request.messages[0].message_id for request in requests]
    assert len(set(names)) == len(names)


def test_a_part_is_as_much_as_some_requests_read() -> None:
    whole = work(say(*(f"u: {' '.join(SENTENCES)}" for _ in range(5))))
    seqs = [one.seq for one in whole.spoken]
    taken: list[int] = []
    left = whole
    while True:
        part = narrow_work(left)
        assert part.first_seq == left.first_seq
        assert 1 <= len(cut_parts(part.spoken)) <= MOST_REQUESTS
        taken += [one.seq for one in part.spoken]
        if part.next_seq == whole.next_seq:
            break
        rest = tuple(one for one in whole.spoken if one.seq >= part.next_seq)
        left = replace(whole, first_seq=part.next_seq, spoken=rest)
    assert taken == seqs
    few = work(say("u: My name is Priya.", "a: Hello."))
    assert narrow_work(few) is few
