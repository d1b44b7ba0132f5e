"""JSON in histories and results.

What moto gets wrong: it escapes every non-ASCII character and puts blanks after separators, so its histories differ and
its 256 KiB limit strikes early.
"""

from moto.stepfunctions.parser import quotas
from moto.stepfunctions.parser.asl.utils import encoding

from twin.machine.encoding import dump_json, is_within_quota
from twin.moto_patches.patching import Patches


def apply(patches: Patches) -> None:
    """Install the patches of this module."""
    patches.replace_everywhere(encoding.to_json_str, dump_json)
    patches.replace_everywhere(quotas.is_within_size_quota, is_within_quota)
