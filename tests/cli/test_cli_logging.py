"""What a Worker logs and prints under `cfwf dev`: its level, its logger, and whose it is."""

import pytest
from dev_workers import WORKFLOW

LOGS = """
import logging

log = logging.getLogger("shop.orders")
{configuration}
class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        log.info("begins")
        await step.do("charge", self.charge)
        await step.do("pack", self.pack)

    async def charge(self):
        log.warning("charging %d", 5)

    def pack(self):
        logging.error("packing")

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        log.debug("hidden")
        logging.info("asked")
        print("printed")
        await self.env.ORDERS.create(id="7")
        return Response("hello")

    async def scheduled(self, controller):
        log.info("it is time")
"""


@pytest.fixture
def logging_worker(write, running):
    """A server that is asked once; gives its lines when its instance is complete."""

    async def lines(*arguments, configuration="", path="/a?b=1"):
        write(LOGS.format(configuration=configuration), WORKFLOW)
        async with running(*arguments) as dev:
            assert (200, "hello") == await dev.get(path)
            await dev.line("order/7 complete")
            await dev.stop()
        return dev.lines

    return lines


async def test_records_have_level_logger_and_whose_they_are(logging_worker):
    """INFO is shown, and every record in one format, also after the first `logging.error()`."""
    lines = await logging_worker()
    expected = [
        "INFO root [GET /a?b=1]: asked",
        "printed",
        "INFO shop.orders [order/7]: begins",
        "WARNING shop.orders [order/7 charge-1]: charging 5",
        "ERROR root [order/7 pack-1]: packing",
    ]
    assert expected == [line for line in lines if line in expected]
    assert not [line for line in lines if "hidden" in line]


async def test_the_log_level_is_that_of_the_worker_too(logging_worker):
    """With debug its DEBUG records are shown, and none of libraries that the server uses."""
    lines = await logging_worker("--log-level", "debug")
    assert "DEBUG shop.orders [GET /a?b=1]: hidden" in lines
    assert [] == [line for line in lines if line.startswith(("DEBUG aio", "DEBUG asyncio"))]


async def test_a_higher_log_level_hides_records(write, starting):
    """With error, WARNING is not shown."""
    write("import logging\nlogging.warning('small')\nlogging.error('large')\non_fetch = lambda: Response('hello')\n")
    async with starting("--port", "0", "--log-level", "error") as dev:
        await dev.line("ERROR root: large")
    assert "small" not in dev.text


DICT_CONFIG = """
import logging.config
logging.config.dictConfig({
    "version": 1,
    "root": {"handlers": ["mine"], "level": "INFO"},
    "formatters": {"mine": {"format": "mine %(message)s"}},
    "handlers": {"mine": {"class": "logging.StreamHandler", "formatter": "mine"}},
})
log.disabled = False
"""


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        (
            "logging.basicConfig(format='mine %(message)s', level=logging.WARNING)",
            {"asked": [], "charging 5": ["mine charging 5"], "packing": ["mine packing"]},
        ),
        (
            DICT_CONFIG,
            {"asked": ["mine asked"], "charging 5": ["mine charging 5"], "packing": ["mine packing"]},
        ),
        (
            "log.addHandler(logging.StreamHandler())",
            {"asked": ["INFO root [GET /a?b=1]: asked"], "charging 5": ["charging 5"]},
        ),
    ],
    ids=["basicConfig", "dictConfig", "addHandler"],
)
async def test_a_worker_that_configures_logging_gets_what_it_asked_for(logging_worker, configuration, expected):
    """Each record once, in the Worker's own format, and what cfwf says is not lost."""
    lines = await logging_worker(configuration=configuration)
    assert expected == {text: [line for line in lines if text in line] for text in expected}


async def test_a_traceback_has_the_workers_frames(write, running):
    """`log.exception` shows the lines of the Worker, and the mistake of a call that logs is told."""
    write(
        """
        import logging

        def on_fetch(request):
            try:
                raise ValueError("no stock")
            except ValueError:
                logging.exception("failed")
            return Response("hello")
        """
    )
    async with running() as dev:
        await dev.get()
        await dev.line("ERROR root [GET /]: failed")
        await dev.line("ValueError: no stock")
        await dev.stop()
    assert "src/entry.py" in dev.text
    assert "cfworkflows_emulator" not in dev.text


