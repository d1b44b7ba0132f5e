"""Try a tool by itself, in this process, without AWS."""

from pentad.testing.tools.trial import ScriptedHttp as ScriptedHttp
from pentad.testing.tools.trial import ToolTrial as ToolTrial
from pentad.testing.tools.trial import TrialAnswer as TrialAnswer
