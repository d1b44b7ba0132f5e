"""Keys of tables are made in one place, and so are the patterns that roles are granted."""

import ast
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from pentad.domain import keys
from tests.architecture.trees import read_tree

_TREES = ("shared", "functions", "infra", "layers")
_KEY = re.compile(r"^[A-Z]#|[A-Z]{2,}#")
"""What stands in a partition's key, a sort key or a pattern, in a string or in a part of an f-string."""


def _strings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the strings of a module and their lines, docstrings not."""
    tree = read_tree(path)
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def test_no_module_but_one_spells_a_key_of_a_table(root: Path) -> None:
    files = [path for tree in _TREES for path in (root / tree).rglob("*.py") if "cdk.out" not in path.parts]
    spelt = [
        f"{path.relative_to(root).as_posix()}:{line}: {value}"
        for path in files
        for line, value in _strings(path)
        if _KEY.search(value) and path != root / "shared/pentad/domain/keys.py"
    ]
    assert len(files) > 100
    assert not spelt, "use a function or a constant of pentad.domain.keys"


@pytest.mark.parametrize(
    ("pattern", "key"),
    [
        (keys.session_pattern, keys.session_pk("acme", "s-1")),
        (keys.run_pattern, keys.run_pk("acme", "r-1")),
        (keys.document_pattern, keys.document_pk("acme", "a report.pdf")),
        (keys.user_pattern, keys.user_pk("acme", "sam@example.com")),
        (keys.graph_pattern, keys.graph_pk("acme", "r-1")),
        (keys.budget_pattern, keys.budget_pk("acme", "USER", "u-1")),
        (keys.spend_pattern, keys.spend_pk("acme", "TOTAL")),
        (keys.cached_reply_pattern, keys.cached_reply_pk("acme", "00ff")),
        (keys.notice_pattern, keys.notice_pk("acme", "a-1")),
        (lambda: keys.collection_pattern("DOCS"), keys.collection_pk("acme", "DOCS")),
    ],
)
def test_a_pattern_reaches_its_own_keys_of_every_tenant_and_no_others(pattern: Callable[[], str], key: str) -> None:
    every = {
        keys.session_pk("t", "1"),
        keys.run_pk("t", "1"),
        keys.user_pk("t", "1"),
        keys.document_pk("t", "1"),
        keys.graph_pk("t", "1"),
        keys.budget_pk("t", "RUN", "1"),
        keys.spend_pk("t", "RUN"),
        keys.cached_reply_pk("t", "1"),
        keys.notice_pk("t", "1"),
        keys.ledger_day_pk("t", "2026-01-01"),
        *(
            keys.collection_pk("t", kind)
            for kind in ("SESSIONS", "RUNS", "APPROVALS", "REVIEWS", "KEYS", "DOCS", "BUDGETS")
        ),
    }
    assert fnmatchcase(key, pattern())
    assert len([one for one in every if fnmatchcase(one, pattern())]) == 1
