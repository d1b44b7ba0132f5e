"""moto's Step Functions, repaired until it behaves as AWS does: its language, its engine, its tasks and its API."""

from twin.machine import imports  # first: what follows imports moto's interpreter

__all__ = ["imports"]
