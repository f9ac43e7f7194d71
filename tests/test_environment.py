"""`make environment`: the range of Pythons, and how uv gets the settings of pip."""

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def environment() -> ModuleType:
    """The script that `make environment` runs, as a module."""
    found = importlib.util.spec_from_file_location("environment", ROOT / ".ci" / "environment.py")
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    return made


def test_all_say_the_same_pythons() -> None:
    """Package, Makefile, README, image and linters agree on the oldest and the newest Python."""
    least, most = re.fullmatch(
        r">=3\.(\d+),<3\.(\d+)", PROJECT["project"]["requires-python"]
    ).groups()
    oldest, newest = int(least), int(most) - 1
    makefile = (ROOT / "Makefile").read_text()
    assert f"OLDEST := (3, {oldest})\nNEWEST := (3, {newest})\n" in makefile
    assert f"mainstem runs on Python 3.{oldest} to 3.{newest};" in makefile
    assert f"Python 3.{oldest} to 3.{newest}" in (ROOT / "README.md").read_text()
    image = re.search(r"ARG PYTHON=3\.(\d+)\.", (ROOT / "Dockerfile").read_text())
    assert oldest <= int(image[1]) <= newest
    assert f"3.{oldest}" == PROJECT["tool"]["mypy"]["python_version"]
    assert f"py3{oldest}" == PROJECT["tool"]["ruff"]["target-version"]


def test_uv_is_told_what_pip_was_told(environment: ModuleType, tmp_path: Path) -> None:
    """uv gets the indexes, folders of wheels, certificates and time-out that pip would use."""
    listed = "\n".join(
        (
            "global.index-url='https://one/simple'",
            "global.extra-index-url='\\nhttps://two/simple\\nhttps://three/simple'",
            f"global.find-links='{tmp_path} /not/there https://four/wheels'",
            "user.quiet='1'",
            "install.prefer-binary='true'",
            ":env:.cert='/etc/ssl/ca.pem'",
            ":env:.default-timeout='180'",
        )
    )
    assert {
        "SSL_CERT_FILE": "/etc/ssl/ca.pem",
        "UV_DEFAULT_INDEX": "https://one/simple",
        "UV_FIND_LINKS": f"{tmp_path},https://four/wheels",
        "UV_HTTP_TIMEOUT": "180",
        "UV_INDEX": "https://two/simple https://three/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    } == environment.for_uv(environment.settings_of_pip(listed))


def test_the_narrower_setting_of_pip_holds(environment: ModuleType) -> None:
    """A variable has precedence over a setting for `pip install`, and that over a global one."""
    lines = (":env:.index-url='a'", "install.index-url='b'", "global.index-url='c'")
    for count in (1, 2, 3):
        found = environment.settings_of_pip("\n".join(lines[-count:]))
        assert {"index-url": "abc"[-count]} == found


@pytest.mark.parametrize(
    "name", ["client-cert", "keyring-provider", "no-binary", "no-index", "pre"]
)
def test_what_uv_cannot_be_told_is_left_to_pip(name: str, environment: ModuleType) -> None:
    """uv is not used if pip has a setting that is not known to be harmless."""
    with pytest.raises(environment.NoCounterpartError, match=name):
        environment.for_uv({"index-url": "https://one", name: "1"})


@pytest.mark.parametrize(
    ("version", "is_taken"), [("2.15.0+cu132", True), ("2.8.0", True), ("2.7.1", False)]
)
def test_a_torch_that_is_there_is_used_where_it_is_new_enough(
    version: str, is_taken: bool, environment: ModuleType, tmp_path: Path
) -> None:
    """Its folder is found; a torch that is too old is not used."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(f"__version__ = {version!r}\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}" exec python3 "$@"\n')
    python.chmod(0o755)
    assert (str(tmp_path) if is_taken else None) == environment.torch_of(str(python))
