"""A program ends when it is asked to, whatever it is doing."""

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
"""A program whose main thread never returns from a call into C, which no signal interrupts."""


@pytest.mark.parametrize("numbers", [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]])
def test_a_program_in_the_middle_of_a_long_call_ends_in_time(numbers: list[signal.Signals]) -> None:
    """Within ten seconds a busy program ends with code 0 and one line, even if asked twice."""
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
    told = "ended in the middle of its work; input that was not committed will be read again"
    assert [f"mainstem: {told}"] == errors.splitlines()
