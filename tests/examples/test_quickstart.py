"""The README's example: its text is the file's, and it does what the README says."""

from pathlib import Path

from serving import EXAMPLES

ROOT = Path(__file__).parent.parent.parent


def test_readme_shows_the_example_as_it_is() -> None:
    """The README's code blocks are the quickstart's two files."""
    readme = (ROOT / "README.md").read_text()
    for file in ("src/entry.py", "wrangler.toml"):
        assert (EXAMPLES / "quickstart" / file).read_text() in readme


async def test_quickstart_greets_and_hears_the_answer(serve_example) -> None:
    """A greeting sleeps ten seconds, waits for its answer, and returns both."""
    server = await serve_example("quickstart")
    _, created = await server.ask("GET", "/greet/Ada")
    path = f"/greeting/{created['id']}"
    await server.clock.advance("10 seconds")
    _, status = await server.ask("GET", path)
    assert "waiting" == status["status"]
    await server.ask("POST", path, "hi")
    await server.clock.settle()
    _, status = await server.ask("GET", path)
    assert ("complete", {"text": "Hello Ada!", "answer": '"hi"'}) == (status["status"], status["output"])
