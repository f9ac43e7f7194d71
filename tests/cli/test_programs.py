"""Whoever asks a program to end is heard, whatever the program is about."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest

BUSY = """
    import ctypes
    from mainstem.cli.programs import begin, stopping
    begin("127.0.0.1:0")
    stopping()
    held, lock = ctypes.create_string_buffer(64), ctypes.CDLL(None).pthread_mutex_lock
    lock(held)
    print("busy", flush=True)
    lock(held)
"""
"""A program whose main thread is in one call into C for ever, which no signal interrupts."""


@pytest.mark.parametrize("numbers", [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]])
def test_a_program_in_the_middle_of_a_long_call_ends_in_time(numbers: list[signal.Signals]) -> None:
    """It ends within ten seconds, with code 0, and says that it was in the middle of something; once, asked twice too."""
    command = [sys.executable, "-c", textwrap.dedent(BUSY)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert "busy\n" == process.stdout.readline()
            begun = time.monotonic()
            for number in numbers:
                process.send_signal(number)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert time.monotonic() - begun < 10
    assert 0 == process.returncode
    assert [
        "mainstem: ended in the middle of its work; input that was not committed will be read again"
    ] == errors.splitlines()
