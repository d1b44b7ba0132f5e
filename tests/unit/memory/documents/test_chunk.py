"""Chunks of parsed documents."""

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentad.domain.errors import InvalidInput
from pentad.domain.usage import estimate_tokens
from pentad.memory.documents.chunk import MAX_CHUNK_TOKENS, Chunk, split_document
from pentad.memory.documents.formats.parse import parse
from pentad.memory.documents.structure import ParsedBlock, ParsedDocument

SENTENCE = "The quick brown fox jumps over the lazy dog near the river bank. "


def chunks_of(text: str, name: str = "a.md") -> tuple[ParsedDocument, list[Chunk]]:
    parsed = parse(text.encode("utf-8", "replace"), name=name, media_type="")
    return parsed, split_document(parsed, document=name)


def covered(parsed: ParsedDocument, chunks: list[Chunk]) -> bool:
    marked = bytearray(len(parsed.text))
    for one in chunks:
        marked[one.start : one.end] = b"\x01" * (one.end - one.start)
    return all(mark or character.isspace() for mark, character in zip(marked, parsed.text, strict=True))


markdown = st.lists(
    st.one_of(
        st.text(max_size=80),
        st.sampled_from(
            ["# Head\n", "## Sub\n\n", "- item\n", "> quote\n", "```\ncode\n```\n", "| a | b |\n|---|---|\n| 1 | 2 |\n"]
        ),
        st.integers(1, 60).map(lambda times: SENTENCE * times),
        st.integers(1, 3000).map(lambda times: "\u4e2d\u6587" * times),
        st.sampled_from(["\n\n", "\n", "    ", "---\n", "e\u0301" * 900, "\U0001f468\u200d\U0001f469" * 300]),
    ),
    max_size=25,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(text=markdown, name=st.sampled_from(["a.md", "a.txt", "a.html"]))
def test_offsets_are_exact_and_nothing_is_lost(text: str, name: str) -> None:
    parsed, chunks = chunks_of(text, name)
    assert all(parsed.text[one.start : one.end] == one.text for one in chunks)
    assert all(one.text == one.text.strip() != "" for one in chunks)
    assert covered(parsed, chunks)


@settings(max_examples=100, deadline=None)
@given(text=markdown)
def test_chunks_are_bounded_in_order_and_have_ids_of_their_own(text: str) -> None:
    _, chunks = chunks_of(text)
    assert all(estimate_tokens(one.text) <= 2 * MAX_CHUNK_TOKENS for one in chunks)
    assert [one.start for one in chunks] == sorted(one.start for one in chunks)
    assert len({one.chunk_id for one in chunks}) == len(chunks)


@settings(max_examples=50, deadline=None)
@given(text=markdown)
def test_the_same_document_gives_the_same_chunks(text: str) -> None:
    assert chunks_of(text) == chunks_of(text)


def test_a_section_is_a_chunk_with_its_heading_path_as_title() -> None:
    _, chunks = chunks_of("# A\n\none\n\n## B\n\ntwo\n\n# C\n\nthree\n")
    assert [(one.title, one.text) for one in chunks] == [
        ("A", "# A\n\none"),
        ("A > B", "## B\n\ntwo"),
        ("C", "# C\n\nthree"),
    ]


def test_headings_without_words_go_with_what_follows() -> None:
    _, chunks = chunks_of("# A\n\n## B\n\nwords\n")
    assert [(one.title, one.text) for one in chunks] == [("A > B", "# A\n\n## B\n\nwords")]


def test_a_document_without_headings_has_its_name_as_title() -> None:
    _, [only] = chunks_of("words", "docs/plain.txt")
    assert only.title == "docs/plain.txt"


def test_paragraphs_are_packed_up_to_the_limit_and_not_cut() -> None:
    paragraphs = [SENTENCE * 8 for _ in range(9)]
    _, chunks = chunks_of("\n\n".join(paragraphs), "a.txt")
    assert all(150 <= estimate_tokens(one.text) <= MAX_CHUNK_TOKENS for one in chunks)
    assert all(one.text.endswith("bank.") for one in chunks)


def test_a_long_paragraph_is_cut_between_sentences_with_some_overlap() -> None:
    parsed, chunks = chunks_of(" ".join(f"Sentence number {n} says something about fish." for n in range(200)), "a.txt")
    assert len(chunks) > 2
    assert all(one.text.startswith("Sentence") and one.text.endswith("fish.") for one in chunks)
    overlaps = [before.end - after.start for before, after in pairwise(chunks)]
    assert all(0 < overlap <= 200 for overlap in overlaps)
    assert covered(parsed, chunks)


def test_neighbouring_paragraphs_do_not_overlap() -> None:
    _, chunks = chunks_of("\n\n".join(SENTENCE * 20 for _ in range(5)), "a.txt")
    assert all(before.end <= after.start for before, after in pairwise(chunks))


def test_long_code_is_cut_between_lines_without_overlap() -> None:
    lines = [f"value_{n} = compute(value_{n - 1})" for n in range(300)]
    _, chunks = chunks_of("```\n" + "\n".join(lines) + "\n```\n")
    assert len(chunks) > 3
    assert "\n".join(one.text for one in chunks).count("value_150 =") == 1
    assert all(line in lines or line == "```" for one in chunks for line in one.text.split("\n"))


def test_a_word_longer_than_a_chunk_is_cut_between_whole_characters() -> None:
    parsed, chunks = chunks_of("e\u0301" * 3000, "a.txt")
    assert len(chunks) > 1
    assert all(one.text.startswith("e") for one in chunks)
    assert covered(parsed, chunks)


def test_an_id_stays_when_other_parts_of_the_document_change() -> None:
    _, before = chunks_of("# A\n\none\n\n# B\n\ntwo\n")
    _, after = chunks_of("# New\n\nzero\n\n# A\n\none\n\n# B\n\nchanged\n")
    assert before[0].chunk_id == after[1].chunk_id
    assert before[1].chunk_id != after[2].chunk_id


def embedded(before: list[Chunk], after: list[Chunk]) -> int:
    known = {one.chunk_id for one in before}
    return sum(one.chunk_id not in known for one in after)


def test_a_paragraph_put_anywhere_changes_the_chunks_around_it_only(root: Path) -> None:
    chance = random.Random(11)
    for page in sorted((root / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        _, before = chunks_of(text, page.name)
        paragraphs = text.split("\n\n")
        for _ in range(3):
            place, new = chance.randrange(len(paragraphs) + 1), SENTENCE * chance.randrange(1, 9)
            _, after = chunks_of("\n\n".join([*paragraphs[:place], new, *paragraphs[place:]]), page.name)
            assert embedded(before, after) <= 3, (page.name, place)


def test_a_paragraph_put_into_a_long_text_without_headings_changes_few_chunks() -> None:
    chance = random.Random(12)
    paragraphs = [f"Paragraph {n}. " + SENTENCE * chance.randrange(1, 6) for n in range(600)]
    _, before = chunks_of("\n\n".join(paragraphs), "a.txt")
    assert len(before) > 100
    for _ in range(20):
        place = chance.randrange(len(paragraphs) + 1)
        _, after = chunks_of("\n\n".join([*paragraphs[:place], SENTENCE * 2, *paragraphs[place:]]), "a.txt")
        assert embedded(before, after) <= 3
        _, less = chunks_of("\n\n".join(paragraphs[:place] + paragraphs[place + 1 :]), "a.txt")
        assert embedded(before, less) <= 3


def write_texts(kind: str, texts: list[str]) -> str:
    """Return texts as a document of a kind: a text a record, a row, a paragraph, a line of code, or nothing between."""
    rows = "".join(f"<tr><td>{text}</td><td>x</td></tr>" for text in texts)
    return {
        "list.json": json.dumps(texts),
        "object.json": json.dumps({"name": "x", "items": texts}),
        "deep.json": json.dumps({"a": {"name": "x", "items": texts}}),
        "nested.json": json.dumps({"a": {"b": [[text] for text in texts]}}),
        "records.json": json.dumps({"rows": [{"text": text, "n": 1.50} for text in texts]}),
        "keys.json": json.dumps({text[:40]: text for text in texts}),
        "a.jsonl": "\n".join(json.dumps({"text": text}) for text in texts),
        "a.csv": "name,text\n" + "\n".join(f"{text[:8]},{text}" for text in texts),
        "a.md": "# Title\n\n" + "\n".join(f"* {text}" for text in texts),
        "a.html": f"<!doctype html><table><tr><th>a<th>b</tr>{rows}</table>",
        "a.py": "\n\n".join(f"def f_{text[:6].strip()}():\n    return {text!r}" for text in texts),
        "chinese.txt": "".join(
            chr(0x4E00 + sum(map(ord, word)) * 37 % 5000) for text in texts for word in text.split()
        ),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    ["list.json", "object.json", "deep.json", "nested.json", "records.json", "keys.json", "a.jsonl", "a.csv", "a.md",
     "a.html", "a.py", "chinese.txt"],
)  # fmt: skip
def test_a_text_put_anywhere_changes_few_chunks_of_each_kind(kind: str) -> None:
    chance = random.Random(5)

    def make() -> str:
        return " ".join(f"{chance.choice('pump valve hose gasket seal rotor'.split())}{chance.randrange(999)}"
                        for _ in range(chance.randrange(5, 15)))  # fmt: skip

    texts = [make() for _ in range(900 if kind == "chinese.txt" else 300)]
    _, before = chunks_of(write_texts(kind, texts), kind)
    assert len(before) > 10
    for _ in range(6):
        place = chance.randrange(len(texts) + 1)
        _, after = chunks_of(write_texts(kind, [*texts[:place], make(), *texts[place:]]), kind)
        assert 1 <= embedded(before, after) <= 3


def test_a_renamed_heading_changes_the_chunk_that_holds_it_only(root: Path) -> None:
    text = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, before = chunks_of(text)
    _, after = chunks_of(text.replace("# ", "# Renamed: ", 1))
    assert embedded(before, after) == 1
    assert sum(one.title.startswith("Renamed: ") for one in after) > 10


def test_rows_put_on_top_of_a_csv_change_few_chunks() -> None:
    chance = random.Random(13)
    rows = [f"{n},Part {chance.randrange(999)} of the catalogue,{chance.randrange(99)}" for n in range(900)]
    _, before = chunks_of("\n".join(["id,name,stock", *rows]), "a.csv")
    assert len(before) > 30
    for count in range(1, 12):
        new = [f"{n},New part {n},7" for n in range(5000, 5000 + count)]
        _, after = chunks_of("\n".join(["id,name,stock", *new, *rows]), "a.csv")
        assert embedded(before, after) <= 3


def test_a_table_of_equal_rows_is_cut_evenly_and_fast() -> None:
    _, chunks = chunks_of("a,b\n" + "1,2\n" * 60_000, "a.csv")
    assert {one.text.count("\n") > 60 for one in chunks} == {True}


def test_rows_of_a_table_carry_their_header_and_a_chunk_with_it_does_not_repeat_it() -> None:
    rows = "\n".join(f"| {n} | Item {n} of the catalogue with a description | {n % 7} |" for n in range(90))
    _, chunks = chunks_of(f"# Stock\n\n| Id | Name | On hand |\n|---|---|---|\n{rows}\n\nAfter the table.\n")
    assert len(chunks) > 3
    assert [one.header for one in chunks] == ["", *["| Id | Name | On hand |"] * (len(chunks) - 1)]
    assert chunks[2].indexed == f"Stock\n\n| Id | Name | On hand |\n{chunks[2].text}"
    assert all("On hand" not in one.text for one in chunks[1:])


def test_the_words_after_a_table_have_no_header() -> None:
    _, chunks = chunks_of("| Id | Name |\n|---|---|\n| 1 | x |\n\n" + "\n\n".join([SENTENCE * 9] * 4), "a.md")
    assert [one.header for one in chunks] == [""] * len(chunks)


def test_source_code_is_cut_at_definitions_and_carries_what_is_around_them(root: Path) -> None:
    path = root / "shared/pentad/memory/documents/ingest.py"
    _, chunks = chunks_of(path.read_text(encoding="utf-8"), "ingest.py")
    inside = [one for one in chunks if one.text.startswith("def _")]
    assert len(inside) >= 5
    assert all(one.header == "class Ingest:" for one in inside if "self" in one.text.partition("\n")[0])
    begins = ("def ", "class ", "@", '"""', "from ", "#")
    assert sum(one.text.startswith(begins) for one in chunks) > len(chunks) * 0.7


def test_a_record_is_kept_whole_and_a_huge_one_carries_its_first_line() -> None:
    one = {"id": 7, "name": "Pump", "notes": [SENTENCE] * 30}
    _, chunks = chunks_of(json.dumps([{"id": 1, "name": "Valve"}, one, {"id": 9, "name": "Hose"}]), "a.json")
    assert [chunk.text.count("notes") for chunk in chunks if "notes" in chunk.text] == [30]
    _, chunks = chunks_of(json.dumps([{"id": 7, "notes": [SENTENCE] * 300}]), "a.json")
    assert {chunk.header for chunk in chunks[1:]} == {"id: 7"}


def test_the_same_words_elsewhere_have_another_id() -> None:
    _, chunks = chunks_of("# A\n\nsame\n\n# A\n\nsame\n")
    assert chunks[0].chunk_id != chunks[1].chunk_id
    assert chunks_of("same", "a.txt")[1][0].chunk_id != chunks_of("same", "b.txt")[1][0].chunk_id


def test_more_than_thirty_thousand_chunks_are_refused() -> None:
    with pytest.raises(InvalidInput, match="30,000"):
        sections = tuple(ParsedBlock(2 * n, 2 * n + 1, "text", (str(n),)) for n in range(30_001))
        split_document(ParsedDocument("x\n" * 30_001, sections, "text/plain"), document="a")


def test_the_text_of_every_chunk_fits_into_a_vectors_metadata() -> None:
    _, chunks = chunks_of(
        "".join("#" * (1 + n % 6) + " " + "heading " * 40 + "\n\n" for n in range(60)) + "\U0001f600" * 9000
    )
    assert all(len(one.text.encode()) + len(one.title.encode()) < 30_000 for one in chunks)
