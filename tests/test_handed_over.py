"""Rooms and programs exchange values of the join, and structs."""

import ast

import pytest

from tests.test_arrows import LIBRARY, STREAMS, TRAINER, files, imported


@pytest.mark.parametrize(
    "folder", ["learning/training", "learning/evaluation", "models", "responses", "objectives"]
)
def test_training_and_models_do_not_know_the_store(folder: str) -> None:
    """Rooms that compute receive their samples and never import the store."""
    found = [
        path.name
        for path in files(LIBRARY / folder)
        for name in imported(path)
        if name.startswith("mainstem.store")
    ]
    assert [] == found


def test_what_goes_to_a_topic_is_a_struct() -> None:
    """Programs encode no mapping of their own: a record is one of the messages or an event."""
    programs = [
        *files(LIBRARY / "kafka"),
        *files(TRAINER),
        *(path for path in files(STREAMS) if path.parent == STREAMS),
    ]
    found = [
        path.name
        for path in programs
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in {"encode", "dumps"}
        and any(isinstance(one, ast.Dict | ast.DictComp) for one in node.args)
    ]
    assert [] == found
