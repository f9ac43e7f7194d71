"""The pages for users are true: their commands run and print what the pages show."""

import re
import shlex
from pathlib import Path

import click
import msgspec
import pytest
import yaml

from mainstem.asking import answers
from mainstem.events import Refusal, decode
from mainstem.settings import Objectives
from mainstem.trusted.files import read_trusted
from tests import settings_page
from tests.command_line import all_commands, command_line, parsed
from tests.links import dead
from tests.pages import DOCUMENTS, PAGES, ROOT, anchors, blocks, code_in_text, shown_after
from tests.running_pages import prepare, run

README = ROOT / "README.md"
OWN = {
    "docs/other-domains.md": "cli/test_other_domains.py",  # also makes the tables that it reads
    "docs/python.md": "test_notebook.py",  # also compares with the output of commands
    "docs/responses-alone.md": "responses/test_responses_alone.py",  # uses a local model
    "docs/your-own-log.md": "cli/test_your_own_log.py",  # also checks the logs that it makes
}
"""Pages with a test of their own, which runs what they show."""
ELSEWHERE = {
    "mainstem audit": "streams/test_audit.py",
    "mainstem bench selection": "cli/test_benching.py",
    "mainstem demo": "loop/test_demo.py",
    "mainstem replay": "loop/test_schedule.py",
    "mainstem report": "cli/test_reporting.py",
    "mainstem sets": "cli/test_commands.py",
    "mainstem sql": "cli/test_commands.py",
    "mainstem stream join": "services/test_deployed.py",
    "mainstem stream replay": "services/test_deployed.py",
    "mainstem stream schedule": "services/test_deployed.py",
    "mainstem stream sink": "services/test_deployed.py",
    "mainstem stream verify": "services/test_deployed.py",
    "mainstem topics": "services/test_deployed.py",
    "mainstem train learn": "services/test_deployed.py",
    "mainstem train score": "services/test_deployed.py",
    "mainstem what-if": "cli/test_supposing.py",
}
"""Where a command is run that a page shows in a shell block, because it needs servers or long."""
ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")
"""A variable that is set for one command."""


def pages_with(*languages: str) -> list[Path]:
    """Return the pages with a block in one of these languages."""
    return [page for page in PAGES if {one.language for one in blocks(page)} & set(languages)]


def page_name(page: Path) -> str:
    """Return the name of a page in the id of a test."""
    return page.relative_to(ROOT).as_posix()


def shell_words(line: str) -> list[str]:
    """Return the words of a line's first command, without variables and comments."""
    words = shlex.split(line, comments=True)
    while words and ASSIGNMENT.fullmatch(words[0]):
        words = words[1:]
    ends = [n for n, word in enumerate(words) if word in {"&", "&&", ";", ">", "|"}]
    return words[: min(ends, default=None)]


def shell_lines(language: str, pages: list[Path] = PAGES) -> list[list[str]]:
    """Return the words of each command in the pages' blocks of a language."""
    found = [one for page in pages for one in blocks(page) if one.language == language]
    return [shell_words(line) for block in found for line in block.commands()]


@pytest.mark.parametrize(
    "page",
    [page for page in pages_with("console", "python") if page_name(page) not in OWN],
    ids=page_name,
)
def test_a_pages_commands_run_and_print_what_it_shows(page: Path, tmp_path: Path) -> None:
    """The commands and programs of a page succeed in order and print the shown output."""
    prepare(page, tmp_path)
    printed = run(page, tmp_path)
    shown = [
        (printed[block.content], text) for block, text in shown_after(page, "console", "python")
    ]
    assert [] == [text for said, text in shown if text not in said]


@pytest.mark.parametrize("page", pages_with("sql"), ids=page_name)
def test_a_pages_questions_have_the_columns_that_it_shows(page: Path, small_home: Path) -> None:
    """A home answers each question of a page with rows in the columns that the page shows."""
    questions = [block.content for block in blocks(page) if block.language == "sql"]
    shown = [text.splitlines()[0].split() for _, text in shown_after(page, "sql")]
    found = answers(small_home, None, questions)
    assert shown == [list(header) for header, _ in found]
    rows = dict(zip(questions, (rows for _, rows in found), strict=True))
    assert [] == [one for one in questions if not rows[one] and "HAVING" not in one]


