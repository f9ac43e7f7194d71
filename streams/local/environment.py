"""The environment of a stack's programs, also written to a file that people can `source`."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mainstem.disk import write_whole

__all__ = ["ENVIRONMENT", "environment_of"]

ENVIRONMENT: Final = "environment"  # name of the file
_KEY: Final = "MAINSTEM_PSEUDONYM_KEY"


def environment_of(
    folder: Path, values: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """Make the environment of the programs, and write its variables to FOLDER/environment.

    Only the owner can read the file.

    Args:
        folder: folder of the stack, where the pseudonym key that is made for it is kept.
        values: `MAINSTEM_` variables of the stack.
        given: environment of the caller. A variable that is set there wins.

    Returns:
        The caller's environment with the variables of the stack and the pseudonym key.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> sorted(environment_of(folder, {"MAINSTEM_JOIN__PARTITIONS": "2"}, {"PATH": "/bin"}))
        ['MAINSTEM_JOIN__PARTITIONS', 'MAINSTEM_PSEUDONYM_KEY', 'PATH']
        >>> (folder / "environment").read_text().splitlines()[0]
        "export MAINSTEM_JOIN__PARTITIONS='2'"
    """
    names = [*values, _KEY]
    known = {_KEY: given.get(_KEY) or _key(folder), **values} | {
        name: given[name] for name in names if name in given
    }
    lines = [f"export {name}='{_quoted(known[name])}'\n" for name in names]
    _write_private(folder / ENVIRONMENT, "".join(lines))
    return {**given, **known}


def _key(folder: Path) -> str:
    """The secret of the pseudonyms, which is made once for a folder."""
    path = folder / "pseudonym.key"
    if not path.exists():
        _write_private(path, secrets.token_hex(32))
    return path.read_text()


def _write_private(path: Path, text: str) -> None:
    """Write a whole file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode(), private=True)


def _quoted(text: str) -> str:
    """Escape text that goes between single quotes in a shell."""
    return text.replace("'", "'\"'\"'")
