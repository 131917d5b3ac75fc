import pytest


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
async def test_keys_work_in_a_terminal(write, terminal):
    """The keys are shown, each does its work without Enter and without an echo, in upper case too; x exits with 0."""
    write()
    async with terminal() as session:
        await session.shows("[b] browser  [e] instances  [r] restart  [c] clear  [h] help  [x] exit")
        session.press("R")
        await session.shows("Reloaded in ")
        assert "(r was pressed)" in await session.shows("\n")
        session.press("z?")
        assert "z" not in await session.shows("open the Worker in a browser")
        session.press("e")
        assert "Opening http://localhost:" in await session.shows("/cdn-cgi/local/explorer/api/workflows in a browser.")
        session.press("c")
        await session.shows("\x1b[2J")
        session.press("x")
        await session.shows("Shutting down local server...")
        assert 0 == await session.ended()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
async def test_ctrl_c_in_a_terminal_ends_in_order(write, terminal):
    """Ctrl+C goes to all processes of the terminal, and the command still ends with 0."""
    write()
    async with terminal() as session:
        await session.shows("[x] exit")
        session.press("\x03")
        await session.shows("Shutting down local server...")
        assert 0 == await session.ended()


async def test_without_a_terminal_there_are_no_keys(write, running):
    """In a pipe nothing is said about keys."""
    write()
    async with running() as dev:
        await dev.stop()
    assert "[x] exit" not in dev.text