def test_there_are_ten_questions() -> None:
    """The page about the history has ten questions, each with its answer."""
    page = ROOT / "docs" / "history-in-sql.md"
    assert 10 == len(shown_after(page, "sql"))


@pytest.mark.parametrize("page", DOCUMENTS, ids=page_name)
def test_every_command_that_is_shown_is_one(page: Path) -> None:
    """The command line accepts each command in a block and knows each command in a text."""
    line, wrong = command_line(), []
    in_blocks = shell_lines("sh", [page]) + shell_lines("console", [page])
    in_text = [shell_words(code) for code in code_in_text(page) if code.startswith("mainstem ")]
    for words, lenient in [*((one, False) for one in in_blocks), *((one, True) for one in in_text)]:
        if words[:1] == ["mainstem"] and words != ["mainstem", "COMMAND", "--help"]:
            try:
                parsed(line, words[1:], lenient=lenient)
            except click.ClickException as error:
                wrong.append(f"{shlex.join(words)}: {error.format_message()}")
    assert [] == wrong


def test_a_command_that_needs_more_is_run_in_a_test() -> None:
    """Each command of a shell block and each page without a test here is run by another test."""
    assert [] == [test for test in OWN.values() if not (ROOT / "tests" / test).exists()]
    words = [one for one in shell_lines("sh") if one[:1] == ["mainstem"]]
    assert words
    for one in words:
        [name] = [known for known in ELSEWHERE if known.split() == one[: len(known.split())]]
        calls = ", ".join(f'"{word}"' for word in name.split()[1:])
        files = [ROOT / "tests" / ELSEWHERE[name], *(ROOT / "tests" / "services").glob("*.py")]
        assert any(calls in file.read_text() for file in files), name


@pytest.mark.parametrize("page", DOCUMENTS, ids=page_name)
def test_what_else_is_told_to_run_is_there(page: Path) -> None:
    """Make targets, modules, profiles and extras that a document names exist."""
    text = page.read_text()
    makefile = (ROOT / "Makefile").read_text()
    assert [] == [
        target
        for target in re.findall(r"(?:`|^\$ |^)make (?:[A-Z_]+=\S+ )*([a-z]+)", text, re.MULTILINE)
        if not re.search(rf"^{target}:", makefile, re.MULTILINE)
    ]
    modules = [name.split(".") for name in re.findall(r"python -m (tests[\w.]*)", text)]
    found = [
        (ROOT.joinpath(*parts).with_suffix(".py"), ROOT.joinpath(*parts) / "__main__.py")
        for parts in modules
    ]
    assert [] == [places for places in found if not any(place.exists() for place in places)]
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].values()
    profiles = {name for one in services for name in one.get("profiles", ())}
    assert set(re.findall(r"--profile (\w+)", text)) <= profiles
    extras = (ROOT / "pyproject.toml").read_text().partition("[project.optional-dependencies]")[2]
    told = re.findall(r"'(?:mainstem|\.)\[(\w+)\]'", text)
    assert [] == [name for name in told if not re.search(rf"^{name} = \[", extras, re.MULTILINE)]


def test_continuous_integration_calls_the_test_command_of_the_readme() -> None:
    """`.ci/run` runs the test command of the README."""
    assert "make test" in README.read_text()
    assert "make test" in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_readme_is_short_and_begins_with_a_command() -> None:
    """The README has at most 150 lines, with a command to run in the first thirty."""
    lines = README.read_text().splitlines()
    assert len(lines) <= 150
    assert "$ make demo" in lines[:30]


def test_prose_has_lines_of_at_most_100_characters() -> None:
    """Lines of prose have at most 100 characters, unlike tables, lone links and program output."""
    long = []
    for page in DOCUMENTS:
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        lines = (line for line in text.splitlines() if not line.startswith("|"))
        long += [f"{page.name}: {line}" for line in lines if len(line) > 100]
    assert [] == long


def test_every_command_has_its_help_and_its_row() -> None:
    """Each command has a help text and a row on the page of commands."""
    page = ROOT / "docs" / "commands.md"
    told = [code for code in code_in_text(page) if code.startswith("mainstem ")]
    names = all_commands(command_line())
    assert [] == [name for name, command in names.items() if not command.help]
    importers = {name for name in names if name.startswith("import ")}
    missing = [
        name
        for name in names.keys() - importers
        if not any(f"{code} ".startswith(f"mainstem {name} ") for code in told)
    ]
    assert [] == missing
    own = (ROOT / "docs" / "your-own-log.md").read_text()
    assert [] == [name for name in importers if not re.search(rf"[`$] ?mainstem {name} ", own)]


