"""What the programs of a stack are told, for them and, as a file to `source`, for people."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mainstem.disk import write_whole

__all__ = ["ENVIRONMENT", "environment_of"]

ENVIRONMENT: Final = "environment"
_KEY: Final = "MAINSTEM_PSEUDONYM_KEY"


def environment_of(
    folder: Path, values: Mapping[str, str], given: Mapping[str, str]
) -> dict[str, str]:
    """What programs are told, also written to FOLDER/environment, for its owner only.

    Args:
        folder: of the stack; the pseudonym key made for it is kept there.
        values: `MAINSTEM_` variables of this stack.
        given: the caller's environment, which wins.

    Returns:
        The caller's environment with those variables and the pseudonym key.

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
    """The secret of the pseudonyms, made once for a folder."""
    path = folder / "pseudonym.key"
    if not path.exists():
        _write_private(path, secrets.token_hex(32))
    return path.read_text()


def _write_private(path: Path, text: str) -> None:
    """Write a file whole, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode(), private=True)


def _quoted(text: str) -> str:
    """For between single quotes of a shell."""
    return text.replace("'", "'\"'\"'")
