"""Write the assembly, and refuse what CloudFormation would refuse at deployment, hours later or half way."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import App

from layers.build import set_modes
from layers.commands import BuildError

MOST_RESOURCES = 500
MOST_OUTPUTS = 200
MOST_PARAMETERS = 200
MOST_BYTES = 1_000_000
"""Of one stack's template. Source of all four: "Understand CloudFormation quotas" of the CloudFormation user guide."""
_MACHINE = "AWS::StepFunctions::StateMachine"
_TOO_MANY = re.compile(
    r"Number of resources in stack '(?P<stack>[^']+)': (?P<count>[0-9]+) is greater"
    rf"(?:.*{_MACHINE} \((?P<machines>[0-9]+)\))?"
)


def write_assembly(app: App) -> Path:
    """Synthesize, and return the folder of the assembly.

    Raises:
        BuildError: a stack is too large for CloudFormation.
    """
    try:
        folder = Path(app.synth().directory)
    except RuntimeError as error:
        found = _TOO_MANY.search(str(error))
        if found is None:
            raise
        raise BuildError(
            _explain(found["stack"], f"{found['count']} resources", MOST_RESOURCES, int(found["machines"] or 0))
        ) from error
    check_templates(folder)
    # A copy that the CDK finds in the folder is not made anew, whatever its modes: those of an earlier release may be
    # such that Lambda can't read the files. The CDK's own new folders have the modes of the deployer's umask.
    for asset in folder.glob("asset.*"):
        if asset.is_dir() and not asset.is_symlink():
            set_modes(asset)
    return folder


def check_templates(folder: Path) -> None:
    """Check each template of an assembly against CloudFormation's limits.

    Raises:
        BuildError: one is over a limit; it says by how much, and what to do.
    """
    for path in sorted(folder.glob("*.template.json")):
        content = path.read_bytes()
        template = json.loads(content)
        name = path.name.removesuffix(".template.json")
        machines = _count_machines(template)
        for count, what, most in (
            (len(template.get("Resources", {})), "resources", MOST_RESOURCES),
            (len(template.get("Outputs", {})), "outputs", MOST_OUTPUTS),
            (len(template.get("Parameters", {})), "parameters", MOST_PARAMETERS),
            (len(content), "bytes", MOST_BYTES),
        ):
            if count > most:
                raise BuildError(_explain(name, f"{count:,} {what}", most, machines))


def _count_machines(template: Mapping[str, Any]) -> int:
    return Counter(body["Type"] for body in template.get("Resources", {}).values())[_MACHINE]


def _explain(stack: str, found: str, most: int, machines: int) -> str:
    over = f"the stack '{stack}' has {found}, and CloudFormation takes {most:,}"
    if not machines:
        return (
            f"{over}; it has no state machines, so agents don't count: take out tools, or their packages and secrets, "
            "that nobody uses, or deploy a part of them as a second project in another account or region"
        )
    return (
        f"{over}; it has {machines} state machines, and a "
        "stage has room for about 35 agents and workflows: take out those that nobody uses, make one agent of similar "
        "ones, or deploy a part of them as a second project in another account or region"
    )
