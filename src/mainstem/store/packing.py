"""Pack the values of a row for msgpack, so that they print the same in the other process.

None, booleans, floats, text, bytes and integers of up to 64 bits stay as they are. Any other value
becomes a pair of a kind and a content. A value of a type that msgpack does not know (a time, a
UUID, a decimal) arrives as its `str` and `repr`. Tables and JSON need no more, and it works for
every type.
"""

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Printed", "packed", "unpacked"]

_PLAIN: Final = (type(None), bool, float, str, bytes)


@dataclass(frozen=True, repr=False)
class Printed:
    """Stands for a value of another process; it prints like that value.

    Attributes:
        text: the value's `str`.
        code: the value's `repr`.
    """

    text: str
    code: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.code


def packed(value: Any) -> Any:
    """Convert a value to plain values that msgpack can encode.

    Example:
        >>> packed([1, None, (b"a",)])
        ['list', [1, None, ['tuple', [b'a']]]]
    """
    kind = type(value)
    if kind in _PLAIN or (kind is int and -(2**63) <= value < 2**64):
        return value
    if kind in (list, tuple):
        return [kind.__name__, [packed(one) for one in value]]
    if kind is dict:
        return ["dict", [[packed(key), packed(one)] for key, one in value.items()]]
    if kind is int:
        return ["int", str(value)]
    return ["printed", [str(value), repr(value)]]


def unpacked(value: Any) -> Any:
    """Restore a packed value, or a stand-in that prints like it.

    Example:
        >>> from uuid import UUID
        >>> print(unpacked(packed((2**80, {"of": UUID(int=7)}))))
        (1208925819614629174706176, {'of': UUID('00000000-0000-0000-0000-000000000007')})
    """
    if type(value) is not list:
        return value
    kind, content = value
    if kind == "dict":
        return {unpacked(key): unpacked(one) for key, one in content}
    if kind == "int":
        return int(content)
    if kind == "printed":
        return Printed(*content)
    return (tuple if kind == "tuple" else list)(unpacked(one) for one in content)
