"""The stack as a test sees it: the kit that users test their agents with (`pentad.testing`), by the names used here."""

from pentad.aws.table import from_dynamodb
from pentad.testing.stack.world import ENDED as ENDED
from pentad.testing.stack.world import Json as Json
from pentad.testing.stack.world import Stack as Stack
from pentad.testing.stack.world import Tenant as Tenant
from pentad.testing.stack.world import until as until
from pentad.testing.stack.world import word as word

plain = from_dynamodb
