"""Runs a real ClickHouse server on this machine, from a binary that the user provides."""

import http.client
import os
import shutil
from pathlib import Path
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape

from mainstem.errors import StoreError

from .process import LocalProcess, free_ports, is_free, wait_for

__all__ = ["BINARY", "LocalClickHouse", "missing"]

BINARY: Final = "MAINSTEM_CLICKHOUSE_BINARY"
"""Environment variable that names the binary; if it is not set, `clickhouse` on PATH is used."""
_READY_SECONDS: Final = 60.0
_CONFIG: Final = """\
<clickhouse>
  <logger><level>warning</level><console>true</console></logger>
  <listen_host>127.0.0.1</listen_host><http_port>{port}</http_port>
  <path>{data}/</path>
  <tmp_path>{data}/tmp/</tmp_path>
  <user_files_path>{data}/user_files/</user_files_path>
  <mark_cache_size>268435456</mark_cache_size>
  <max_server_memory_usage>4000000000</max_server_memory_usage>
  <shutdown_wait_unfinished>1</shutdown_wait_unfinished>
  <users_config>{users}</users_config><default_profile>default</default_profile>
  <access_control_path>{data}/access/</access_control_path>
</clickhouse>
"""
_USERS: Final = """\
<clickhouse>
  <profiles><default/><readonly><readonly>1</readonly></readonly></profiles>
  <quotas><default/></quotas>
  <users>
    <mainstem>
      <password>{password}</password><networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota><access_management>1</access_management>
    </mainstem>
    <reader>
      <password>{reader}</password><networks><ip>127.0.0.1</ip></networks>
      <profile>readonly</profile><quota>default</quota>
    </reader>
  </users>
</clickhouse>
"""


class LocalClickHouse:
    """A server with its own folder and two users: `mainstem`, and `reader`, who can only read.

    Args:
        folder: folder of the server; it gets clickhouse-data/, clickhouse.log, clickhouse.xml and
            clickhouse-users.xml.
        port: HTTP port; None takes a free one.
        password: password of the user `mainstem`.
        reader: password of the user `reader`.
        binary: path of the binary; None takes the one that `MAINSTEM_CLICKHOUSE_BINARY` names, or
            `clickhouse`.

    Attributes:
        folder: absolute path of the folder.
        port: HTTP port.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        password: str = "mainstem",  # noqa: S107 - reachable from this machine only
        reader: str = "reader",
        binary: str | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.port = port or free_ports(1)[0]
        self._passwords = (password, reader)
        self._config = self.folder / "clickhouse.xml"
        self._process = LocalProcess(
            [_binary(binary), "server", f"--config-file={self._config}"],
            self.folder / "clickhouse.log",
            # without its watchdog the server is one process, so that signals reach it
            {**os.environ, "CLICKHOUSE_WATCHDOG_ENABLE": "0"},
        )

    def url(self, database: str = "mainstem") -> str:
        """URL of a history in a database of this server, with the password of `mainstem`."""
        password = quote(self._passwords[0], safe="")
        return f"clickhouse://mainstem:{password}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """Process id of the server; 0 if it does not run."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._process.alive

    def start(self) -> None:
        """Start the server, and return once it answers; nothing happens if it runs.

        Raises:
            StoreError: if the server does not start. The message quotes the end of its log.
        """
        if self.alive:
            return
        if not is_free(self.port):
            msg = (
                f"port {self.port} is in use by another process; "
                "end that process, or give ClickHouse another port"
            )
            raise StoreError(msg)
        self._configure()
        try:
            self._process.start()
        except OSError as error:
            advice = "; ".join(missing()) or "check that it is a program"
            msg = f"cannot start {self._process.command[0]!r}: {error.strerror}; {advice}"
            raise StoreError(msg) from error
        wait_for(self._process, self._answers, _READY_SECONDS, StoreError)

    def kill(self) -> None:
        """End the server at once (SIGKILL)."""
        self._process.kill()

    def stop(self, seconds: float = 30.0) -> None:
        """Ask the server to end (SIGTERM), and kill it if it still runs after some seconds."""
        self._process.stop(seconds)

    def pause(self) -> None:
        """Pause the server (SIGSTOP)."""
        self._process.pause()

    def resume(self) -> None:
        """Let a paused server go on (SIGCONT)."""
        self._process.resume()

    def _configure(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        users = self.folder / "clickhouse-users.xml"
        password, reader = map(escape, self._passwords)
        users.touch(mode=0o600)
        users.write_text(_USERS.format(password=password, reader=reader))
        data = escape(str(self.folder / "clickhouse-data"))
        self._config.write_text(_CONFIG.format(port=self.port, data=data, users=escape(str(users))))

    def _answers(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            try:
                connection.request("GET", "/ping")
                return connection.getresponse().status == http.HTTPStatus.OK
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            return False


def missing(binary: str | None = None) -> list[str]:
    """List what a server needs and this machine lacks, each with how to get it."""
    wanted = _binary(binary)
    if shutil.which(wanted):
        return []
    how = f"curl https://clickhouse.com/ | sh, then name it in {BINARY} or put it on PATH"
    return [f"{wanted} (ClickHouse): {how}"]


def _binary(given: str | None) -> str:
    return given or os.environ.get(BINARY) or "clickhouse"
