import pytest

import cfworkflows
from cfworkflows.absent import ABSENT


@pytest.mark.parametrize("name", ABSENT)
def test_a_name_of_typescript_teaches_the_python_way(name):
    """When it is imported, and when it is asked for as an attribute."""
    text = f"There is no {name} in cfworkflows: "
    with pytest.raises(ImportError, match=f"^{text}.*\\.$"):
        exec(f"from cfworkflows import {name}")
    with pytest.raises(AttributeError, match=f"^{text}.*\\.$"):
        getattr(cfworkflows, name)
    assert not hasattr(cfworkflows, name)
    assert name not in cfworkflows.__all__


def test_other_names_are_missing_as_in_any_module():
    """With Python's own texts."""
    with pytest.raises(ImportError, match="cannot import name 'Nothing' from 'cfworkflows'"):
        exec("from cfworkflows import Nothing")
    with pytest.raises(AttributeError, match="module 'cfworkflows' has no attribute 'Nothing'"):
        _ = cfworkflows.Nothing


def test_every_camel_case_name_works():
    """The functions of the module, too."""
    assert cfworkflows.waitUntil is cfworkflows.wait_until
    assert cfworkflows.structuredClone is cfworkflows.structured_clone
