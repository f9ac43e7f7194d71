"""Fetches the jars of the broker, 43 MB, once from Maven Central into the user's cache folder."""

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
_JAVA: Final = 17  # oldest release of Java that the broker runs on
_POM: Final = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>kafka-jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""


def jars_folder() -> Path:
    """The folder that keeps the broker's jars."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "mainstem" / f"kafka-{_VERSION}"


def fetch_jars() -> None:
    """Fetch the broker's jars if they are missing.

    A fetch that is killed leaves no incomplete folder, and two fetches may run at once.

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
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=work, capture_output=True, text=True, check=False
        )
        if done.returncode:
            output = (done.stdout + done.stderr)[-2000:]
            msg = f"Maven cannot fetch Kafka {_VERSION}; it says:\n{output}"
            raise BrokerError(msg)
        try:
            (work / "jars").rename(jars)
        except OSError:  # another process was faster, and the folder it made is not empty
            if not jars.is_dir():
                raise


def missing() -> list[str]:
    """List what a broker needs and this machine lacks, each with how to get it."""
    lacking = []
    if (found := _java_version()) < _JAVA:
        got = f"; got {found}" if found else ""
        lacking.append(
            f"java ({_JAVA} or newer{got}): "
            "apt-get install openjdk-17-jre-headless, or https://adoptium.net"
        )
    if not jars_folder().is_dir() and not shutil.which("mvn"):
        lacking.append(
            "mvn (Maven, once, to fetch Kafka): "
            "apt-get install maven, or https://maven.apache.org/download.cgi"
        )
    if importlib.util.find_spec("kafka") is None:
        lacking.append("kafka-python: pip install 'mainstem[kafka]'")
    return lacking


def _java_version() -> int:
    """Feature release of the `java` on PATH, such as 17; 0 if there is none."""
    if not shutil.which("java"):
        return 0
    done = subprocess.run(
        ["java", "-version"],  # noqa: S607 - the one on PATH
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r'version "(\d+)', done.stderr)  # Java prints its version to stderr
    return int(found[1]) if found else 0
