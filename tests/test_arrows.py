"""Arrows point one way: the rooms that each room may import, read from the source itself."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.arrows import is_sql, texts

ROOT = Path(__file__).parents[1]
LIBRARY, STREAMS, TRAINER = ROOT / "src" / "mainstem", ROOT / "streams", ROOT / "trainer"

BELOW = {
    room: set(known.split())
    for room, known in {
        "behaviour": "errors events ids settings",
        "data": "",
        "disk": "",
        "errors": "",
        "evidence": "logistic",
        "ids": "",
        "kinds": "",
        "logistic": "",
        "importance": "ids join kinds",
        "estimators": "importance",
        "objectives": "settings",
        "printable": "",
        "events": "disk errors",
        "process": "errors",
        "responses": "errors ids objectives",
        "settings": "errors kinds",
        "importers": "errors events",
        "tracking": "errors",
        "join": "behaviour events ids objectives settings",
        "models": "behaviour errors kinds objectives process responses settings",
        "simulate": "errors events ids",
        "standing": "evidence importance settings",
        "embedded": (
            "behaviour disk errors events join scoring settings store tracking trusted versions"
        ),
        "store": "behaviour errors events join kinds objectives responses settings",
        "trusted": "disk errors events ids join objectives settings",
        "validate": "events join printable settings",
        "versions": "disk errors kinds models process settings",
        "kafka": "behaviour errors events join printable store trusted",
        "scoring": (
            "behaviour errors estimators evidence ids importance join kinds models objectives"
            " process responses settings standing store"
        ),
        "learning": (
            "behaviour errors ids importance join kinds logistic models objectives process scoring"
            " settings standing store tracking versions"
        ),
        "bench": (
            "behaviour data disk errors estimators events evidence ids importance importers join"
            " kinds learning models objectives process responses scoring settings simulate standing"
            " store trusted versions"
        ),
        "loop": (
            "behaviour embedded errors events join learning process scoring settings standing store"
            " trusted versions"
        ),
        "answers": (
            "bench embedded errors estimators events ids importance join learning loop models"
            " objectives printable process scoring settings standing store validate versions"
        ),
        "asking": "bootstrap embedded errors store",
        "notebook": (
            "answers asking bootstrap data embedded errors events opening settings standing store"
            " versions"
        ),
        "bootstrap": "embedded errors events kafka process settings store tracking versions",
        "opening": (
            "bootstrap embedded errors events join learning "
            "loop models process settings store trusted validate"
        ),
    }.items()
}
"""Rooms that each room may import; `cli` may import all, and no room imports `cli`."""

HEAVY = {
    "torch",
    "transformers",
    "tokenizers",
    "clickhouse_connect",
    "chdb",
    "rich",
    "scipy",
    "pyarrow",
    "numpy",
}


def files(folder: Path) -> list[Path]:
    """Return the Python files of a folder."""
    return sorted(folder.rglob("*.py"))


def imported(path: Path, *, at_load_only: bool = False) -> Iterator[str]:
    """Yield the modules that a file imports, at its top level or anywhere."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if at_load_only else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def room_of(path: Path) -> str:
    """Return the room of a file of the library."""
    return path.relative_to(LIBRARY).with_suffix("").parts[0]


@pytest.mark.parametrize("room", sorted(BELOW))
def test_a_room_imports_only_what_is_below_it(room: str) -> None:
    """A file imports only rooms that its own room may import."""
    allowed = {room, *BELOW[room]}
    found = {
        (path.name, name.split(".")[1])
        for path in files(LIBRARY)
        if room_of(path) == room
        for name in imported(path)
        if name.startswith("mainstem.")
    }
    assert set() == {(file, other) for file, other in found if other not in allowed}


def test_every_room_has_its_arrows() -> None:
    """A new room is listed with the rooms that it may import."""
    rooms = {room_of(path) for path in files(LIBRARY)} - {"__init__", "cli"}
    assert set(BELOW) == rooms


def test_the_arrows_make_no_circle() -> None:
    """The rooms have an order in which each imports only earlier ones."""
    left = dict(BELOW)
    while left:
        free = [room for room, below in left.items() if not below & set(left)]
        assert free, f"rooms import each other in a circle: {sorted(left)}"
        for room in free:
            del left[room]


def test_the_library_never_imports_a_program() -> None:
    """The library imports neither `streams` nor `trainer`."""
    programs = ("mainstem.streams", "mainstem.trainer")
    assert [] == [
        path.name for path in files(LIBRARY) for name in imported(path) if name.startswith(programs)
    ]


