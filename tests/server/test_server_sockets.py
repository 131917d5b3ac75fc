import socket
from contextlib import contextmanager

import pytest

from cfworkflows_emulator.server import PortInUseError, open_sockets, sockets
from cfworkflows_emulator.server.sockets import is_wildcard, network_address


@contextmanager
def opened(ip, port):
    found = open_sockets(ip, port)
    try:
        yield [each.getsockname()[:2] for each in found]
    finally:
        for each in found:
            each.close()


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_localhost_is_both_loopback_addresses():
    """`localhost` listens on IPv4 and, where there is one, on IPv6, at the same port."""
    with opened("localhost", 0) as found:
        assert (["127.0.0.1", "::1"] if has_ipv6() else ["127.0.0.1"]) == [address for address, _ in found]
        assert 1 == len({port for _, port in found})
        assert found[0][1] > 0


@pytest.mark.parametrize(("ip", "address"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("*", "0.0.0.0")])
def test_an_address_is_listened_on(ip, address):
    """An address is taken as it is, and a star is all of them."""
    with opened(ip, 0) as found:
        assert address == found[0][0]
    assert (address == "0.0.0.0") == is_wildcard(ip)


def test_a_busy_port_is_an_error():
    """A port that was asked for and is taken is refused with what to do; nothing is left open."""
    with opened("127.0.0.1", 0) as found:
        port = found[0][1]
        with pytest.raises(PortInUseError, match=rf"^Address already in use \(localhost:{port}\)\. Please check"):
            open_sockets("localhost", port)
    with opened("localhost", port):
        pass


def test_without_a_port_the_next_free_one_is_taken(monkeypatch):
    """The default port is tried first, then those after it, then any."""
    with opened("localhost", 0) as found:
        monkeypatch.setattr(sockets, "DEFAULT_PORT", found[0][1])
        monkeypatch.setattr(sockets, "TRIED_PORTS", 0)
        with opened("localhost", None) as other:
            assert found[0][1] != other[0][1] > 0
    with opened("localhost", None) as again:
        assert found[0][1] == again[0][1]


def test_a_foreign_address_is_an_error():
    """An address that this machine does not have cannot be listened on."""
    with pytest.raises(OSError, match="assign requested address"):
        open_sockets("192.0.2.7", 0)


def test_the_address_in_the_network():
    """The address for others is one of this machine, or None."""
    address = network_address()
    assert address is None or socket.inet_aton(address)
