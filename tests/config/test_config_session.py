"""Several Workers of one session: what their configurations may say of each other."""

from pathlib import Path
from textwrap import dedent

import pytest

from cfworkflows_emulator.config import ConfigError, LoadedConfig, absent, check_session
from cfworkflows_emulator.config.loading import load_config

INVOICE = """
[[workflows]]
name = "invoice"
binding = "INVOICES"
class_name = "Invoice"
"""
FROM_BILLING = INVOICE + 'script_name = "billing"\n'


@pytest.fixture
def load(tmp_path: Path):
    """Loads a Worker of the name that is given, from a folder of that name or of another one."""

    def load(name: str, text: str = "", folder: str | None = None) -> LoadedConfig:
        place = tmp_path / (folder or name)
        place.mkdir()
        (place / "entry.py").touch()
        head = f'name = "{name}"\nmain = "entry.py"\ncompatibility_date = "2026-11-01"\n'
        (place / "wrangler.toml").write_text(head + dedent(text))
        return load_config(place / "wrangler.toml", cwd=tmp_path, process_env={})

    return load


def problem(*configs: LoadedConfig) -> str:
    with pytest.raises(ConfigError) as caught:
        check_session(configs)
    assert 1 == len(caught.value.diagnostics)
    return str(caught.value)


def test_a_workflow_of_another_worker_is_found(load):
    """By its name and its class; a Worker that names itself needs nobody."""
    shop = load("shop", FROM_BILLING.replace("billing", "shop"))
    check_session([shop, load("billing", INVOICE.replace("invoice", "bill"))])
    check_session([load("shop", FROM_BILLING, "b"), load("billing", INVOICE, "c")])


def test_two_workers_of_one_name_are_an_error(load):
    """Both places are told."""
    text = problem(load("shop"), load("shop", folder="b"))
    assert 'Two Workers of this session are called "shop".' in text
    assert "at b/wrangler.toml:1:" in text
    assert "The other one is shop/wrangler.toml:1:" in text


def test_two_workflows_of_one_name_are_an_error(load):
    """With what to write to share one."""
    text = problem(load("shop", INVOICE), load("billing", INVOICE))
    assert 'Two Workers, "shop" and "billing", define a Workflow called "invoice".' in text
    assert "at billing/wrangler.toml:6:" in text
    assert 'shop/wrangler.toml:6:8. Rename one of them; to use that of another Worker, set "script_name" to' in text


@pytest.mark.parametrize(
    ("theirs", "message", "place", "suggestion"),
    [
        ("", 'has no Workflow called "invoice"; it defines none.', "6:8", "Add it to the `workflows` of billing/"),
        (
            INVOICE.replace('"invoice"', '"invoices"'),
            'has no Workflow called "invoice"; it defines: invoices.',
            "6:8",
            'Did you mean "invoices"?',
        ),
        (
            INVOICE.replace('"invoice"', '"quite-different"'),
            "it defines: quite-different.",
            "6:8",
            'Did you mean "quite-different"?',
        ),
        (
            INVOICE.replace('"Invoice"', '"Invoices"'),
            'The class of the Workflow "invoice" of Worker "billing" (billing/wrangler.toml) is Invoices, not Invoice.',
            "8:14",
            'Did you mean "Invoices"?',
        ),
        (INVOICE.replace('"Invoice"', '"Bill"'), "is Bill, not Invoice.", "8:14", 'Set it to "Bill".'),
    ],
)
def test_what_the_other_worker_does_not_have_is_an_error(load, theirs, message, place, suggestion):
    """With its place in the file that asks for it, and the one that was probably meant."""
    text = problem(load("shop", FROM_BILLING), load("billing", theirs))
    assert message in text
    assert f"at shop/wrangler.toml:{place}" in text
    assert suggestion in text


def test_workers_that_are_not_there_are_told_of(load):
    """For Workflows and for services; it is no error."""
    shop = load("shop", FROM_BILLING + '[[services]]\nbinding = "MAIL"\nservice = "mailer"\n')
    check_session([shop])
    texts = dict(absent(shop, ["shop"]))
    assert ["INVOICES", "MAIL"] == list(texts)
    assert (
        'env.INVOICES (shop/wrangler.toml:5:1) is bound to the Workflow "invoice" of Worker "billing", which is not '
        "part of this session. Add its configuration: --config shop/wrangler.toml --config <the configuration of "
        "billing>. A test sets a stand-in: env.INVOICES = …"
    ) == texts["INVOICES"]
    assert 'the Worker "mailer", which is not part' in texts["MAIL"]
    assert ["MAIL"] == [binding for binding, _ in absent(shop, ["shop", "billing"])]


def test_crons_are_checked(load):
    """Where one is wrong is told, and an environment takes them over."""
    with pytest.raises(ConfigError, match=r'"triggers\.crons\[1\]" should be a cron expression'):
        load("shop", '[triggers]\ncrons = ["* * * * *", "61 * * * *"]\n')
    with pytest.raises(ConfigError, match=r'Expected "triggers\.crons\[0\]" to be of type string but got 5'):
        load("shop", "[triggers]\ncrons = [5]\n", "b")
    assert ["0 3 * * *"] == load("shop", '[triggers]\ncrons = ["0 3 * * *"]\n', "c").config.triggers.crons
