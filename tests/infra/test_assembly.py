"""What is refused before CloudFormation would refuse it, and the modes of what is uploaded."""

import json
import os
import stat
from pathlib import Path

import pytest
from aws_cdk import App, CfnResource, Stack
from aws_cdk.aws_s3_assets import Asset
from pytest_socket import enable_socket

from infra import assembly
from infra.app import main
from infra.assembly import write_assembly
from layers.commands import BuildError

MACHINE = "AWS::StepFunctions::StateMachine"


def make_stack(out: Path, resources: int, size: int = 0) -> App:
    enable_socket()  # Node is spoken to by a pipe, and asyncio makes a pair of sockets
    app = App(outdir=str(out))
    stack = Stack(app, "pentad-dev-agent")
    for number in range(resources):
        CfnResource(stack, f"r{number}", type=MACHINE, properties={"Text": "x" * size})
    return app


def test_too_many_resources_are_one_line_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_stack(tmp_path, 501)
    with pytest.raises(
        BuildError, match="'pentad-dev-agent' has 501 resources, and CloudFormation takes 500; it has 501"
    ):
        write_assembly(app)
    monkeypatch.setattr("infra.app.build_stacks", lambda _: None)
    monkeypatch.setattr("infra.app.App", lambda **_: app)
    with pytest.raises(SystemExit, match=r"^error: the stack 'pentad-dev-agent' has 501 resources, .*another account"):
        main()


def test_a_template_that_is_too_large_is_refused_with_its_size(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"has 1,0\d\d,\d\d\d bytes, and CloudFormation takes 1,000,000; it has 10 "):
        write_assembly(make_stack(tmp_path / "large", 10, 100_000))
    write_assembly(make_stack(tmp_path / "small", 9, 100_000))


@pytest.mark.parametrize(("section", "most"), [("Outputs", 200), ("Parameters", 200), ("Resources", 500)])
def test_every_limit_of_a_template_counts(tmp_path: Path, section: str, most: int) -> None:
    path = tmp_path / "one.template.json"
    for count in (most, most + 1):
        path.write_text(json.dumps({section: {f"n{number}": {"Type": "String"} for number in range(count)}}))
        if count == most:
            assembly.check_templates(tmp_path)
            continue
        with pytest.raises(BuildError, match=f"'one' has {count} {section.lower()}, and CloudFormation takes {most}"):
            assembly.check_templates(tmp_path)


def test_a_stack_without_state_machines_is_told_of_its_tools(tmp_path: Path) -> None:
    resources = {f"n{number}": {"Type": "AWS::Lambda::Function"} for number in range(501)}
    (tmp_path / "tools.template.json").write_text(json.dumps({"Resources": resources}))
    with pytest.raises(BuildError, match=r"'tools' has 501 resources, .* no state machines, .*: take out tools, "):
        assembly.check_templates(tmp_path)


def test_what_an_earlier_synth_left_unreadable_is_readable_for_all(tmp_path: Path) -> None:
    source, out = tmp_path / "code", tmp_path / "out"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "one.py").write_text("x = 1\n")
    for umask in (0o077, 0o022):
        before = os.umask(umask)
        try:
            app = make_stack(out, 1)
            Asset(app.node.find_child("pentad-dev-agent"), "asset", path=str(source))  # type: ignore[arg-type]
            write_assembly(app)
        finally:
            os.umask(before)
        [made] = out.glob("asset.*/deep/one.py")
        modes = [stat.S_IMODE(one.stat().st_mode) for one in (made, made.parent, made.parent.parent)]
        assert modes == [0o644, 0o755, 0o755]
        made.chmod(0o600)  # as an earlier release left it: the CDK finds the folder and copies nothing


def test_templates_have_no_indentation(assembly_dir: Path) -> None:
    # A quarter of a template's bytes; 27 agents were at the limit with them.
    templates = list(assembly_dir.glob("*.template.json"))
    names = {path.name for path in templates}
    assert names >= {"pentad-dev-agent.template.json", "pentad-dev-state.template.json"}
    assert any(name.endswith(".nested.template.json") for name in names)
    for path in templates:
        assert b"\n " not in path.read_bytes(), path.name
