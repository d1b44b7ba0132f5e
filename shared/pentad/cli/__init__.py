"""The ``pentad`` command. Never in a Lambda layer."""
