"""Redaction against a corpus: every form in every place is masked, and nothing else is."""

import http
import importlib.resources
import json
import urllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pentad.domain.secrets import MASK, mask_secrets
from pentad.domain.secrets.forms import FORMS
from tests.unit.domain.secrets.samples import PLACES, fill_template, iter_harmless, list_random_parts, read_templates

ROOT = Path(__file__).parents[4]
SEEDS = 4
TEMPLATES = read_templates()


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_credential_is_masked_in_every_place(name: str) -> None:
    left = []
    for seed in range(SEEDS):
        credential = fill_template(TEMPLATES[name], seed)
        for place, put in PLACES.items():
            masked = mask_secrets(put(credential))
            if MASK not in masked or any(part in masked for part in list_random_parts(TEMPLATES[name], credential)):
                left.append((place, put(credential), masked))
    assert not left


def test_every_form_of_the_table_has_a_sample() -> None:
    """A row that no sample needs could be wrong without anyone's notice."""
    samples = [fill_template(template, 0) for template in TEMPLATES.values()]
    unseen = {
        form.name for form in FORMS if not any(literal in sample for literal in form.literals for sample in samples)
    }
    assert unseen <= {
        "AWS signature",
        "AWS session in an address",
        "Google signature",
        "Fly",
        "Cloudflare origin",
        "Clojars",
        "1Password",
        "private key",
        "PuTTY",
    }


def test_what_is_around_a_credential_stays() -> None:
    token = fill_template("glpat-{w20}", 1)
    assert mask_secrets(f"clone https://oauth2:{token}@gitlab.com/a/b.git failed") == (
        f"clone https://oauth2:{MASK}@gitlab.com/a/b.git failed"
    )
    assert json.loads(mask_secrets(json.dumps({"a": f"x {token} y", "b": [1]}))) == {"a": f"x {MASK} y", "b": [1]}


def test_no_id_hash_file_or_address_is_masked() -> None:
    harmless = list(iter_harmless())
    assert len(harmless) > 4000
    assert [one for one in harmless if mask_secrets(one) != one] == []


def iter_files() -> Iterator[Path]:
    """Our own pages, code and locked hashes, and code of others, a megabyte of it minified."""
    yield from (ROOT / "docs").rglob("*.md")
    yield from (ROOT / "requirements").glob("*.txt")
    yield from (ROOT / "infra").rglob("*.py")
    yield from (ROOT / "shared" / "pentad" / "orchestration").rglob("*.py")
    for package in (http, urllib, json):
        yield from Path(package.__path__[0]).rglob("*.py")
    swagger = importlib.resources.files("aws_lambda_powertools.event_handler.openapi.swagger_ui")
    yield Path(str(swagger / "swagger-ui.min.css"))
    yield Path(str(swagger / "swagger-ui-bundle.min.js"))


def test_no_page_and_no_code_is_masked() -> None:
    characters, changed = 0, []
    for path in iter_files():
        text = path.read_text(encoding="utf-8").replace(MASK, "")
        characters += len(text)
        masked = mask_secrets(text)
        if masked != text:
            place = masked.index(MASK)
            changed.append(f"{path.name}: {masked[max(0, place - 60) : place + 40]!r}")
    assert characters > 3_000_000
    assert changed == []


@pytest.mark.parametrize("tail", ["", "a1", "1" * 30, "Aa1_-", "==", "\\n ", ' "'])
def test_beginnings_of_credentials_without_end_take_no_more_time_than_other_text(tail: str) -> None:
    """A pattern that backtracks would take hours for these: the suite's own time limit would tell."""
    for form in FORMS:
        for literal in form.literals:
            text = (literal + tail) * (8_000 // len(literal + tail))
            assert all(part in text for part in mask_secrets(text).split(MASK))