def test_programs_do_not_import_each_other_nor_the_others_libraries() -> None:
    """Stream programs import neither trainer nor torch, and the trainer neither them nor Faust."""
    forbidden = {STREAMS: ("mainstem.trainer", "torch"), TRAINER: ("mainstem.streams", "faust")}
    found = [
        path
        for folder, names in forbidden.items()
        for path in files(folder)
        for n in imported(path)
        if n.startswith(names)
    ]
    assert [] == found


def test_streams_run_without_torch() -> None:
    """Loading every module of `streams` loads no torch."""
    names = [
        f"mainstem.streams.{path.stem}"
        for path in files(STREAMS)
        if path.parent == STREAMS and path.stem != "__init__"
    ]
    code = (
        "import importlib, sys; "
        f"[importlib.import_module(name) for name in {names}]; "
        "sys.exit('torch' in sys.modules)"
    )
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_only_opening_and_the_command_line_open_homes_and_make_models() -> None:
    """Only `opening` and the command line open homes and make first models."""
    makers = {"HomeFolder", "load_pretrained", "initial_encoder"}
    found = {
        path.relative_to(LIBRARY).as_posix()
        for path in files(LIBRARY)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers
    }
    assert {
        "asking.py",
        "cli/rescoring.py",
        "cli/trusting.py",
        "cli/verifying.py",
        "learning/first.py",
        "opening.py",
    } == found


def test_the_command_line_starts_without_heavy_imports() -> None:
    """`mainstem --help` imports no heavy package."""
    at_start = [
        "main",
        "benching",
        "comparing",
        "explaining",
        "history",
        "importing",
        "importing_own",
        "log_writing",
        "replaying",
        "schema",
        "settings",
        "shadowing",
        "simulating",
        "trusting",
        "validating",
        "verifying",
    ]
    found = {
        (name, module)
        for name in at_start
        for module in imported(LIBRARY / "cli" / f"{name}.py", at_load_only=True)
        if module.split(".")[0] in HEAVY
    }
    assert set() == found


def test_no_source_file_asserts_or_is_longer_than_an_idea() -> None:
    """Source files contain no assert and have at most 300 lines."""
    source = [*files(LIBRARY), *files(STREAMS), *files(TRAINER)]
    asserts = [
        path.name
        for path in source
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert)
    ]
    long = [path.name for path in source if len(path.read_text().splitlines()) > 300]
    assert ([], []) == (asserts, long)


def test_sql_stands_in_the_store_alone() -> None:
    """No text outside of `store/` is an SQL statement, not even a suggested one."""
    found = {
        str(path.relative_to(ROOT))
        for folder in (LIBRARY, STREAMS, TRAINER)
        for path in files(folder)
        if LIBRARY / "store" not in path.parents
        and any(map(is_sql, texts(ast.parse(path.read_text()))))
    }
    assert set() == found


ADAPTERS = {
    "Store": {"src/mainstem/bootstrap.py"},
    "Versions": {"src/mainstem/bootstrap.py"},
    "TensorBoard": {"src/mainstem/bootstrap.py"},
    "MLflow": {"src/mainstem/bootstrap.py"},
    "WandB": {"src/mainstem/bootstrap.py"},
    "Broker": {"src/mainstem/bootstrap.py", "src/mainstem/kafka/broker.py"},
    "KafkaProducer": {"src/mainstem/bootstrap.py"},
    "KafkaConsumer": {
        "src/mainstem/kafka/direct.py",
        "src/mainstem/kafka/intake.py",
        "streams/resuming.py",
    },
    "files_at": {
        "src/mainstem/versions/versions.py",
        "streams/snapshots.py",
        "streams/verifying.py",
    },
    "get_client": {"src/mainstem/store/connecting.py"},
}
"""What stands behind a URL, and the files that may make one."""


def made(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a file calls; a class method counts as its class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr
                if node.func.attr == "parse" and isinstance(node.func.value, ast.Name):
                    yield node.func.value.id


def test_what_stands_behind_a_url_is_known_to_bootstrap() -> None:
    """Only `bootstrap` makes stores, versions, brokers and producers."""
    found = {
        (name, str(path.relative_to(ROOT)))
        for folder in (LIBRARY, STREAMS, TRAINER)
        for path in files(folder)
        for name in made(ast.parse(path.read_text()))
        if name in ADAPTERS
    }
    assert set() == {(name, file) for name, file in found if file not in ADAPTERS[name]}
