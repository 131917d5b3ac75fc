"""Names of TypeScript Workers that this package does not have, or not yet, and what to write instead."""

ABSENT = {
    # Of the platform.
    "DurableObject": "Durable Objects are not supported yet.",
    "WebSocketPair": "WebSockets are not supported yet.",
    "WebSocket": "WebSockets are not supported yet.",
    "RpcTarget": "calls of methods over service bindings are not supported yet.",
    "RpcStub": "calls of methods over service bindings are not supported yet.",
    "caches": "the Cache API is not supported yet.",
    "HTMLRewriter": "use an HTML parser from the package index, such as selectolax or beautifulsoup4.",
    "EventSource": "read the events from `(await fetch(url)).body`.",
    "CompressionStream": "use gzip or zlib of the standard library.",
    "DecompressionStream": "use gzip or zlib of the standard library.",
    "TextDecoderStream": 'use `TextDecoder().decode(chunk, {"stream": True})` for each chunk.',
    "TextEncoderStream": "streams take text as it is, and write it as UTF-8.",
    "CryptoKey": "use hmac of the standard library, or the package cryptography.",
    "connect": "use `asyncio.open_connection(host, port)`.",
    "navigator": "write down what you would ask it: sys.platform, or a variable of the configuration.",
    "performance": "use `time.perf_counter()`, in seconds.",
    "importScripts": "use `import`.",
    "WebAssembly": "use a package with a native extension.",
    # Of the language.
    "Array": "use `list`: `Array.isArray(x)` is `isinstance(x, list)`, `Array.from(x)` is `list(x)`.",
    "ArrayBuffer": "use `bytes`, or `bytearray` if it is to be changed.",
    "BigInt": "use `int`: it has no limit.",
    "Boolean": "use `bool(x)`.",
    "Buffer": (
        "use `bytes`: `Buffer.from(text)` is `text.encode()`, `.toString()` is `.decode()`, and base64 and `.hex()` do "
        "the rest."
    ),
    "DataView": "use the module `struct`.",
    "Date": (
        "use the module `datetime`: `datetime.now(UTC)`, `datetime.fromisoformat(text)`, `moment.isoformat()`. "
        "A step should take the time, since a replay would take another one."
    ),
    "Error": 'use `Exception`: `raise Exception("why")`. One that must not be tried again is NonRetryableError.',
    "EvalError": "use an exception of Python's or of your own.",
    "Event": "use a class of your own.",
    "EventTarget": "call a function, or use `asyncio.Event`.",
    "Function": "use `def`, or `collections.abc.Callable` as a type.",
    "Infinity": "use `math.inf`.",
    "Int32Array": "use `array.array` or `struct`.",
    "Intl": "use format specifications, `datetime.strftime`, or the package Babel.",
    "JSON": "use the module `json`: `json.loads(text)`, `json.dumps(value)`. A response is `Response.json(value)`.",
    "Map": "use `dict`.",
    "Math": "use the module `math`, and `round`, `min`, `max` and `abs`; `Math.random()` is `random.random()`.",
    "NaN": "use `math.nan`, and `math.isnan(x)`.",
    "Number": "use `float(text)` or `int(text)`.",
    "Object": (
        "use `dict`: `Object.keys(x)` is `list(x)`, `Object.entries(x)` is `x.items()`, and `Object.assign(a, b)` is "
        "`a.update(b)`."
    ),
    "Promise": (
        "use asyncio: `Promise.all([…])` is `await asyncio.gather(…)`, `Promise.allSettled` is "
        "`gather(…, return_exceptions=True)`, `Promise.race` is `asyncio.wait(…, return_when=FIRST_COMPLETED)`."
    ),
    "Proxy": "define `__getattr__`.",
    "RangeError": "use `ValueError`.",
    "ReferenceError": "use `NameError`.",
    "Record": "use `dict` as a type: `dict[str, int]`.",
    "Reflect": "use `getattr`, `setattr` and `hasattr`.",
    "RegExp": "use the module `re`.",
    "Set": "use `set`.",
    "String": "use `str(x)`.",
    "Symbol": "use `object()`, or an `enum.Enum`.",
    "Uint8Array": "use `bytes`, or `bytearray(16)` if it is to be changed.",
    "WeakMap": "use `weakref.WeakKeyDictionary`.",
    "WeakSet": "use `weakref.WeakSet`.",
    "clearInterval": "cancel the task of the loop that took its place.",
    "clearTimeout": "cancel what took its place: a timer handle has `.cancel()`.",
    "decodeURIComponent": "use `urllib.parse.unquote(text)`.",
    "encodeURI": "use `URL(text).href`.",
    "encodeURIComponent": 'use `urllib.parse.quote(text, safe="!*\'()")`.',
    "globalThis": "use a variable of the module.",
    "isNaN": "use `math.isnan(x)`.",
    "parseFloat": "use `float(text)`.",
    "parseInt": "use `int(text)`, or `int(text, 16)`.",
    "process": "a Worker's variables are in `env`: `self.env.NAME`, or `from cfworkflows import env`.",
    "queueMicrotask": "use `asyncio.get_running_loop().call_soon(function)`.",
    "require": "use `import`.",
    "setInterval": "use a loop with `await scheduler.wait(ms)`, or a cron trigger.",
    "setTimeout": (
        "`await scheduler.wait(ms)` waits, `step.sleep` does in a workflow, and "
        "`asyncio.get_running_loop().call_later(seconds, function)` calls later."
    ),
    "undefined": "use `None`.",
}
"""Names, each with a sentence that begins in lower case."""


def advice(name: str) -> str | None:
    """What to write in place of `cfworkflows.NAME`; None for a name that is not listed."""
    found = ABSENT.get(name)
    return None if found is None else f"There is no {name} in cfworkflows: {found}"
