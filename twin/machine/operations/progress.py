"""How far a program has come: what a redrive of its execution goes on from.

Each environment in which states run has one: that of the execution, and those of branches and iterations within its
Parallel and Map states. The frames in which a state's attempts run share the one of the state.
"""

from collections.abc import Mapping
from typing import Any

_TOO_LARGE = "States.DataLimitExceeded"


class Progress:
    """Where a program of states is, and what it has there."""

    def __init__(self) -> None:
        self.output: Any = None
        self.is_finished = False
        self._state: str | None = None
        self._is_entered = False
        self._input: Any = None
        self._variables: Mapping[str, Any] = {}
        self._parts: dict[int, Progress] = {}
        self._goes_on = False
        self.map_run: Any = None
        """Of a distributed Map state, until it is left: a redrive goes on with it."""

    @property
    def state(self) -> str | None:
        """The state that the program is in or comes to next; None before its first one."""
        return self._state

    def enter(self, env: Any, state: str, *, again: bool = False) -> bool:
        """Note that a state is entered; false where a redrive goes on within it.

        Args:
            env: the state's environment, whose data no state changes in place.
            state: its name.
            again: whether a redrive enters it anew.
        """
        goes_on, self._goes_on = self._goes_on, False
        if goes_on and self._is_entered and not again:
            return False
        self._note(env, state, is_entered=True)
        return True

    def leave(self, env: Any) -> None:
        """Note that a state is left for the next one, if the program goes on."""
        if env.is_running():
            self._note(env, env.next_state_name, is_entered=False)

    def finish(self, output: Any) -> None:
        """Note the output of a branch or iteration: a redrive does not run it again."""
        self.output, self.is_finished = output, True

    def get_part(self, index: int) -> "Progress":
        """Return the progress of a branch or iteration of the state, by its index."""
        return self._parts.setdefault(index, Progress())

    def forget_parts(self) -> None:
        """Begin all branches or iterations of the state anew: another attempt of it."""
        self._parts, self.map_run = {}, None

    def go_on(self, env: Any) -> str | None:
        """Give an environment what the program had, and return the state to go on at; None to begin at the first."""
        if self._state is None:
            return None
        self._goes_on = True
        env.states.reset(input_value=self._input)
        for name, value in self._variables.items():
            env.variable_store.set(variable_identifier=name, variable_value=value)
        env.variable_store.reset_tracing()
        return self._state

    def prepare(self, error: str | None) -> None:
        """Make ready for a redrive: a state whose parts have all succeeded and whose output was too large runs anew.

        Args:
            error: of the execution. Source: "Redrive behavior of individual states" of the developer guide.
        """
        parts = list(self._parts.values())
        if error == _TOO_LARGE and all(part.is_finished for part in parts):
            self.forget_parts()
        for part in self._parts.values():
            part.prepare(error)

    def _note(self, env: Any, state: str, *, is_entered: bool) -> None:
        self._state, self._is_entered = state, is_entered
        self._input = env.states._states_data["input"]
        self._variables = dict(env.variable_store._inner_scope)
        self.forget_parts()
