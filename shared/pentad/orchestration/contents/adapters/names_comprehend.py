"""Names, addresses and the like in text, by Amazon Comprehend's ``DetectPiiEntities``.

It is asked to read English (it knows Spanish too), takes 100 KB of UTF-8 a request, and costs $0.0001 for each 100
characters, of which it bills 3 such units at least ("Amazon Comprehend pricing").
"""

from collections.abc import Iterator
from typing import Any, Final

from pentad.aws.errors import translate_errors

_PART: Final = 20_000
"""Characters of a request: each has four bytes at most."""
_KINDS: Final = frozenset(
    {"NAME", "ADDRESS", "AGE", "SSN", "PASSPORT_NUMBER", "DRIVER_ID", "PASSWORD", "USERNAME", "PIN", "LICENSE_PLATE"}
    | {"BANK_ACCOUNT_NUMBER", "BANK_ROUTING", "CREDIT_DEBIT_NUMBER", "CREDIT_DEBIT_CVV", "CREDIT_DEBIT_EXPIRY"}
    | {"EMAIL", "PHONE", "IP_ADDRESS", "MAC_ADDRESS", "VEHICLE_IDENTIFICATION_NUMBER"}
    | {"INTERNATIONAL_BANK_ACCOUNT_NUMBER", "UK_NATIONAL_INSURANCE_NUMBER", "IN_AADHAAR", "CA_SOCIAL_INSURANCE_NUMBER"}
)
"""Of its kinds: not dates, addresses of pages and keys of AWS, which are masked by their form or say little."""
_SURE: Final = 0.5
_LANGUAGE: Final = "en"


class ComprehendNames:
    """A `NameFinder` over Amazon Comprehend.

    Args:
        client: boto3's client of ``comprehend``.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def mask(self, text: str) -> str:
        """See the port."""
        return "".join(self._iter_masked(text))

    def _iter_masked(self, text: str) -> Iterator[str]:
        for start in range(0, len(text), _PART):
            part = text[start : start + _PART]
            taken = 0
            for begin, end, kind in sorted(self._find(part)):
                if begin < taken:
                    continue
                yield part[taken:begin]
                yield f"[{kind.lower()}]"
                taken = end
            yield part[taken:]

    def _find(self, text: str) -> Iterator[tuple[int, int, str]]:
        if not text.strip():
            return
        with translate_errors("Comprehend"):
            reply = self._client.detect_pii_entities(Text=text, LanguageCode=_LANGUAGE)
        for one in reply["Entities"]:
            if one["Type"] in _KINDS and one["Score"] >= _SURE:
                yield int(one["BeginOffset"]), int(one["EndOffset"]), str(one["Type"])