def test_help_lists_commands_in_the_order_of_the_page() -> None:
    """`mainstem --help` lists the commands in the order in which the page of commands has them."""
    codes = re.findall(
        r"^\| `mainstem ([\w-]+)", (ROOT / "docs/commands.md").read_text(), re.MULTILINE
    )
    line = command_line()
    assert list(dict.fromkeys(codes)) == line.list_commands(click.Context(line))


def test_the_page_of_settings_is_what_the_settings_say() -> None:
    """`docs/settings.md` is the page that `python -m tests.settings_page --write` writes."""
    assert settings_page.page() == settings_page.PAGE.read_text()


def test_every_kind_of_event_is_shown_and_can_be_read() -> None:
    """The page about one's own log shows each kind of event once, and each is valid."""
    [log] = [one for one in blocks(ROOT / "docs" / "your-own-log.md") if one.language == "jsonl"]
    events = [decode(line.encode()) for line in log.content.splitlines()]
    assert [] == [event for event in events if isinstance(event, Refusal)]
    kinds = [type(event).__name__.lower() for event in events]
    assert len(kinds) == len(set(kinds)) == 9


def test_every_kind_of_trusted_sample_is_shown_and_can_be_read(tmp_path: Path) -> None:
    """The page about trusted samples shows the four kinds of line, and all are accepted."""
    [file] = [one for one in blocks(ROOT / "docs" / "trusted-samples.md") if one.language == "json"]
    (tmp_path / "trusted.jsonl").write_text(file.content)
    assert 4 == len(list(map(msgspec.json.decode, file.content.splitlines())))
    read_trusted(tmp_path / "trusted.jsonl", Objectives())


def test_every_word_of_ours_is_explained() -> None:
    """Each word of the project has a heading on the page of words."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    [listed] = re.findall(r"One word per thing.*?: (.*?)\.", text, re.DOTALL)
    words = {re.sub(r"\s+", "-", word.strip()) for word in listed.split(",")}
    assert set() == words - anchors(ROOT / "docs" / "how-it-works.md")


def test_every_room_and_every_program_is_described() -> None:
    """Each folder of the library has a row on the page that says how it works."""
    told = code_in_text(ROOT / "docs" / "how-it-works.md")
    rooms = [one.parent for one in (ROOT / "src" / "mainstem").glob("*/__init__.py")]
    names = [f"{one.relative_to(ROOT).as_posix()}/" for one in rooms] + ["streams/", "trainer/"]
    assert [] == sorted(set(names) - set(told))


def test_every_table_and_every_view_is_described() -> None:
    """Each table and view of the history is named on the page of its questions."""
    migrations = (ROOT / "src" / "mainstem" / "store" / "migrations").glob("*.sql")
    made = re.compile(r"CREATE (?:OR REPLACE VIEW|TABLE IF NOT EXISTS) (\w+)")
    names = {name for one in migrations for name in made.findall(one.read_text())}
    told = set(code_in_text(ROOT / "docs" / "history-in-sql.md"))
    assert [] == sorted(name for name in names if not {name, f"{name}_now"} & told)


@pytest.mark.parametrize("page", DOCUMENTS, ids=page_name)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link, anchor and path of a document leads somewhere."""
    assert [] == dead(page)


def test_messages_name_pages_that_exist() -> None:
    """Each page or heading that a message or a docstring of the package names exists."""
    sources = [
        path for name in ("src", "streams", "trainer") for path in (ROOT / name).rglob("*.py")
    ]
    found = {
        one
        for path in sources
        for one in re.findall(r"\bdocs/([\w-]+\.md)(?:#([\w-]+))?", path.read_text())
    }
    assert found
    missing = [
        (page, heading)
        for page, heading in found
        if not (ROOT / "docs" / page).exists()
        or (heading and heading not in anchors(ROOT / "docs" / page))
    ]
    assert [] == missing


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    """A missing file, heading or path is reported, and an existing one is not."""
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading\n[a](gone.md) [b](#a-heading) [c](#another) [d](page.md) `src/gone.py`\n"
    )
    told = ["gone.md", "#another", "src/gone.py"]
    assert told == [re.findall(r"'(.*?)'", fault)[0] for fault in dead(page)]
