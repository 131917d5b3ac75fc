"""URLs as the platform writes them: absolute, and normalised by the rules of the WHATWG URL standard."""

import re

_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
_PLAIN = re.compile(
    r"https?://[a-z0-9\-]+(?:\.[a-z0-9\-]+)*(?::(?!80/|443/|0)[0-9]{1,4})?/[A-Za-z0-9_~!$&()*+,;=:@/\-]*"
)
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]*\]|[^:\[\]]+)(?::([0-9]*))?")
_FORBIDDEN_IN_HOST = r"[\x00-\x20\x7f#%/:<>?@\[\\\]^|]"
# Compiled when first used: few URLs need them.
_IN_PATH = r"""[^!$%&'()*+,\-./0-9:;=@A-Z\[\\\]^_a-z|~]"""
_IN_QUERY = r"""[^!$%&()*+,\-./0-9:;=?@A-Z\[\\\]^_`a-z{|}~]"""
_IN_FRAGMENT = r"""[^!#$%&'()*+,\-./0-9:;=?@A-Z\[\\\]^_a-z{|}~]"""
_IN_USERINFO = r"""[^!$%&'()*+,\-.0-9A-Z_a-z~]"""
_IN_OPAQUE = r"[\x00-\x1f\x7f-\U0010ffff]"
_DOT = {".", "%2e"}
_DOT_DOT = {"..", ".%2e", "%2e.", "%2e%2e"}


def normalise_url(text: str) -> str | None:
    """The URL in its normal form, or None if `text` is not an absolute URL."""
    if _PLAIN.fullmatch(text):
        return text
    if not text.isascii():  # a lone surrogate becomes U+FFFD
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = re.sub(r"[\t\n\r]", "", text.strip("".join(map(chr, range(0x21)))))
    match = _ABSOLUTE.fullmatch(text)
    if match is None:
        return None
    scheme = match[1].lower()
    if scheme not in _DEFAULT_PORTS:
        return f"{scheme}:{_escape(_IN_OPAQUE, match[2])}"
    rest, hash_mark, fragment = match[2].partition("#")
    rest, question_mark, query = rest.partition("?")
    authority, _, path = rest.replace("\\", "/").lstrip("/").partition("/")
    userinfo, _, host_port = authority.rpartition("@")
    host = _host_port(scheme, host_port)
    if host is None:
        return None
    user, _, password = (_escape(_IN_USERINFO, part) for part in userinfo.partition(":"))
    credentials = f"{user}{':' if password else ''}{password}@" if user or password else ""
    path = "/".join(_remove_dots(_escape(_IN_PATH, path).split("/")))
    return (
        f"{scheme}://{credentials}{host}/{path}"
        f"{question_mark}{_escape(_IN_QUERY, query)}{hash_mark}{_escape(_IN_FRAGMENT, fragment)}"
    )


def join_url(base: str, location: str) -> str | None:
    """`location`, which may be relative, seen from the page `base`."""
    from urllib.parse import urljoin

    return normalise_url(location if _ABSOLUTE.match(location) else urljoin(base, location))


def without_fragment(url: str) -> str:
    return url.partition("#")[0]


def _host_port(scheme: str, text: str) -> str | None:
    match = _HOST_PORT.fullmatch(text)
    if match is None:
        return None
    host = _ipv6(match[1]) if match[1].startswith("[") else _domain(match[1])
    port = (match[2] or "").lstrip("0") or ("0" if match[2] else "")
    if host is None or (port and (len(port) > 5 or int(port) > 65_535)):
        return None
    return f"{host}:{port}" if port and port != _DEFAULT_PORTS[scheme] else host


def _ipv6(text: str) -> str | None:
    from ipaddress import AddressValueError, IPv6Address

    try:
        return f"[{IPv6Address(text[1:-1]).compressed}]"
    except AddressValueError:
        return None


def _domain(text: str) -> str | None:
    if "%" in text:
        from urllib.parse import unquote

        text = unquote(text, errors="replace")
    if not text.isascii():
        import idna  # comes with aiohttp; the standard library's codec is of an older standard

        try:
            text = idna.encode(text, uts46=True).decode()
        except idna.IDNAError:
            return None
    return None if re.search(_FORBIDDEN_IN_HOST, text) else text.lower()


def _remove_dots(segments: list[str]) -> list[str]:
    kept: list[str] = []
    for segment in segments:
        lowered = segment.lower()
        if lowered in _DOT_DOT:
            kept = kept[:-1]
        elif lowered not in _DOT:
            kept.append(segment)
    if segments[-1].lower() in _DOT | _DOT_DOT and kept:
        kept.append("")
    return kept


def _escape(pattern: str, text: str) -> str:
    return re.sub(pattern, lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), text)
