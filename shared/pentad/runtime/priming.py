"""What the gateway does before Lambda takes its snapshot (SnapStart): import, and nothing more.

The providers' SDKs take 1 to 1.6 s to import; after a restore they are there. No client is made and no connection
opened before the snapshot: both would be shared by every instance restored from it, credentials included. Outside
SnapStart nothing here runs, and only the SDK in use is imported, when it is called.
"""

import importlib
import random

from pentad.runtime.models import load_models

MODULES = (
    "anthropic",
    "openai",
    "jsonschema",
    "pentad.models.providers.adapters.anthropic",
    "pentad.models.providers.adapters.openai",
)


def prime() -> None:
    """Import what a call will need and read the model catalog."""
    for name in MODULES:
        importlib.import_module(name)
    load_models()


def register() -> None:
    """Let the runtime prime before a snapshot and seed anew after a restore; outside Lambda, do nothing."""
    try:
        from snapshot_restore_py import register_after_restore, register_before_snapshot
    except ImportError:
        return
    register_before_snapshot(prime)
    # Ours draw from the system (`pentad.aws.jitter`); botocore's retries and other packages use this module.
    register_after_restore(random.seed)
