"""Tables of the documentation say what the code says."""

from pathlib import Path

import pytest

from pentad.observability.metrics.table import METRICS
from scripts import generate_docs


def test_every_generated_table_is_up_to_date() -> None:
    assert not generate_docs.find_stale(), "run make docs, and fill in TODO"


def test_a_row_that_the_page_lacks_has_words_to_fill_in_and_those_that_it_has_keep_theirs() -> None:
    table = generate_docs.Table("docs/api.md", ("route", "scope", "does"), lambda: [("`a`", "new"), ("`b`", "x")])
    text = generate_docs.render(
        table, "| route | scope | does |\n|---|---|---|\n| `a` | old | says hello |\n| `gone` | x | y |\n"
    )
    assert text == "| route | scope | does |\n|---|---|---|\n| `a` | new | says hello |\n| `b` | x | TODO |\n"


def test_a_check_fails_where_a_table_is_out_of_date(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = generate_docs.TABLES["routes"]._replace(rows=lambda: [("`GET /v1/none`", "`runs:read`")])
    monkeypatch.setitem(generate_docs.TABLES, "routes", stale)
    monkeypatch.setattr("sys.argv", ["generate_docs.py", "--check"])
    assert generate_docs.main() == 1
    assert "docs/api.md: the table 'routes' is out of date" in capsys.readouterr().err


def test_every_dimension_that_a_call_gives_is_in_the_table_of_metrics(root: Path) -> None:
    written = {name: set(spec.dimensions) for name, spec in METRICS.items()}
    given = generate_docs.find_dimensions()
    assert len(given) > 40
    assert not {name: found - written[name] for name, found in given.items() if found - written[name]}
