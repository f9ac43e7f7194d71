"""A folder of any name survives its URL, and an invalid URL is an error in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstem.errors import SettingError, StoreError
from mainstem.settings.urls import files_at, folder_of, scheme_of, url_of
from mainstem.store import Store, has_history

TEXTS = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]))
BYTES = st.binary().map(lambda name: os.fsdecode(name.replace(b"/", b"").replace(b"\0", b"")))
NAMES = (TEXTS | BYTES).filter(lambda name: name not in {"", ".", ".."})
HOSTILE = ["a?b=1&c", "a#b", "a%41", "a%", "a b::c*[d]", "~ü\n;'\"\\"]


@given(name=NAMES, scheme=st.sampled_from(["chdb", "file"]))
def test_a_folder_comes_out_of_its_url_as_it_went_in(name: str, scheme: str) -> None:
    """A folder of any valid name, even one that is no text, is read back from its URL."""
    folder = Path("/homes", name, "history")
    url = url_of(scheme, folder)
    assert (scheme, folder) == (scheme_of(url), folder_of(url))
    assert url.isascii()
    assert not set(url) & set("#?*\n ;")


@given(one=NAMES, other=NAMES)
def test_unlike_folders_have_unlike_urls(one: str, other: str) -> None:
    """Two different names never have the same URL."""
    assert (one == other) == (url_of("chdb", Path("/", one)) == url_of("chdb", Path("/", other)))


@given(name=NAMES)
def test_fsspec_is_given_the_folder_and_not_the_url(name: str) -> None:
    """The file system gets the plain name of the folder."""
    assert str(Path("/homes", name)) == files_at(url_of("file", Path("/homes", name)))[1]


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:///a b/%41", "/a b/A"),
        ("CHDB:///x#1?y/", "/x#1?y"),
        ("file://localhost/x", "/x"),
        ("chdb:////x", "/x"),
    ],
)
def test_a_url_written_by_hand_is_understood(url: str, folder: str) -> None:
    """Escapes are decoded, and other characters stand for themselves."""
    assert Path(folder) == folder_of(url)


@pytest.mark.parametrize(
    "url",
    ["chdb:/x", "chdb://relative", "chdb://", "chdb:///", "file://host/x", "chdb:///a%00", "x"],
)
def test_what_names_no_folder_is_refused(url: str) -> None:
    """The error for a URL without a folder has the URL."""
    with pytest.raises(SettingError, match=r"got '"):
        folder_of(url)
    with pytest.raises(StoreError):
        Store(url)


@pytest.mark.parametrize("url", ["file:/x", "versions", "nosuch://x", "file://host/x", ""])
def test_a_place_of_files_that_is_none_is_refused(url: str) -> None:
    """A misspelt URL is an error and does not become a folder."""
    with pytest.raises(SettingError):
        files_at(url)


@pytest.mark.parametrize(
    "url", ["clickhouse://", "clickhouse://h:x/d", "clickhouse://u:geheim#1@h/d", "CLICKHOUSE:/h"]
)
def test_a_server_that_cannot_be_understood_is_told_without_its_password(url: str) -> None:
    """A bad ClickHouse URL is an error in one line without the password."""
    with pytest.raises(StoreError, match="is not like clickhouse://user") as caught:
        Store(url)
    assert "geheim" not in str(caught.value)


def test_a_history_lies_in_the_folder_that_was_named(tmp_path: Path) -> None:
    """Each folder with an unusual name has its own history."""
    code = """if True:
        import sys
        from pathlib import Path
        from mainstem.store import Store
        from mainstem.settings.urls import url_of
        for name in sys.argv[2:]:
            with Store(url_of("chdb", Path(sys.argv[1], name, "history"))) as store:
                store.write("trusted", {"sample_id": [], "part": [], "origin": []})
                assert store.rows("SELECT count() FROM trusted") == [(0,)]
    """
    subprocess.run([sys.executable, "-c", code, tmp_path, *HOSTILE], check=True)
    assert sorted(HOSTILE) == sorted(path.name for path in tmp_path.iterdir())
    assert all(has_history(tmp_path / name / "history") for name in HOSTILE)


def test_who_only_asks_makes_no_history(tmp_path: Path) -> None:
    """A wrong path is an error that makes no history and suggests the folder that was meant."""
    with pytest.raises(StoreError, match="there is no history at"):
        Store(url_of("chdb", tmp_path / "typo"), make=False)
    assert [] == list(tmp_path.iterdir())
    (tmp_path / "history" / "metadata").mkdir(parents=True)
    (tmp_path / "history" / "metadata" / "mainstem.sql").touch()
    with pytest.raises(StoreError, match=r"did you mean chdb://.*/history"):
        Store(url_of("chdb", tmp_path), make=False)
