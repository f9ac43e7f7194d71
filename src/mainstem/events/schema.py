"""The JSON Schema of events, generated from the vocabulary, for producers in any language.

A schema and `decode` accept the same events, except for what a schema cannot say: `decode` requires
whole numbers without fraction and exponent (5, not 5.0 or 5e0), numbers that fit in a double, whole
characters, and lines up to a length.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from mainstem.events.logs import LONGEST_LINE
from mainstem.events.vocabulary import Event

__all__ = ["BEYOND", "KINDS", "event_schema", "schemas_of"]

KINDS: Final[Mapping[str, type[Struct]]] = MappingProxyType(
    {kind.__struct_config__.tag: kind for kind in get_args(Event)}
)
"""Every kind of event by its `type`."""
BEYOND: Final = (
    "One JSON object in UTF-8. Fields that are not named here are ignored. "
    "Beyond what a schema can say: whole numbers are written without fraction and exponent "
    "(5, not 5.0), numbers fit in a double, no half of a surrogate pair is escaped, "
    f"and an event has at most {LONGEST_LINE:,} bytes."
)
"""What the schemas cannot say, as the description of each."""
_ATTRIBUTES: Final = "\n\nAttributes:\n"


def event_schema(kind: str | None = None) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one kind of event, or of all kinds.

    Args:
        kind: the `type` of the event; None for a schema that accepts every kind.

    Raises:
        ValueError: if no event has this `type`.

    Example:
        >>> event_schema("tick")["$defs"]["Tick"]["required"]
        ['type', 'event_timestamp']
        >>> [one["$ref"] for one in event_schema()["oneOf"]][:2]
        ['#/$defs/Search', '#/$defs/Impression']
    """
    if kind is not None and kind not in KINDS:
        msg = f"no event is of type {kind!r}; it is one of {', '.join(KINDS)}"
        raise ValueError(msg)
    refs, schemas = schemas_of([KINDS[kind]] if kind else KINDS.values(), "#/$defs/")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:mainstem:event:{kind}" if kind else "urn:mainstem:event",
        "title": f"An event of type {kind}" if kind else "An event",
        "description": BEYOND,
        **(refs[0] if kind else {"oneOf": refs}),
        "$defs": schemas,
    }


def schemas_of(types: Iterable[Any], at: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the schema of each type, with descriptions from its docstring.

    Args:
        types: structs, or types made of structs.
        at: where the schemas of structs will be, as the beginning of a reference to them.

    Returns:
        The schema of each type, and the schemas of the structs in them by name.
    """
    refs, schemas = msgspec.json.schema_components(types, ref_template=f"{at}{{name}}")
    # subtle: through JSON and back, because a default that is a tuple must become an array
    plain = msgspec.json.decode(msgspec.json.encode(schemas))
    return list(refs), {name: _described(name, schema) for name, schema in plain.items()}


def _described(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a struct, with the docstring's `Attributes` as descriptions of properties.

    A kind of event inherits the descriptions of the fields that it inherits.
    """
    text, meanings = _described_in(schema.get("description", ""))
    if name.lower() in KINDS:
        for base in KINDS[name.lower()].__mro__[1:]:
            meanings = _described_in(base.__doc__ or "")[1] | meanings
    properties = {
        field: {**one, "description": meanings[field]} if field in meanings else one
        for field, one in schema.get("properties", {}).items()
    }
    # a struct that is written as an array has no properties
    return {**schema, "description": text, **({"properties": properties} if properties else {})}


def _described_in(docstring: str) -> tuple[str, dict[str, str]]:
    text, _, attributes = inspect.cleandoc(docstring).partition(_ATTRIBUTES)
    entries = re.findall(r"^ {4}(\w[\w, ]*): (.*(?:\n {5,}.*)*)", attributes, re.MULTILINE)
    return text, {
        name: " ".join(meaning.split()) for names, meaning in entries for name in names.split(", ")
    }
