"""The state-machine interpreter of the local twin: moto's Step Functions, repaired until it behaves as AWS does."""

from twin.machine import imports  # first: what follows imports moto's interpreter
from twin.machine.callbacks import machine_of
from twin.machine.clients import Connect
from twin.machine.executions import stop_all
from twin.machine.install import install, transitions, uninstall

__all__ = ["Connect", "imports", "install", "machine_of", "stop_all", "transitions", "uninstall"]
