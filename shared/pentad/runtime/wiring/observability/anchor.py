"""The wiring of functions.observability.anchor."""

from functools import cache

from pentad.aws.clients import get_client
from pentad.models.remote.adapters.mac_kms import KmsMacKey
from pentad.observability.anchors.adapters.anchors_s3 import S3Anchors
from pentad.observability.anchors.adapters.heads_dynamodb import DynamoHeads
from pentad.observability.anchors.write import WriteAnchors
from pentad.runtime.clock import now
from pentad.runtime.settings import AnchorSettings, read_settings
from pentad.runtime.wiring.ground.stores import make_table
from pentad.runtime.wiring.ground.telemetry import telemetry_of


@cache
def make_anchors() -> WriteAnchors:
    """Return what writes anchors."""
    values = read_settings(AnchorSettings)
    return WriteAnchors(
        DynamoHeads(make_table(values.ledger_table)),
        S3Anchors(get_client("s3"), values.anchor_bucket),
        KmsMacKey(get_client("kms"), values.audit_key),
        telemetry_of("anchor"),
        now=now,
    )
