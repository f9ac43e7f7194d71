"""Ids and draws depend on their arguments and on nothing else."""

import hashlib
import os
import subprocess
import sys
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from mainstem.ids import fraction_of, number_of, uuid_of, uuids_of

parts = st.lists(st.text(max_size=5) | st.integers(), max_size=4)


def test_an_id_is_blake2b_over_parts_with_their_lengths() -> None:
    """The bytes that are hashed can be written down by hand, so another program can make the same ids."""
    raw = b"\0\0\0\x06sample" + b"\0\0\0\x02\xc2\xa3" + b"\0\0\0\x02-7"
    assert uuid_of("sample", "£", -7) == UUID(bytes=hashlib.blake2b(raw, digest_size=16).digest())
    assert number_of("sample", "£", -7) == int.from_bytes(
        hashlib.blake2b(raw, digest_size=8).digest(), "big"
    )


@pytest.mark.parametrize("seed", ["0", "1"])
def test_ids_are_the_same_in_every_process(seed: str) -> None:
    """The salt of Python's own hash does not reach them."""
    code = (
        "from mainstem.ids import *; print(uuid_of('a', 1), number_of('a', 1), fraction_of('a', 1))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert f"{uuid_of('a', 1)} {number_of('a', 1)} {fraction_of('a', 1)}\n" == told.stdout


def test_parts_are_kept_apart() -> None:
    """Moving a letter from one part to the next makes another id, and so does an empty part."""
    groups = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("a", "b", "c")]
    assert len(groups) == len({uuid_of(*group) for group in groups})


@settings(deadline=None)
@given(parts, parts)
def test_other_parts_have_another_id(first: list[str | int], second: list[str | int]) -> None:
    """Two lists of parts share an id if they are written the same; a number is written as its digits."""
    same = [str(part) for part in first] == [str(part) for part in second]
    assert same == (uuid_of(*first) == uuid_of(*second))


@settings(deadline=None)
@given(parts, st.lists(st.text(st.characters()), max_size=3))
def test_ids_of_a_family_are_the_ids_of_all_their_parts(
    first: list[str | int], names: list[str]
) -> None:
    """What the members of a family share may be said once, for as many of them as there are."""
    id_of = uuids_of(*first)
    assert [uuid_of(*first, name) for name in names] == [id_of(name) for name in names]


def test_an_id_is_like_any_other_uuid() -> None:
    """An id prints, hashes and tells its safety as one that the standard library made."""
    found, own = uuid_of("a"), UUID(str(uuid_of("a")))
    assert (own, hash(own), repr(own), own.is_safe) == (
        found,
        hash(found),
        repr(found),
        found.is_safe,
    )


@settings(deadline=None)
@given(parts)
def test_numbers_and_fractions_keep_to_their_ranges(given_parts: list[str | int]) -> None:
    """A number has 64 bits; a fraction is at least 0, below 1, and its number divided by 2**64."""
    number, fraction = number_of(*given_parts), fraction_of(*given_parts)
    assert 0 <= number < 2**64
    assert 0 <= fraction < 1
    assert abs(number / 2**64 - fraction) < 1e-15


def test_a_lone_surrogate_has_an_id() -> None:
    """Text that is no UTF-8 does not stop the stream."""
    assert uuid_of("\ud800") != uuid_of("\ud801")


def test_fractions_are_uniform() -> None:
    """Over many parts fractions are uniform, as SciPy's Kolmogorov-Smirnov test has it."""
    assert kstest([fraction_of("seed", number) for number in range(5000)], "uniform").pvalue > 0.001
