"""Step Functions: what the interpreter needs beside moto's, which `twin.moto_patches.stepfunctions` repairs."""

from twin.machine import imports  # first: what follows imports moto's interpreter
from twin.machine.clients import Connect
from twin.machine.executions import stop_all
from twin.machine.tokens import find_machine_arn

__all__ = ["Connect", "find_machine_arn", "imports", "stop_all"]
