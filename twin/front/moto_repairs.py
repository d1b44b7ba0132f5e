"""An answer of moto 5.2.5 that is repaired outside of moto, on its way to the client.

GetBucketNotificationConfiguration leaves out that the bucket announces to EventBridge.
"""

from __future__ import annotations

from xml.etree import ElementTree

from twin.front.account import GLOBAL, MotoAccount
from twin.front.model import ApiCall, ApiResponse


def patch_response(account: MotoAccount, call: ApiCall, response: ApiResponse) -> ApiResponse:
    """Return the response as AWS would have given it."""
    if response.status == 200 and (call.service, call.operation) == ("s3", "GetBucketNotificationConfiguration"):
        return _add_event_bridge(account, call, response)
    return response


def _add_event_bridge(account: MotoAccount, call: ApiCall, response: ApiResponse) -> ApiResponse:
    bucket = account.get_service_backend("s3", GLOBAL).buckets.get(call.params["Bucket"])
    configuration = bucket.notification_configuration if bucket is not None else None
    if configuration is None or configuration.event_bridge is None or b"EventBridgeConfiguration" in response.body:
        return response
    root = ElementTree.fromstring(response.body)  # noqa: S314 - moto's own text
    namespace = root.tag.partition("}")[0].lstrip("{")
    root.append(ElementTree.Element(f"{{{namespace}}}EventBridgeConfiguration"))
    body = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True, default_namespace=namespace)
    return ApiResponse(response.status, response.headers, body)
