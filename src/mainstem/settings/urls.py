"""Folders as URLs, and back: the one place where a path is put into a URL or taken out of one.

A path is quoted on its way in and unquoted on its way out, so that `#`, `?` and `%` are letters of a name like others.
What somebody wrote by hand may leave everything but `%` unquoted: these URLs have neither a query nor a fragment.
"""

import os
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

from mainstem.errors import SettingError

__all__ = ["files_at", "folder_of", "scheme_of", "url_of"]

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_LOCAL: Final = ("file", "local")


def url_of(scheme: str, folder: Path) -> str:
    """The URL of a folder.

    Example:
        >>> url_of("chdb", Path("/homes/exp#1/history"))
        'chdb:///homes/exp%231/history'
    """
    return f"{scheme}://{quote(os.fsencode(folder.absolute()), safe='/')}"


def scheme_of(url: str) -> str:
    """The scheme of a URL in small letters; empty where there is none.

    Example:
        >>> scheme_of("CHDB:///x"), scheme_of("/x"), scheme_of("a:b")
        ('chdb', '', 'a')
    """
    found = _SCHEME.match(url)
    return found[1].lower() if found else ""


def folder_of(url: str) -> Path:
    """The folder that a URL of this machine names.

    Raises:
        SettingError: if it names none: no `//`, a host, no absolute path, or the root itself.

    Example:
        >>> folder_of("chdb:///homes/exp%231/history") == folder_of("chdb:///homes/exp#1/history/")
        True
    """
    scheme, rest = scheme_of(url), url.partition(":")[2]
    path = (
        rest.removeprefix("//").removeprefix("localhost")
        if rest.startswith("//localhost/")
        else rest.removeprefix("//")
    )
    if not scheme or not rest.startswith("//") or not path.startswith("/") or not path.strip("/"):
        msg = f"a folder's URL is {scheme or 'file'}:///absolute/folder, with three slashes and no host; got {url!r}"
        raise SettingError(msg)
    name = unquote_to_bytes(path.encode("utf-8", "surrogateescape"))
    if b"\0" in name:
        msg = f"no folder's name holds a zero byte; got {url!r}"
        raise SettingError(msg)
    return Path("/" + os.fsdecode(name).lstrip("/"))


def files_at(url: str) -> tuple[Any, str]:
    """The fsspec file system behind a URL, and the path of the URL's folder in it.

    Args:
        url: `file:///folder`, an absolute path, or whatever else fsspec knows, like `s3://bucket/folder`.

    Raises:
        SettingError: if it is no URL, or nobody here knows its scheme.

    Example:
        >>> files_at("file:///versions/a%20b")[1]
        '/versions/a b'
    """
    import fsspec  # slow to import, and most who know URLs open none
    from fsspec.implementations.local import LocalFileSystem

    scheme = scheme_of(url)
    if scheme in _LOCAL:
        return LocalFileSystem(), str(folder_of(url))
    if url.startswith("/"):
        return LocalFileSystem(), str(Path(url))
    rest = url.partition(":")[2]
    if not scheme or not rest.startswith("//"):
        msg = f"versions and snapshots are at a URL, like file:///folder or s3://bucket/folder; got {url!r}"
        raise SettingError(msg)
    try:
        files, root = fsspec.url_to_fs(f"{scheme}:{rest}")
    except (ImportError, ValueError) as error:
        msg = f"cannot open {url!r} ({error}); versions and snapshots are at a URL like file:///folder or s3://bucket/folder"
        raise SettingError(msg) from error
    return files, str(root)
