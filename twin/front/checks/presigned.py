"""Presigned requests to S3, checked as S3 checks them: in time, with the signed headers as signed, and whole content.

Source: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" of the Amazon S3 API Reference. The
older form of signature (version 2) is not checked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

_DATE: Final = "%Y%m%dT%H%M%SZ"
_LONGEST_SECONDS: Final = 604_800
_CHECKSUM: Final = "x-amz-checksum-sha256"


@dataclass(frozen=True, slots=True)
class S3Refusal:
    """What S3 says to a request that it does not take."""

    status: int
    code: str
    message: str


def find_refusal(
    environ: Mapping[str, Any],
    headers: Mapping[str, str],
    query: Mapping[str, str],
    *,
    body: bytes,
    secret: str | None,
    now: datetime | None = None,
) -> S3Refusal | None:
    """Return why S3 would refuse a request to it, or None.

    Args:
        environ: the request, as WSGI has it.
        headers: its headers by lower-case names.
        query: its query parameters.
        body: its content.
        secret: the secret key of who signed it; None where nobody knows.
        now: the time.
    """
    if "X-Amz-SignedHeaders" in query:
        refusal = _check_signature(environ, headers, query, secret, now or datetime.now(UTC))
        if refusal is not None:
            return refusal
    wanted = headers.get(_CHECKSUM)
    if wanted is not None and wanted != base64.b64encode(hashlib.sha256(body).digest()).decode():
        return S3Refusal(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")
    return None


def _check_signature(
    environ: Mapping[str, Any], headers: Mapping[str, str], query: Mapping[str, str], secret: str | None, now: datetime
) -> S3Refusal | None:
    try:
        signed_at = datetime.strptime(query["X-Amz-Date"], _DATE).replace(tzinfo=UTC)
        seconds = int(query["X-Amz-Expires"])
    except (KeyError, ValueError):
        return S3Refusal(403, "AuthorizationQueryParametersError", "Query-string authentication is not complete.")
    if not 0 < seconds <= _LONGEST_SECONDS or now > signed_at + timedelta(seconds=seconds):
        return S3Refusal(403, "AccessDenied", "Request has expired")
    expected = _compute_signature(environ, headers, query, secret or "")
    if not hmac.compare_digest(expected.encode(), query.get("X-Amz-Signature", "").encode()):
        return S3Refusal(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        )
    return None


def _compute_signature(
    environ: Mapping[str, Any], headers: Mapping[str, str], query: Mapping[str, str], secret: str
) -> str:
    names = query["X-Amz-SignedHeaders"].split(";")
    held = {**headers, "content-length": str(environ.get("CONTENT_LENGTH") or "")}
    pairs = [pair for pair in str(environ.get("QUERY_STRING", "")).split("&") if pair]
    canonical = "\n".join(
        (
            str(environ["REQUEST_METHOD"]),
            quote(str(environ.get("PATH_INFO", "")).encode("latin-1"), safe="/-_.~"),
            "&".join(sorted(pair for pair in pairs if not pair.startswith("X-Amz-Signature="))),
            *(f"{name}:{' '.join(held.get(name, '').split())}" for name in names),
            "",
            ";".join(names),
            "UNSIGNED-PAYLOAD",
        )
    )
    scope = query.get("X-Amz-Credential", "").partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{digest}".encode(), "sha256").hex()
