"""The broker's jars, as Apache publishes them on Maven Central: 43 MB, fetched once, kept in the user's cache folder."""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from mainstem.errors import BrokerError

__all__ = ["fetch_jars", "jars_folder", "missing"]

_VERSION: Final = "4.1.0"
_JAVA: Final = 17
_POM: Final = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>kafka-jars</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{_VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"""


def jars_folder() -> Path:
    """Where the broker's jars are kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "mainstem" / f"kafka-{_VERSION}"


def fetch_jars() -> None:
    """Fetch the broker's jars where they are not there; a killed fetch leaves nothing half, and two at once are no harm.

    Raises:
        BrokerError: if Maven cannot fetch them.
    """
    jars = jars_folder()
    if jars.is_dir():
        return
    jars.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix="fetching-") as name:
        work = Path(name)
        (work / "pom.xml").write_text(_POM)
        command = ["mvn", "-B", "-q", "dependency:copy-dependencies", "-DoutputDirectory=jars"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            msg = f"Maven cannot fetch Kafka {_VERSION}; it says:\n{(done.stdout + done.stderr)[-2000:]}"
            raise BrokerError(msg)
        try:
            (work / "jars").rename(jars)
        except OSError:  # another process was faster, and its folder is not empty
            if not jars.is_dir():
                raise


def missing() -> list[str]:
    """What a broker needs and is not there, each with how to get it."""
    lacking = []
    if (found := _java_version()) < _JAVA:
        got = f"; got {found}" if found else ""
        lacking.append(
            f"java ({_JAVA} or newer{got}): apt-get install openjdk-17-jre-headless, or https://adoptium.net"
        )
    if not jars_folder().is_dir() and not shutil.which("mvn"):
        lacking.append(
            "mvn (Maven, once, to fetch Kafka): apt-get install maven, or https://maven.apache.org/download.cgi"
        )
    if importlib.util.find_spec("kafka") is None:
        lacking.append("kafka-python: pip install 'mainstem[kafka]'")
    return lacking


def _java_version() -> int:
    """Feature release of the `java` on PATH, as 17; 0 where there is none."""
    if not shutil.which("java"):
        return 0
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S607
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0
