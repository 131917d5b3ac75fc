import pytest

from cfworkflows.http import fetch


@pytest.mark.parametrize(
    ("status", "method", "expected", "body"),
    [
        *[(301, "POST", "GET", ""), (302, "POST", "GET", ""), (303, "POST", "GET", ""), (303, "PUT", "GET", "")],
        *[
            (307, "POST", "POST", "x"),
            (308, "PUT", "PUT", "x"),
            (302, "PUT", "PUT", "x"),
            (301, "DELETE", "DELETE", "x"),
        ],
    ],
)
async def test_redirects_keep_or_drop_method_and_body(server, status, method, expected, body):
    """303 always, and 301 and 302 after a POST, go on as GET without body; the others send it again."""
    response = await fetch(f"{server.url}/redirect/{status}?to=/echo%23f", method=method, body="x")
    seen = await response.json()
    assert response.redirected
    assert (expected, body, f"{server.url}/echo") == (seen["method"], seen["body"], response.url)
    assert (body == "x") == ("content-type" in dict(seen["headers"]))


async def test_twenty_redirects_are_followed_and_no_more(server):
    """The twenty-first is the platform's error."""
    assert "end" == await (await fetch(f"{server.url}/loop/20")).text()
    with pytest.raises(TypeError, match=r"^Too many redirects\.$"):
        await fetch(f"{server.url}/loop/21")


async def test_manual_redirects_are_given_to_the_caller(server):
    """The response is the redirect itself."""
    response = await fetch(f"{server.url}/redirect/302?to=/echo", redirect="manual")
    assert (302, "/echo", False, "moved") == (
        response.status,
        response.headers["location"],
        response.redirected,
        await response.text(),
    )


async def test_a_stream_cannot_be_sent_again_after_a_redirect(server):
    """A 307 asks for the body again, which a stream has not; a 303 does not ask for it."""
    with pytest.raises(TypeError, match=r"/echo needs the body of the request again.*Send bytes or text instead"):
        await fetch(f"{server.url}/redirect/307?to=/echo", method="POST", body=[b"x"])
    assert (
        "GET"
        == (await (await fetch(f"{server.url}/redirect/303?to=/echo", method="POST", body=[b"x"])).json())["method"]
    )


async def test_credentials_do_not_follow_to_another_origin(server):
    """A redirect to the same origin keeps the credentials, one to another drops them."""
    other = server.url.replace("127.0.0.1", "localhost")
    for to, kept in (("/echo", True), (f"{other}/echo", False)):
        seen = await (
            await fetch(
                f"{server.url}/redirect/302?to={to}",
                headers={"Authorization": "s", "Cookie": "a=b", "Proxy-Authorization": "p", "x": "y"},
            )
        ).json()
        credentials = {"authorization", "cookie", "proxy-authorization"}
        assert (credentials if kept else set()) == credentials & dict(seen["headers"]).keys()
        assert "y" == dict(seen["headers"])["x"]


@pytest.mark.parametrize("to", ["ftp://e.com/x", "data:,x"])
async def test_a_redirect_to_another_scheme_is_refused(server, to):
    """Only HTTP is fetched, at first and after a redirect."""
    with pytest.raises(TypeError, match=f"^Fetch API cannot load: {to}$"):
        await fetch(f"{server.url}/redirect/302?to={to}")
    with pytest.raises(TypeError, match=f"^Fetch API cannot load: {to}$"):
        await fetch(to)


async def test_a_redirect_to_nowhere_is_refused(server):
    """A location that is no URL is named."""
    with pytest.raises(TypeError, match=r"^Invalid URL: http://$"):
        await fetch(f"{server.url}/redirect/302?to=http://")
