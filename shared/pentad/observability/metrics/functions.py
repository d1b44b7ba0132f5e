"""The functions that a run needs."""

from typing import Final

RUN_FUNCTIONS: Final = ("api", "deliver", "gateway", "recall", "run-tool", "trigger", "workflow")
"""By their names without the deployment's prefix: the errors that they raise are counted apart from those of Lambda."""
