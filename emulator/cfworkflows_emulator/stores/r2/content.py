"""The bytes of an object, wherever they are: in memory, in a file, or in one file after the other."""

from collections.abc import AsyncIterator, Iterator, Sequence

from cfworkflows_emulator.storage.blobs import Reading


class Inline:
    """Bytes that are here."""

    def __init__(self, data: bytes) -> None:
        self.known_length = len(data)
        self._data = data

    async def read_all(self) -> bytes:
        return self._data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data


Piece = Inline | Reading


class Pieces:
    """One piece after the other."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.known_length = sum(each.known_length for each in pieces)
        self._pieces = list(pieces)

    async def read_all(self) -> bytes:
        return b"".join([await each.read_all() for each in self._taken()])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for each in self._taken():
            async for chunk in each:
                yield chunk

    def _taken(self) -> Iterator[Piece]:
        """Each piece once: what was read is forgotten, and its file with it."""
        while self._pieces:
            yield self._pieces.pop(0)
