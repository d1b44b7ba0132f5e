"""`Assign`: variables change only after the output was computed, and are recorded as JSON.

What moto gets wrong: `Assign` is applied before `Output` is evaluated; a string is recorded without escapes.
"""

from typing import Any

from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore

from twin.machine.encoding import dump_json
from twin.moto_patches.patching import Patches


def _collect_assignments(self: Any, env: Any) -> None:
    """Evaluate `Assign` against the data at entry and keep it until the output is known."""
    for binding in self.declaration_bindings:
        binding.eval(env=env)
        env.pending_assign.update(env.stack.pop())


def _dump_variables(self: Any) -> dict[str, str]:
    """Moto writes a string without escaping what JSON escapes."""
    return {name: dump_json(self.get(name)) for name in sorted(self._declaration_tracing)}


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(AssignDecl, "_eval_body", _collect_assignments)
    patches.set_attribute(VariableStore, "get_assigned_variables", _dump_variables)
