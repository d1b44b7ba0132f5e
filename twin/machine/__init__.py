"""The state-machine interpreter of the local twin: moto's Step Functions, repaired until it behaves as AWS does."""

from twin.machine import imports  # first: what follows imports moto's interpreter
from twin.machine.callbacks import find_machine_arn
from twin.machine.clients import Connect
from twin.machine.executions import stop_all
from twin.machine.install import count_transitions, install, uninstall

__all__ = ["Connect", "count_transitions", "find_machine_arn", "imports", "install", "stop_all", "uninstall"]
