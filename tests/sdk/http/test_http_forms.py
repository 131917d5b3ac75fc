import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfworkflows.http import Blob, File, FormData, Request, Response, URLSearchParams

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


async def test_blob_joins_its_parts():
    """Text, bytes and blobs become one run of bytes with a lower-case type."""
    blob = Blob(["a", b"b", bytearray(b"c"), Blob("d")], {"type": "Text/HTML"})
    assert (4, "text/html") == (blob.size, blob.type)
    assert "abcd" == await blob.text()
    assert b"abcd" == await blob.bytes() == await blob.arrayBuffer() == await blob.array_buffer()
    assert [b"abcd"] == [chunk async for chunk in blob.stream()]
    assert "Blob(size=4, type='text/html')" == repr(blob)
    assert ("", "x/y") == (Blob("x").type, Blob("x", type="x/y").type)


async def test_blob_slice_takes_part_of_the_bytes():
    """Negative places count from the end."""
    blob = Blob("abcdef")
    assert "bc" == await blob.slice(1, 3).text()
    assert "ef" == await blob.slice(-2).text()
    assert "text/plain" == blob.slice(0, 1, "text/plain").type


@pytest.mark.parametrize("parts", [5, [5], [None]])
def test_blob_refuses_other_parts(parts):
    """A number is no part of a blob."""
    with pytest.raises(TypeError):
        Blob(parts)


def test_unknown_options_of_a_blob_are_refused():
    """An option that is not supported is named."""
    with pytest.raises(TypeError, match="endings"):
        Blob("x", {"endings": "native"})
    with pytest.raises(TypeError, match="lastModified"):
        Blob("x", {"lastModified": 1})


def test_file_has_a_name_and_a_date():
    """The date is 0 unless given, in either spelling."""
    assert ("a.txt", 0) == (File("x", "a.txt").name, File("x", "a.txt").last_modified)
    assert 5 == File("x", "a", {"lastModified": 5}).lastModified == File("x", "a", lastModified=5).last_modified
    assert 5 == File("x", "a", {"last_modified": 5, "type": "t/t"}).last_modified
    assert 5 == File("x", "a", last_modified=5).last_modified


def test_form_data_keeps_order_and_repeats():
    """A name may come more than once; get() has its first value."""
    form = FormData([("a", "1"), ("b", 2), ("a", True)])
    assert [("a", "1"), ("b", "2"), ("a", "true")] == form.items() == list(form.entries())
    assert ("1", ["1", "true"], None) == (form.get("a"), form.getAll("a"), form.get("z"))
    assert (["a", "b", "a"], ["a", "b"], ["1", "2", "true"], 3) == (form.keys(), list(form), form.values(), len(form))
    assert "1" == form["a"]
    assert form.has("b")
    with pytest.raises(KeyError):
        form["z"]


def test_form_data_set_takes_the_place_of_the_first():
    """set() keeps the position and drops the repeats; delete() drops all."""
    form = FormData([("a", "1"), ("b", "2"), ("a", "3")])
    form.set("a", "9")
    form["c"] = 4
    assert [("a", "9"), ("b", "2"), ("c", "4")] == form.items()
    form.delete("b")
    assert ["a", "c"] == form.keys()
    seen = []
    form.forEach(lambda value, name, owner: seen.append((value, name)))
    assert [("9", "a"), ("4", "c")] == seen
    assert "FormData([('a', '9'), ('c', '4')])" == repr(form)
    assert form.items() == FormData(form).items()


def test_a_blob_in_a_form_becomes_a_file():
    """It is called `blob` unless a name is given, and keeps its type."""
    form = FormData({"a": Blob("x", type="t/t"), "b": File("y", "y.txt", last_modified=3)})
    form.append("c", File("y", "y.txt", last_modified=3), "z.txt")
    assert ("blob", "t/t") == (form["a"].name, form["a"].type)
    assert "y.txt" == form["b"].name
    assert ("z.txt", 3) == (form["c"].name, form["c"].last_modified)


@pytest.mark.parametrize("value", [None, b"x", ["a"], {}])
def test_form_fields_that_are_neither_text_nor_files_are_refused(value):
    """The error names the field."""
    with pytest.raises(TypeError, match="Form field 'a'"):
        FormData({"a": value})
    with pytest.raises(TypeError, match="Form field 'a' has a file name"):
        FormData().append("a", "text", "name.txt")


