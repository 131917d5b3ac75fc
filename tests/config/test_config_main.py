"""What the configuration says of the entry module, and what is suggested when it is not there."""

from config_project import Project, text_at


def test_missing_main_is_an_error_with_what_to_add(project: Project) -> None:
    """The message shows it in the format of the file."""
    project.write({"name": "shop", "compatibility_date": "2026-11-01"})
    [error] = project.problems()
    snippet = {"wrangler.jsonc": '{\n  "main": "src/entry.py"\n}', "wrangler.toml": 'main = "src/entry.py"'}
    assert (
        "Missing entry-point to Worker script\n\n"
        f'Add the following to your "{project.name}" file:\n\n```\n{snippet[project.name]}\n```'
    ) == error.message


def test_misspelt_main_is_found(project: Project) -> None:
    """The error names the key that was probably meant to be main."""
    project.write({"name": "shop", "mian": "src/entry.py", "compatibility_date": "2026-11-01"})
    [error] = project.errors()
    assert 'Did you write "mian" instead of "main"?' == error.suggestion


def test_assets_without_main_are_not_supported(project: Project) -> None:
    """The platform allows it; here the error says that it is missing."""
    project.write({"name": "shop", "compatibility_date": "2026-11-01", "assets": {"directory": "public"}})
    [error] = project.errors()
    assert "A Worker of static assets alone is not supported yet." == error.suggestion


def test_main_that_does_not_exist_suggests_a_file_nearby(project: Project) -> None:
    """The platform's text, and the Python file that looks most like it."""
    [error] = project.errors({"main": "src/enrty.py"})
    assert (
        'The entry-point file at "src/enrty.py" was not found.\n\n'
        "This might mean that your entry-point file needs to be generated "
        "(which is the general case when a framework is being used).\n"
        "If that's the case please run your project's build command and try again."
    ) == error.message
    assert 'Did you mean "src/entry.py"?' == error.suggestion
    assert text_at(error).startswith('"src/enrty.py"')


def test_main_that_does_not_exist_lists_what_is_there(project: Project) -> None:
    """Without a similar name; and with nothing there, nothing."""
    [error] = project.errors({"main": "zzz.mjs"})
    assert "Python files that are there: src/entry.py." == error.suggestion
    (project.folder / "src" / "entry.py").unlink()
    [error] = project.errors()
    assert error.suggestion is None


def test_main_that_is_a_directory_suggests_a_file_in_it(project: Project) -> None:
    """The platform's text, and the usual name if it is there."""
    project.file("src/a.py", "")
    [error] = project.errors({"main": "src"})
    message = 'The provided entry-point path, "src", points to a directory, rather than a file.'
    assert (message, 'Did you mean "src/entry.py"?') == (error.message, error.suggestion)


def test_main_that_is_not_python_is_an_error(project: Project) -> None:
    """A Worker in another language cannot run here."""
    project.file("src/index.ts", "")
    [error] = project.errors({"main": "src/index.ts"})
    assert 'The entry-point file at "src/index.ts" is not a Python file.' == error.message
    assert error.suggestion.startswith(
        "This is the configuration of a Worker in TypeScript or JavaScript. Port the code"
    )
    assert '"python_workers"' in error.suggestion


def test_main_in_no_language_of_the_platform_is_an_error(project: Project) -> None:
    """Then it is only said what `main` is."""
    project.file("src/entry.txt", "")
    [error] = project.errors({"main": "src/entry.txt"})
    assert error.suggestion.startswith('"main" is the .py file')
