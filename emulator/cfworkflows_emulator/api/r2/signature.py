"""Signatures of S3 clients (AWS Signature Version 4): in a header, in the query, and of chunks."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from cfworkflows.http import Request
from cfworkflows_emulator.api.r2.refusals import S3Error
from cfworkflows_emulator.clock import SystemClock

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
LONGEST_EXPIRY_S = 7 * 86_400
MOST_SKEW_S = 15 * 60
EMPTY = hashlib.sha256(b"").hexdigest()

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=(\w+)"
)
# The server shows the encodings that it decodes in place of the client's; some clients sign what they sent.
_ENCODINGS = ("identity", "gzip", "", "gzip, deflate", "gzip, deflate, br")


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature is over. `payload` is the hash of the body, or says that there is none.

    `date`, `scope` and `key` are for the signatures of chunks too.
    """

    access_key: str
    date: str
    scope: str
    signature: str
    payload: str
    key: bytes = b""

    def of_chunk(self, previous: str, data_hash: str) -> str:
        """The signature of a chunk, which goes on from that before it."""
        text = f"{ALGORITHM}-PAYLOAD\n{self.date}\n{self.scope}\n{previous}\n{EMPTY}\n{data_hash}"
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()


def verified(request: Request, credentials: Mapping[str, str], now_ms: int) -> Signed:
    """The signature of a request. Raises S3Error if there is none, or it is not that of `credentials` (secrets by
    access keys), or it has expired at `now_ms`, which is the time of the project.
    """
    url = urlsplit(request.url)
    query = parse_qsl(url.query, keep_blank_values=True)
    parameters = dict(query)
    authorization = request.headers.get("authorization")
    if "X-Amz-Signature" in parameters:
        if parameters.get("X-Amz-Algorithm") != ALGORITHM:
            raise S3Error(400, "AuthorizationQueryParametersError", f"X-Amz-Algorithm has to be {ALGORITHM}.")
        credential = parameters.get("X-Amz-Credential", "")
        names = parameters.get("X-Amz-SignedHeaders", "")
        signature, date = parameters["X-Amz-Signature"], parameters.get("X-Amz-Date", "")
        query = [pair for pair in query if pair[0] != "X-Amz-Signature"]
        payload = parameters.get("X-Amz-Content-Sha256") or request.headers.get("x-amz-content-sha256") or UNSIGNED
        _check_expiry(parameters, date, now_ms)
    elif authorization is not None:
        match = _AUTHORIZATION.fullmatch(authorization.strip())
        if match is None:
            raise S3Error(400, "AuthorizationHeaderMalformed", f"The Authorization header is none of {ALGORITHM}.")
        credential, names, signature = match.groups()
        date = request.headers.get("x-amz-date") or ""
        payload = request.headers.get("x-amz-content-sha256") or EMPTY
        _check_skew(date, now_ms)
    else:
        raise S3Error(403, "AccessDenied", "The request is not signed. Any S3 client signs, and so do presigned URLs.")
    access_key, _, scope = credential.partition("/")
    secret = credentials.get(access_key)
    if secret is None:
        known = ", ".join(credentials)
        text = f"The access key {access_key!r} does not exist here; what there is on this machine: {known}."
        raise S3Error(403, "InvalidAccessKeyId", text)
    signing = _signing_key(secret, scope)
    headers = names.split(";")
    if "host" not in headers:
        raise S3Error(403, "AccessDenied", "The Host has to be among the headers that are signed.")
    made = ""
    for encoding in _ENCODINGS if "accept-encoding" in headers else ("",):
        canonical = _canonical(request, url.path, query, headers, encoding, payload)
        text = "\n".join((ALGORITHM, date, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        made = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
        if hmac.compare_digest(made, signature):
            return Signed(access_key, date, scope, signature, payload, signing)
    raise S3Error(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your secret access key "
        "and signing method. Compare what was signed with CanonicalRequest, which is what came here.",
        {"StringToSign": text, "CanonicalRequest": canonical, "SignatureProvided": signature},
    )


def _check_expiry(parameters: Mapping[str, str], date: str, now_ms: int) -> None:
    try:
        signed_at = _seconds(date)
        lasts_s = int(parameters.get("X-Amz-Expires", ""))
    except ValueError:
        text = "X-Amz-Date (as 20260101T000000Z) and X-Amz-Expires (in seconds) are needed."
        raise S3Error(400, "AuthorizationQueryParametersError", text) from None
    if not 0 < lasts_s <= LONGEST_EXPIRY_S:
        text = f"X-Amz-Expires must be between 1 and {LONGEST_EXPIRY_S} seconds."
        raise S3Error(400, "AuthorizationQueryParametersError", text)
    if now_ms / 1000 > signed_at + lasts_s:
        expired = datetime.fromtimestamp(signed_at + lasts_s, UTC)
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        raise S3Error(
            403, "AccessDenied", "Request has expired", {"Expires": expired.isoformat(), "ServerTime": now.isoformat()}
        )


def _check_skew(date: str, now_ms: int) -> None:
    """By the time of the project or of the machine: clients sign by the latter, also where the former is ahead."""
    try:
        signed_at = _seconds(date)
    except ValueError:
        text = "A signed request has an X-Amz-Date, as 20260101T000000Z."
        raise S3Error(403, "AccessDenied", text) from None
    if all(abs(now / 1000 - signed_at) > MOST_SKEW_S for now in (now_ms, SystemClock().now())):
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        text = "The difference between the request time and the server's time is too large."
        more = {
            "RequestTime": date,
            "ServerTime": now.isoformat(),
            "MaxAllowedSkewMilliseconds": str(MOST_SKEW_S * 1000),
        }
        raise S3Error(403, "RequestTimeTooSkewed", text, more)


def _seconds(date: str) -> float:
    return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _canonical(
    request: Request, path: str, query: list[tuple[str, str]], names: list[str], encoding: str, payload: str
) -> str:
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
    lines = []
    for name in names:
        value = encoding if name == "accept-encoding" else request.headers.get(name) or ""
        lines.append(f"{name}:{' '.join(value.split())}\n")
    return "\n".join(
        (
            request.method,
            quote(unquote(path), safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            "".join(lines),
            ";".join(names),
            payload,
        )
    )


def _signing_key(secret: str, scope: str) -> bytes:
    """From the secret and `DATE/REGION/SERVICE/aws4_request`."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
