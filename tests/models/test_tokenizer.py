"""Text pairs to token ids: cutting, padding, and a vocabulary that is the same everywhere."""

import json
import os
import random
import subprocess
import sys
from itertools import groupby

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mainstem.models.tokenizer import SPECIAL, encode_pairs, pad, train_tokenizer
from tests.conftest import excerpt_lines
from tests.small_models import tokenizer

TOKENIZER = tokenizer()
TRAIN = """
import json, sys
from mainstem.models.tokenizer import train_tokenizer
print(json.dumps(train_tokenizer(json.load(sys.stdin), size=500).get_vocab(), sort_keys=True))
"""


def titles() -> list[str]:
    """Some hundreds of real titles, a few in Chinese, with many equally frequent word pieces."""
    events = map(json.loads, excerpt_lines(3000))
    return [
        *{event["title"] for event in events if "title" in event},
        "红色 杯子",
        "蓝色 杯子 set",
        "红茶",
    ]


def pieces(text: str) -> list[str]:
    return TOKENIZER.encode(text, add_special_tokens=False).tokens


def sides(context: int, item: int, most: int) -> list[int]:
    """Count the tokens left of each side, special tokens excluded."""
    ((_, segments),) = encode_pairs(TOKENIZER, [("cups " * context, "red " * item)], most)
    lengths = {segment: len(list(run)) for segment, run in groupby(segments)}
    return [lengths[0] - 2, lengths[1] - 1]


def test_english_is_read_in_small_letters() -> None:
    """Capitals and spaces do not change a word."""
    assert ["red", "woolly", "hottie"] == pieces("RED  Woolly\thottie")


def test_chinese_characters_stand_alone() -> None:
    """A Chinese text is read character by character, with or without spaces, beside English."""
    assert ["红", "色", "杯", "子", "set"] == pieces("红色杯子set")


def test_an_unknown_word_is_unknown_and_costs_no_other() -> None:
    """A word with an unseen letter becomes [UNK], and its neighbours stay."""
    assert ["red", "[UNK]", "set"] == pieces("red жар set")


def test_special_tokens_come_first_in_order() -> None:
    """[PAD] is 0 and the other special tokens follow, as in BERT."""
    assert list(range(5)) == [TOKENIZER.token_to_id(token) for token in SPECIAL]


def test_a_special_token_in_a_title_is_text() -> None:
    """A title's own "[SEP]" or "[PAD]" is read as text, not as a separator or padding."""
    ((ids, _),) = encode_pairs(TOKENIZER, [("red [SEP] cup", "[PAD]")], 64)
    special = [TOKENIZER.token_to_id(token) for token in ("[CLS]", "[SEP]", "[PAD]")]
    assert [1, 2, 0] == [ids.count(one) for one in special]


def test_a_pair_is_told_apart_by_segments() -> None:
    """The context has segment 0 and the item segment 1, each with its [SEP], even when empty."""
    (ids, segments), (empty, none) = encode_pairs(TOKENIZER, [("red cups", "set"), ("", "")], 64)
    cls, sep = TOKENIZER.token_to_id("[CLS]"), TOKENIZER.token_to_id("[SEP]")
    words = [TOKENIZER.token_to_id(word) for word in ("red", "cups", "set")]
    assert ([cls, *words[:2], sep, words[2], sep], [0, 0, 0, 0, 1, 1]) == (ids, segments)
    assert ([cls, sep, sep], [0, 0, 1]) == (empty, none)


@pytest.mark.parametrize(
    ("context", "item", "left"),
    [
        (20, 4, [9, 4]),
        (4, 20, [4, 9]),
        (20, 20, [7, 6]),
        (8, 5, [8, 5]),
        (20, 6, [7, 6]),
        (20, 0, [13, 0]),
    ],
)
def test_the_longer_side_is_cut_first(context: int, item: int, left: list[int]) -> None:
    """Of 16 tokens 13 are for words: the longer side is cut until both are equal, then both are."""
    assert sorted(left) == sorted(sides(context, item, 16))
    assert (context > item) == (left[0] > left[1]) or context == item


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(8, 64))
def test_no_more_is_cut_than_needed(context: int, item: int, most: int) -> None:
    """All room is used, a side within half of it is whole, and cut sides differ by one at most."""
    left, room = sides(context, item, most), most - 3
    assert min(context + item, room) == sum(left)
    assert all(
        count in {of, *range(room // 2, room + 1)}
        for count, of in zip(left, (context, item), strict=True)
    )
    if left[0] < context and left[1] < item:
        assert abs(left[0] - left[1]) <= 1


def test_the_room_may_change_between_calls() -> None:
    """One tokenizer serves a short and then a long limit."""
    assert [5, 13, 5] == [sum(sides(20, 20, most)) for most in (8, 16, 8)]


@pytest.mark.parametrize("seed", range(3))
def test_the_vocabulary_does_not_depend_on_the_order_of_texts(seed: int) -> None:
    """Texts in any order, some of them twice, give the same word pieces with the same numbers."""
    texts = titles()
    again = [*texts, *texts[: 10 * seed]]
    random.Random(seed).shuffle(again)
    assert (
        train_tokenizer(texts, size=500).get_vocab() == train_tokenizer(again, size=500).get_vocab()
    )


def test_the_vocabulary_is_the_same_in_another_process() -> None:
    """Another process, with another hash seed, gives the same word pieces with the same numbers."""
    texts = titles()
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    told = subprocess.run(
        [sys.executable, "-c", TRAIN],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert train_tokenizer(texts, size=500).get_vocab() == json.loads(told.stdout)


@pytest.mark.parametrize("size", [200, 350, 500])
def test_the_vocabulary_keeps_to_its_size(size: int) -> None:
    """The vocabulary has at most as many word pieces as asked for, numbered from 0 without gaps."""
    vocabulary = train_tokenizer(titles(), size).get_vocab()
    assert list(range(len(vocabulary))) == sorted(vocabulary.values())
    assert len(vocabulary) <= size


def test_the_most_frequent_letters_are_kept() -> None:
    """Where characters do not all fit, the most frequent stay, in whatever order they come."""
    rare = [chr(0x4E00 + number) for number in range(300)]
    frequent = [chr(0x7000 + number) for number in range(20)]
    texts = [f"{one}{number}" for one in frequent for number in range(3)] + rare
    vocabulary = train_tokenizer(texts, size=200).get_vocab()
    assert set(frequent) <= set(vocabulary)
    assert not set(rare) <= set(vocabulary)


def test_padding_makes_rows_of_one_length() -> None:
    """All rows are padded to the longest, and every row has its own positions."""
    batch = pad([([2, 7, 3, 8, 3], [0, 0, 0, 1, 1]), ([2, 3, 3], [0, 0, 1])], 9)
    assert [[2, 7, 3, 8, 3], [2, 3, 3, 9, 9]] == batch.ids.tolist()
    assert [[0, 0, 0, 1, 1], [0, 0, 1, 0, 0]] == batch.segments.tolist()
    assert [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]] == batch.mask.tolist()
    assert [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]] == batch.positions.tolist()
    assert {torch.int64} == {
        tensor.dtype for tensor in (batch.ids, batch.segments, batch.mask, batch.positions)
    }


def test_padding_of_one_row_adds_nothing() -> None:
    """A single row gets no padding."""
    assert (1, 3) == pad([([2, 3, 3], [0, 0, 1])], 0).ids.shape
