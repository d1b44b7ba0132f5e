"""`ResultPath`: moto parses the default `$` anew each time, which costs more than the state."""

from typing import Any

from moto.stepfunctions.parser.asl.component.common.path.result_path import ResultPath

from twin.moto_patches.patching import Patches


def _wrap_result_path(original: Any) -> Any:
    """Moto parses the default path `$` anew each time, which costs more than the state."""

    def evaluate(self: Any, env: Any) -> None:
        if self.result_path_src != ResultPath.DEFAULT_PATH:
            original(self, env)

    return evaluate


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.set_attribute(ResultPath, "_eval_body", _wrap_result_path(ResultPath._eval_body))
