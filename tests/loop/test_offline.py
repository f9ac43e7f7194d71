"""A replay without `--model` uses no network."""

from pathlib import Path

from tests.conftest import Run, excerpt_lines

FORBID = """
import socket

def refuse(self, address, *more):
    if self.family != socket.AF_UNIX:
        raise RuntimeError(f"a socket was opened to {address!r}")

socket.socket.connect = refuse
socket.socket.connect_ex = refuse
socket.socket.bind = refuse

def no_names(*names, **more):
    raise RuntimeError(f"a name was looked up: {names!r}")

socket.getaddrinfo = no_names
"""


def test_a_replay_opens_no_socket(tmp_path: Path, mainstem: Run) -> None:
    """A replay with its own model neither connects to a host nor looks up a name."""
    (tmp_path / "sitecustomize.py").write_text(FORBID)
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(excerpt_lines(300)))
    environment = {"PYTHONPATH": str(tmp_path), "MAINSTEM_LEARNING__ROUND_EVERY": "150"}
    done = mainstem("replay", log, "--home", tmp_path / "home", "--json", env=environment)
    assert done.returncode == 0, done.stderr


def test_an_unreachable_hub_is_one_line_that_names_the_local_path(
    tmp_path: Path, mainstem: Run
) -> None:
    """A model that cannot be downloaded is reported in one line that suggests a local path."""
    (tmp_path / "sitecustomize.py").write_text(FORBID.replace("RuntimeError", "OSError"))
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"".join(excerpt_lines(50)))
    environment = {"PYTHONPATH": str(tmp_path), "HF_HUB_DISABLE_TELEMETRY": "1"}
    done = mainstem(
        "replay",
        log,
        "--home",
        tmp_path / "home",
        "--model",
        "somebody/no-such-bert",
        env=environment,
    )
    assert done.returncode == 1
    assert "give the path of a folder" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
