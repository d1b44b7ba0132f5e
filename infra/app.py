"""Entry point of the CDK app: two stacks for one stage, checked by cdk-nag.

``python -m infra.app`` synthesizes into ``cdk.out`` (or CDK_OUTDIR) without a CDK CLI; ``cdk deploy`` runs the same
command. Nothing here calls AWS, and the stacks name no account or region.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.assembly import write_assembly
from infra.config import read_stage, resolve_output_folder
from infra.context import read_context
from infra.models.catalog import read_models
from infra.stacks.agent import AgentStack
from infra.stacks.state import StateStack
from infra.tools.library import choose_tools
from infra.tools.limits import replace_rates
from infra.tools.tools_file import read_tools_file
from layers.build import BuildError
from layers.imports import check_imports
from pentad.domain.errors import PentadError
from pentad.tools.declare.discovery import AnyTool

ROOT = Path(__file__).resolve().parent.parent


def build_stacks(
    app: App, root: Path = ROOT, tools: Mapping[str, AnyTool] | None = None
) -> tuple[StateStack, AgentStack]:
    """Add the stacks of the stage that the app's context names.

    Args:
        app: the app to add to.
        root: the project's folder, with agents/, functions/, requirements/; maybe with models.yaml and tools.yaml.
        tools: by name; where None those of ``functions/tools``, and those of the library that are named.

    Raises:
        BuildError: a layer can't be built, or a function can't be imported from its own asset and layers.
        PentadError: what the project says is wrong.
    """
    stage = read_stage(app)
    models = read_models(root)
    declared = choose_tools(root) if tools is None else dict(tools)
    configured = read_tools_file(root, declared, prefix=stage.prefix)
    declared = replace_rates(declared, configured.rates)
    state = StateStack(
        app,
        f"{stage.prefix}-state",
        stage=stage,
        provider_secrets=models.other_secrets,
        tool_secrets=configured.made,
    )
    agent = AgentStack(
        app,
        f"{stage.prefix}-agent",
        stage=stage,
        state=state,
        root=root,
        models=models,
        declared=declared,
        configured=configured,
    )
    agent.add_stack_dependency(state)
    check_imports(root, agent.code)
    Tags.of(app).add("pentad:stage", stage.name)
    # A synth for the laptop's twin may leave the checks out (they take longer than the synth); a deployment never does.
    if app.node.try_get_context("pentad:checks") != "off":
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return state, agent


def main() -> None:
    """Synthesize."""
    try:
        # A run without the CDK CLI has no context but this; what the CLI passes wins.
        app = App(context=read_context(ROOT), outdir=resolve_output_folder(ROOT))
        build_stacks(app)
        write_assembly(app)
    except BuildError as error:
        sys.exit("\n".join(f"error: {line}" for line in str(error).splitlines()))
    except PentadError as error:
        # What the project says is wrong: one line, where a traceback would show the synth's own files.
        sys.exit(f"error: {error.message} ({error.fix})" if error.fix else f"error: {error.message}")


if __name__ == "__main__":
    main()
