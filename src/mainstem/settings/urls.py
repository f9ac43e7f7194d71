"""Turn folders into URLs and back; no other module puts a path into a URL or takes one out.

A path is quoted when it goes into a URL and unquoted when it comes out, so `#`, `?` and `%` may be
part of a name. In a URL written by hand only `%` must be quoted: these URLs have neither a query
nor a fragment.
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
_FILES_LIKE: Final = "file:///folder or s3://bucket/folder"


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
    """The folder on this machine that a URL names.

    Raises:
        SettingError: if the URL lacks `//`, has a host, has no absolute path, or names the root.

    Example:
        >>> folder_of("chdb:///homes/exp%231/history") == folder_of("chdb:///homes/exp#1/history/")
        True
    """
    scheme, rest = scheme_of(url), url.partition(":")[2]
    path = rest.removeprefix("//")
    if rest.startswith("//localhost/"):
        path = path.removeprefix("localhost")
    if not scheme or not rest.startswith("//") or not path.startswith("/") or not path.strip("/"):
        msg = (
            f"a folder's URL is {scheme or 'file'}:///absolute/folder, "
            f"with three slashes and no host; got {url!r}"
        )
        raise SettingError(msg)
    name = unquote_to_bytes(path.encode("utf-8", "surrogateescape"))
    if b"\0" in name:
        msg = f"a folder's name cannot hold a zero byte; got {url!r}"
        raise SettingError(msg)
    return Path("/" + os.fsdecode(name).lstrip("/"))


def files_at(url: str) -> tuple[Any, str]:
    """The fsspec file system behind a URL, and the path of the URL's folder in it.

    Args:
        url: `file:///folder`, an absolute path, or a URL that fsspec opens, `s3://bucket/folder`.

    Raises:
        SettingError: if it is no URL, or if no installed package opens its scheme.

    Example:
        >>> files_at("file:///versions/a%20b")[1]
        '/versions/a b'
    """
    import fsspec  # slow to import, and most importers of this module open no URL
    from fsspec.implementations.local import LocalFileSystem

    scheme = scheme_of(url)
    if scheme in _LOCAL:
        return LocalFileSystem(), str(folder_of(url))
    if url.startswith("/"):
        return LocalFileSystem(), str(Path(url))
    rest = url.partition(":")[2]
    if not scheme or not rest.startswith("//"):
        msg = f"versions and snapshots are at a URL, like {_FILES_LIKE}; got {url!r}"
        raise SettingError(msg)
    try:
        files, root = fsspec.url_to_fs(f"{scheme}:{rest}")
    except (ImportError, ValueError) as error:
        msg = (
            f"cannot open {url!r} ({error}); versions and snapshots are at a URL like {_FILES_LIKE}"
        )
        raise SettingError(msg) from error
    return files, str(root)