async def test_a_wrong_call_that_logs_does_not_end_its_handler(write, running):
    """As anywhere else: the mistake is printed, and the request is answered."""
    write(
        """
        import logging

        def on_fetch(request):
            logging.warning("%d", "no number")
            return Response("hello")
        """
    )
    async with running() as dev:
        assert (200, "hello") == await dev.get()
        await dev.line("--- Logging error ---")


BILLING = """
import logging

print("billing loads")

class Invoice(WorkflowEntrypoint):
    async def run(self, event, step):
        print("first\\nsecond", end="")
        print(" goes on")
        await step.do("print", lambda: logging.info("made"))
"""


async def test_with_several_workers_each_line_says_whose_it_is(write, running, tmp_path):
    """What is printed and logged begins with the name of the Worker; what cfwf says does not."""
    write(
        """
        print("shop loads")

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                print("asked")
                await self.env.INVOICES.create(id="1")
                return Response("hello")
        """,
        """
        [[workflows]]
        name = "invoices"
        binding = "INVOICES"
        class_name = "Invoice"
        script_name = "billing"
        """,
    )
    other = tmp_path / "billing"
    other.mkdir()
    (other / "wrangler.toml").write_text(
        'name = "billing"\nmain = "entry.py"\n'
        '[[workflows]]\nname = "invoices"\nbinding = "INVOICES"\nclass_name = "Invoice"\n'
    )
    (other / "entry.py").write_text("from cfworkflows import *\n" + BILLING)
    async with running("-c", "wrangler.toml", "-c", "billing/wrangler.toml") as dev:
        await dev.get()
        await dev.line("invoices/1 complete")
        await dev.stop()
    expected = [
        "[shop] shop loads",
        "[billing] billing loads",
        "[shop] asked",
        "[billing] first",
        "[billing] second goes on",
        "INFO root [billing invoices/1 print-1]: made",
        "invoices/1 complete",
    ]
    assert expected == [line for line in dev.lines if line in expected]


WAITS = """
class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("charge\u202e", lambda: 5)
        await step.sleep("nap", "1 minute")
        await step.wait_for_event("answer", {"type": "yes", "timeout": "3 days"})

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        instance = await (self.env.ORDERS.create(id="7") if request.url.endswith("new") else self.env.ORDERS.get("7"))
        if request.url.endswith("yes"):
            await instance.send_event(type="yes")
        return Response((await instance.status()).status)
"""


async def test_debug_tells_what_becomes_of_an_instance(write, running):
    """That it is created, sleeps, leaves memory, is replayed, waits and gets its event, with names that do no harm."""
    write(WAITS, WORKFLOW)
    async with running("--log-level", "debug", "--speed", "100") as dev:
        await dev.get("/new")
        await dev.line("order/7 waits for")
        await dev.line("order/7 leaves memory")
        await dev.get("/yes")
        await dev.line("order/7 complete")
        await dev.stop()
    assert [
        "order/7 created",
        "order/7 runs",
        r"order/7 step charge\u202e-1 starts",
        r"order/7 step charge\u202e-1 complete",
        "order/7 sleeps for 0:01:00 (nap-1)",
        "order/7 leaves memory until its time comes, or an event",
        "order/7 is replayed: 1 finished step is stored",
        "order/7 has slept (nap-1)",
        'order/7 waits for an event "yes", 3 days, 0:00:00 at most (answer-1)',
        "order/7 leaves memory until its time comes, or an event",
        'order/7 receives an event "yes"',
        "order/7 is replayed: 2 finished steps are stored",
        "order/7 has its event (answer-1)",
        "order/7 complete",
    ] == [line for line in dev.lines if line.startswith("order/7")]


async def test_without_debug_a_waiting_instance_is_quiet(write, running):
    """Only its end is told."""
    write(WAITS, WORKFLOW)
    async with running("--speed", "1000") as dev:
        await dev.get("/new")
        await dev.get("/yes")
        await dev.line("order/7 complete")
        await dev.stop()
    assert ["order/7 complete"] == [line for line in dev.lines if line.startswith("order/7")]
