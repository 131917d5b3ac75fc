"""`request.cf`: what the platform knows of a request. Without the platform's network, these are constants."""

from collections.abc import Iterator, Mapping
from typing import Any

_CERTIFICATE = (
    "certIssuerDNLegacy certIssuerDN certIssuerDNRFC2253 certSubjectDNLegacy certSubjectDN certSubjectDNRFC2253 "
    "certSerial certIssuerSerial certSKI certIssuerSKI certFingerprintSHA1 certFingerprintSHA256 certNotBefore "
    "certNotAfter"
)


class IncomingCf(Mapping[str, Any]):
    """The values that the platform's local server has without a network, made when they are asked for.

    Only `clientAcceptEncoding` is the request's own: the Accept-Encoding header as the client sent it.
    """

    __slots__ = ("_accept_encoding", "_values")

    def __init__(self, accept_encoding: str) -> None:
        self._accept_encoding = accept_encoding
        self._values: dict[str, Any] | None = None

    def _all(self) -> dict[str, Any]:
        if self._values is None:
            self._values = {**_fallback(), "clientAcceptEncoding": self._accept_encoding}
        return self._values

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


def _fallback() -> dict[str, Any]:
    return {
        "asOrganization": "",
        "asn": 395747,
        "colo": "DFW",
        "city": "Austin",
        "region": "Texas",
        "regionCode": "TX",
        "metroCode": "635",
        "postalCode": "78701",
        "country": "US",
        "continent": "NA",
        "timezone": "America/Chicago",
        "latitude": "30.27130",
        "longitude": "-97.74260",
        "clientTcpRtt": 0,
        "httpProtocol": "HTTP/1.1",
        "requestPriority": "weight=192;exclusive=0",
        "tlsCipher": "AEAD-AES128-GCM-SHA256",
        "tlsVersion": "TLSv1.3",
        "tlsClientAuth": {
            "certPresented": "0",
            "certVerified": "NONE",
            "certRevoked": "0",
            **dict.fromkeys(_CERTIFICATE.split(), ""),
        },
        "edgeRequestKeepAliveStatus": 0,
        "clientTrustScore": 99,
        "botManagement": {
            "corporateProxy": False,
            "verifiedBot": False,
            "ja3Hash": "25b4882c2bcb50cd6b469ff28c596742",
            "staticResource": False,
            "detectionIds": [],
            "score": 99,
        },
    }
