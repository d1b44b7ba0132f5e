"""Which tests a worker of pytest-xdist takes at once, and which are begun first.

One takes a whole file, or a group of files that share something (``xdist_group``): what a file sets up, such as a
synthesized project, is then made once. What takes longest is begun first, so that no worker is left with it at the end.
"""

from pathlib import Path

import pytest
from xdist.scheduler import LoadGroupScheduling

_ROOT = Path(__file__).resolve().parent
# The longest first, and second one that needs no synth: who came second would wait for the first one's.
_LONG_GROUPS = ("stack-own", "fragments", "models-own", "twin-update", "twin-compose", "stack-grants")
_TIERS = ("twin", "agents", "infra", "contract", "architecture")


class FileScheduling(LoadGroupScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out groups, and files where a test is of no group, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # By their number of tests, short files of long tests would come last.

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return scope.split("::", 1)[0] if scope == nodeid else scope


def order(items: list[pytest.Item]) -> None:
    """Put the tests of long groups and tiers first; the others stay in their order."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    groups = {str(mark.args[0]) for mark in item.iter_markers("xdist_group")}
    for number, group in enumerate(_LONG_GROUPS):
        if group in groups:
            return number
    tier = Path(item.path).relative_to(_ROOT).parts[0]
    return len(_LONG_GROUPS) + (_TIERS.index(tier) if tier in _TIERS else len(_TIERS))
