"""A stand-in for the model providers: the Anthropic and OpenAI wire formats, answered by plain rules."""

from twin.simulator.control import ControlError, SimulatorControl
from twin.simulator.server import Simulator

__all__ = ["ControlError", "Simulator", "SimulatorControl"]
