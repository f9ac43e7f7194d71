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
    """Another program can make the same ids, because the hashed bytes can be written by hand."""
    raw = b"\0\0\0\x06sample" + b"\0\0\0\x02\xc2\xa3" + b"\0\0\0\x02-7"
    assert uuid_of("sample", "£", -7) == UUID(bytes=hashlib.blake2b(raw, digest_size=16).digest())
    assert number_of("sample", "£", -7) == int.from_bytes(
        hashlib.blake2b(raw, digest_size=8).digest(), "big"
    )


@pytest.mark.parametrize("seed", ["0", "1"])
def test_ids_are_the_same_in_every_process(seed: str) -> None:
    """Ids do not depend on the salt of Python's hash."""
    code = (
        "from mainstem.ids import *; print(uuid_of('a', 1), number_of('a', 1), fraction_of('a', 1))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert f"{uuid_of('a', 1)} {number_of('a', 1)} {fraction_of('a', 1)}\n" == told.stdout


def test_parts_are_kept_apart() -> None:
    """A letter that moves to the next part, or an empty part, changes the id."""
    groups = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("a", "b", "c")]
    assert len(groups) == len({uuid_of(*group) for group in groups})


@settings(deadline=None)
@given(parts, parts)
def test_other_parts_have_another_id(first: list[str | int], second: list[str | int]) -> None:
    """Lists of parts share an id exactly if they are written alike; a number is its digits."""
    same = [str(part) for part in first] == [str(part) for part in second]
    assert same == (uuid_of(*first) == uuid_of(*second))


@settings(deadline=None)
@given(parts, st.lists(st.text(st.characters()), max_size=3))
def test_ids_of_a_family_are_the_ids_of_all_their_parts(
    first: list[str | int], names: list[str]
) -> None:
    """An id made from the shared parts of a family equals the id made from all its parts."""
    id_of = uuids_of(*first)
    assert [uuid_of(*first, name) for name in names] == [id_of(name) for name in names]


def test_an_id_is_like_any_other_uuid() -> None:
    """An id prints, hashes and reports its safety like a UUID of the standard library."""
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
    """A number has 64 bits, and a fraction in [0, 1) is that number divided by 2**64."""
    number, fraction = number_of(*given_parts), fraction_of(*given_parts)
    assert 0 <= number < 2**64
    assert 0 <= fraction < 1
    assert abs(number / 2**64 - fraction) < 1e-15


def test_a_lone_surrogate_has_an_id() -> None:
    """A text that is not valid UTF-8 has an id."""
    assert uuid_of("\ud800") != uuid_of("\ud801")


def test_fractions_are_uniform() -> None:
    """Fractions over many parts are uniform by SciPy's Kolmogorov-Smirnov test."""
    assert kstest([fraction_of("seed", number) for number in range(5000)], "uniform").pvalue > 0.001