@pytest.mark.parametrize("init", ["a=b", 5])
def test_form_data_is_not_built_from_text(init):
    """A form is built from pairs."""
    with pytest.raises(TypeError, match="FormData is built from"):
        FormData(init)


def test_search_params_read_and_write_query_strings():
    """The text form is that of browsers: `+` for a space, `~` escaped."""
    params = URLSearchParams("?a=1&b=%C3%A9+x&a=2&empty&=v")
    assert [("a", "1"), ("b", "é x"), ("a", "2"), ("empty", ""), ("", "v")] == params.items()
    assert "a=1&b=%C3%A9+x&a=2&empty=&=v" == params.to_string() == params.toString() == str(params)
    assert "a=*-._%7E%26" == str(URLSearchParams({"a": "*-._~&"}))
    assert "a=1&b=true" == str(URLSearchParams([("a", 1), ("b", True)]))
    assert 5 == params.size
    with pytest.raises(TypeError, match="URLSearchParams is built from"):
        URLSearchParams(5)
    assert 0 == URLSearchParams().size


def test_search_params_can_be_changed():
    """append, set, delete, has and sort work as in JavaScript."""
    params = URLSearchParams("b=1&a=1&a=2")
    params.append("c", 3)
    params.set("b", "9")
    params["d"] = 4
    params.delete("a", "1")
    params.sort()
    assert "a=2&b=9&c=3&d=4" == str(params)
    params.delete("a")
    assert (False, True, False) == (params.has("a"), params.has("b", "9"), params.has("b", "1"))


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_search_params_survive_their_text(pairs):
    """Whatever the fields are, reading the text gives them back."""
    assert pairs == URLSearchParams(str(URLSearchParams(pairs))).items()


async def test_a_form_survives_a_multipart_body():
    """Names, file names, types and bytes come back as they were, whatever characters are in them."""
    content = bytes(range(256)) * 300 + b"\r\n--\r\n"
    form = FormData([('é "q"\r\n', "line\r\nbreak\r\n"), ("f", File(content, 'ü "x".bin', type="a/b")), ("e", "")])
    form.append("f", File("", "empty"))
    response = Response(form)
    assert response.headers["content-type"].startswith("multipart/form-data; boundary=")
    read = await response.formData()
    assert [('é "q"\r\n', "line\r\nbreak\r\n"), ("e", "")] == [item for item in read.items() if item[0] != "f"]
    first, second = read.get_all("f")
    assert ('ü "x".bin', "a/b", content) == (first.name, first.type, await first.bytes())
    assert ("empty", "application/octet-stream", 0) == (second.name, second.type, second.size)


async def test_an_empty_form_survives_a_multipart_body():
    """No fields is a form too."""
    assert 0 == len(await Response(FormData()).form_data())


async def test_a_urlencoded_body_is_a_form():
    """The fields of a browser's plain form are read."""
    request = Request("http://e.com", method="POST", body=URLSearchParams({"a": "x y", "b": "é"}))
    assert "application/x-www-form-urlencoded;charset=UTF-8" == request.headers["content-type"]
    assert [("a", "x y"), ("b", "é")] == (await request.form_data()).items()


async def test_a_form_needs_a_content_type_that_is_one():
    """The platform's messages for a missing and for another type."""
    with pytest.raises(TypeError, match=r"^Parsing a Body as FormData requires a Content-Type header\.$"):
        await Response(b"x").form_data()
    with pytest.raises(TypeError, match=r"^Unrecognized Content-Type header value. FormData can only parse"):
        await Response("x").form_data()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\ncut o',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nwhole\r\n--b\r\nContent-Disp',
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\nnonsense\r\n\r\nx\r\n--b--\r\n',
    ],
)
async def test_a_broken_multipart_body_is_refused(body):
    """A body that is cut off or nameless is an error, never a shorter form."""
    with pytest.raises(TypeError, match="not well-formed multipart/form-data"):
        await Response(body, headers={"content-type": "multipart/form-data; boundary=b"}).form_data()


async def test_a_multipart_type_without_boundary_is_refused():
    """Without a boundary there is nothing to parse by."""
    with pytest.raises(TypeError, match="boundary"):
        await Response("x", headers={"content-type": "multipart/form-data"}).form_data()
