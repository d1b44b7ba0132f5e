"""The stack of a user's own project, which these tests share with those of tests/twin/stack."""

from tests.twin.stack.conftest import OwnProject, own

__all__ = ["OwnProject", "own"]
