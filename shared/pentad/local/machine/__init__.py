"""The state-machine interpreter of the local twin: moto's Step Functions, repaired until it behaves as AWS does."""

from pentad.local.machine import imports  # first: what follows imports moto's interpreter
from pentad.local.machine.callbacks import machine_of
from pentad.local.machine.clients import Connect
from pentad.local.machine.executions import stop_all
from pentad.local.machine.install import install, transitions, uninstall

__all__ = ["Connect", "imports", "install", "machine_of", "stop_all", "transitions", "uninstall"]
