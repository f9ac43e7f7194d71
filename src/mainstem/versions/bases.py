"""The weights that versions of an adapter share, once under their digest.

    VERSIONS/base/DIGEST

A file of the base is never replaced by other weights, because its name is what it holds. It stays
when versions are forgotten: the first version, which is kept, needs it.
"""

from typing import Any, Final

from mainstem.disk import put_whole
from mainstem.errors import VersionError
from mainstem.versions.contents import digest_of

__all__ = ["keep_base", "read_base"]

_FOLDER: Final = "base"


def keep_base(files: Any, root: str, content: bytes) -> str:
    """Write the weights of a base, unless they are there.

    Args:
        files: file system of the versions.
        root: folder of the versions.
        content: the weights as a file.

    Returns:
        The digest that they lie under.
    """
    digest = digest_of(content)
    path = f"{root}/{_FOLDER}/{digest}"
    if not files.exists(path) or files.size(path) != len(content):
        files.makedirs(f"{root}/{_FOLDER}", exist_ok=True)
        put_whole(files, path, content)
    return digest


def read_base(files: Any, root: str, digest: str, of_version: str) -> bytes:
    """Read the weights of a base and check them.

    Args:
        files: file system of the versions.
        root: folder of the versions.
        digest: digest that the manifest of a version names.
        of_version: the version and where it is, for messages.

    Raises:
        VersionError: if the file is missing, or its digest differs.
    """
    try:
        content: bytes = files.cat_file(f"{root}/{_FOLDER}/{digest}")
    except FileNotFoundError as error:
        msg = f"{_FOLDER}/{digest} of {of_version} is missing; restore it from a copy"
        raise VersionError(msg) from error
    if digest_of(content) != digest:
        msg = (
            f"{_FOLDER}/{digest} of {of_version} is not what its name says; restore it from a copy"
        )
        raise VersionError(msg)
    return content
