"""A stand-in for the model providers: the Anthropic and OpenAI wire formats, answered by plain rules."""

from pentad.local.simulator.control import ControlError, SimulatorControl
from pentad.local.simulator.server import Simulator

__all__ = ["ControlError", "Simulator", "SimulatorControl"]
