"""ARNs of state machines and their executions, known from names alone."""

from pentad.domain.declarations.agents import Catalog


class MachineArns:
    """The ARNs of a deployment's state machines.

    Args:
        prefix: ARN of the state machines up to what `Catalog.find_machine` returns.
        catalog: says which kind of machine an agent has.
    """

    def __init__(self, prefix: str, catalog: Catalog) -> None:
        self._prefix = prefix
        self._catalog = catalog

    def get_machine(self, agent: str) -> str:
        """Return the ARN of an agent's or workflow's state machine."""
        return f"{self._prefix}{self._catalog.find_machine(agent)}"

    def get_execution(self, agent: str, name: str, *, express: bool = False) -> str:
        """Return the ARN of an execution; of an Express one all but the part that only its start tells."""
        kind = "express" if express else "execution"
        return f"{self.get_machine(agent).replace(':stateMachine:', f':{kind}:', 1)}:{name}"
