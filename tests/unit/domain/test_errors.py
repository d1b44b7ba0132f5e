"""The tree of errors, whose class names are a wire contract."""

from pentad.domain import errors


def test_an_adapters_own_error_takes_the_place_of_none_of_the_tree() -> None:
    class _Unreadable(errors.ToolFailed):
        """As the adapter of Slack has one."""

    assert issubclass(_Unreadable, errors.ToolFailed)
    assert errors.ToolFailed in set(errors.iter_leaves())
    assert _Unreadable not in set(errors.iter_leaves())
