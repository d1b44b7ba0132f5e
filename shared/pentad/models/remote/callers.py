"""Who may ask the gateway for what: told by the name under which it is invoked.

A caller chooses what it writes into a payload, but not under which name of the function its role may invoke it. State
machines invoke published versions, the stack's own functions and the drill's schedule an alias, graphs another alias,
and an operator's drill the function itself.
"""

from pentad.domain.errors import PolicyDenied

LIVE = "live"
GRAPHS = "graphs"
_BY_NAME = {
    "a version": frozenset({"think", "task", "begin"}),
    LIVE: frozenset({"complete", "embed", "drill"}),
    GRAPHS: frozenset({"complete"}),
    "the function": frozenset({"drill"}),
}


def check_caller(invoked_arn: str, op: str) -> bool:
    """Return whether the caller has to prove for whom it asks.

    Args:
        invoked_arn: the ARN in Lambda's context, with the alias or version that was invoked.
        op: what is asked for.

    Raises:
        PolicyDenied: under this name the gateway does not do that.
    """
    qualifier = "".join(invoked_arn.split(":")[7:8])
    name = "a version" if qualifier.isdigit() else "the function" if qualifier in ("", "$LATEST") else qualifier
    if op not in _BY_NAME.get(name, ()):
        raise PolicyDenied(
            f"{name} of the gateway does not do '{op}'",
            field="op",
            fix="invoke the alias that the caller's role allows",
        )
    return name == GRAPHS
