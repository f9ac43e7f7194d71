"""The compose file, image and dashboard fit the programs; checked without a Docker engine."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
import jsonschema
import pytest
import yaml

from mainstem.kafka.monitor import address_of
from mainstem.settings import PREFIX, Settings, known, variable
from mainstem.settings.addresses import NAMES
from mainstem.store import Store
from mainstem.store.costs import FEATURES, LATER, ROUND_KINDS, VISIT_KINDS, KeptCost, write_costs
from tests.command_line import command_line as whole_command_line
from tests.command_line import parsed

ROOT: Final = Path(__file__).parents[1]
OBSERVE: Final = ROOT / "streams" / "observe"
COMPOSE: Final = (ROOT / "docker-compose.yml").read_text()
SERVICES: Final[dict[str, dict[str, Any]]] = yaml.safe_load(COMPOSE)["services"]
OURS: Final = {name: one for name, one in SERVICES.items() if one["image"].startswith("mainstem:")}
LASTING: Final = {name: one for name, one in SERVICES.items() if name != "topics"}
PROGRAMS: Final = {name: one for name, one in OURS.items() if name in LASTING}
MONITOR_PATHS: Final = {"/health", "/lag", "/metrics"}
METRICS: Final = {
    "mainstem_closed_until_seconds",
    "mainstem_door_dropped_total",
    "mainstem_door_filled_total",
    "mainstem_events_total",
    "mainstem_hours_published_total",
    "mainstem_hours_repeated_total",
    "mainstem_hours_waiting",
    "mainstem_hours_written_total",
    "mainstem_idle_ticks_total",
    "mainstem_judgements_total",
    "mainstem_lag",
    "mainstem_rebalances_total",
    "mainstem_rounds_total",
    "mainstem_rows_total",
    "mainstem_scored_total",
    "mainstem_snapshots_total",
    "mainstem_uncounted_total",
    "mainstem_version",
    "mainstem_waiting_samples",
    "mainstem_waiting_seconds_total",
}
"""What Prometheus finds, by its names: a counter ends in `_total`."""
PASSES: Final = (*VISIT_KINDS, *ROUND_KINDS, LATER)
COSTS: Final = {
    "Cost by version and kind": (PASSES, "forward_equivalents"),
    "Seconds by version and kind": ((*PASSES, FEATURES), "seconds"),
}
"""Panels of costs: the kinds that they have as columns, and the figure that they show."""


def panels() -> list[dict[str, Any]]:
    """Return the panels of the dashboard that have queries."""
    dashboard = json.loads((OBSERVE / "grafana" / "mainstem.json").read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def asked(key: str) -> list[str]:
    """Return the dashboard's queries to Prometheus (`expr`) or to the history (`rawSql`)."""
    return [target[key] for panel in panels() for target in panel["targets"] if key in target]


def sources() -> str:
    """Return the code of the package."""
    return "\n".join(
        path.read_text()
        for folder in ("src", "streams", "trainer")
        for path in (ROOT / folder).rglob("*.py")
    )


@pytest.fixture(scope="module")
def command_line() -> click.Group:
    """Command line with the commands of the programs."""
    return whole_command_line()


def test_the_compose_file_obeys_the_specification() -> None:
    """The compose file is valid by the schema of the Compose Specification and has no `version`."""
    schema = json.loads((ROOT / "tests" / "compose-spec.json").read_text())
    file = yaml.safe_load(COMPOSE)
    validator = jsonschema.Draft202012Validator(schema)
    assert [] == [f"{error.json_path}: {error.message}" for error in validator.iter_errors(file)]
    assert "version" not in file


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_service_runs_a_command_there_is(name: str, command_line: click.Group) -> None:
    """The command of each of our services exists and takes its options."""
    parsed(command_line, OURS[name]["command"])


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_program_is_asked_for_its_health_where_it_answers(
    name: str, command_line: click.Group
) -> None:
    """Health check, published port and `--http` of a program use one port on every address."""
    service = PROGRAMS[name]
    host, port = address_of(parsed(command_line, service["command"])["http"])
    health = urlsplit(service["environment"]["HEALTH"])
    assert ("0.0.0.0", port, "/health") == (host, health.port, health.path)
    assert [str(port)] == [published.rpartition(":")[2] for published in service["ports"]]
    assert "os.environ['HEALTH']" in " ".join(service["healthcheck"]["test"])


def test_prometheus_asks_every_program_where_it_answers(command_line: click.Group) -> None:
    """Prometheus knows each program of the compose file by its name and port."""
    [job] = yaml.safe_load((OBSERVE / "prometheus.yml").read_text())["scrape_configs"]
    known = {name: one["port"] for one in job["dns_sd_configs"] for name in one["names"]}
    ports = {
        name: address_of(parsed(command_line, one["command"])["http"])[1]
        for name, one in PROGRAMS.items()
    }
    assert ports == known
    assert {"/health", job.get("metrics_path", "/metrics")} <= MONITOR_PATHS


def test_every_variable_of_ours_means_something() -> None:
    """Each `MAINSTEM_` variable of the compose file is a setting or a place with a valid value."""
    given = {
        name: str(value)
        for one in SERVICES.values()
        for name, value in one.get("environment", {}).items()
    }
    ours = NAMES | {variable(name) for name in known()}
    assert set() == {name for name in given if name.startswith(PREFIX)} - ours
    assert "shown" == Settings.from_environment(given).join.questions


def test_every_variable_that_a_user_may_give_is_in_the_example() -> None:
    """The file .env.example has exactly the variables and defaults of the compose file."""
    example = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    taken = dict(re.findall(r"\$\{(\w+)(?::-(\w*)|:\?[^}]*)\}", COMPOSE))
    assert taken == example
    assert COMPOSE.count("${") == len(re.findall(r"\$\{\w+:[-?]", COMPOSE))


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_is_pinned_limited_and_reachable_from_this_machine_only(name: str) -> None:
    """An image has a version, a service has a memory limit, and ports are on 127.0.0.1 only."""
    service = SERVICES[name]
    assert re.search(r":v?\d+\.\d+(\.\d+)+(-\w+)?$", service["image"])
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert [] == [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]


@pytest.mark.parametrize("name", sorted(LASTING))
def test_what_lasts_is_looked_after(name: str) -> None:
    """A lasting service has a health check, restarts, has time to stop and waits for others."""
    service = LASTING[name]
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])
    assert ("unless-stopped", "30s") == (service["restart"], service["stop_grace_period"])
    conditions = {other: one["condition"] for other, one in service.get("depends_on", {}).items()}
    assert {
        other: "service_completed_successfully" if other == "topics" else "service_healthy"
        for other in conditions
    } == conditions


def test_two_scorers_of_one_machine_exclude_each_other() -> None:
    """Both scorers publish the same port, so that they cannot run by accident at the same time."""
    assert ["gpu"] == SERVICES["score-gpu"]["profiles"]
    assert SERVICES["score"]["ports"] == SERVICES["score-gpu"]["ports"] == ["127.0.0.1:6068:6068"]


def test_the_images_are_of_this_version_and_their_targets_exist() -> None:
    """Our images have the package's version as tag and are built from targets of the Dockerfile."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {f"mainstem:{version}", f"mainstem:{version}-cuda"} == {
        one["image"] for one in OURS.values()
    }
    dockerfile = (ROOT / "Dockerfile").read_text()
    targets = set(re.findall(r"^FROM .* AS (\S+)$", dockerfile, re.MULTILINE))
    arguments = set(re.findall(r"^ARG (\w+)=", dockerfile, re.MULTILINE))
    for service in OURS.values():
        assert {service["build"].get("target", "cpu")} <= targets
        assert set(service["build"]["args"]) <= arguments


def test_the_image_gets_what_the_package_is_made_of() -> None:
    """The build of the image gets every path that pyproject.toml refers to."""
    let_through = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = {path.split("/")[0] for path in project["tool"]["setuptools"]["package-dir"].values()}
    files = {
        project["project"]["readme"],
        *project["project"]["license-files"],
        "pyproject.toml",
        "constraints.txt",
    }
    assert folders | files == set(let_through)
    assert [] == [path for path in let_through if not (ROOT / path).exists()]


def test_every_file_that_is_mounted_exists() -> None:
    """Every file that a service mounts from this folder exists."""
    mounts = [mount.split(":")[0] for one in SERVICES.values() for mount in one.get("volumes", [])]
    mounted = [mount for mount in mounts if mount.startswith("./")]
    assert mounted
    assert [] == [mount for mount in mounted if not (ROOT / mount).is_file()]


def test_the_dashboard_asks_sources_there_are() -> None:
    """Each panel uses a provisioned data source, which logs in as the user who can only read."""
    provisioned = yaml.safe_load((OBSERVE / "grafana" / "datasources.yml").read_text())[
        "datasources"
    ]
    sources_of_panels = {
        target["datasource"]["uid"] for panel in panels() for target in panel["targets"]
    }
    assert {one["uid"] for one in provisioned} == sources_of_panels
    assert ["reader"] == [one["jsonData"]["username"] for one in provisioned if "jsonData" in one]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Fresh history."""
    with Store(f"chdb://{tmp_path_factory.mktemp('store')}/history") as store:
        yield store


@pytest.mark.parametrize("sql", asked("rawSql"))
def test_the_dashboards_sql_runs(sql: str, history: Store) -> None:
    """Each query of the dashboard runs unchanged on a fresh history, without macros of Grafana."""
    assert "$" not in sql
    history.ask(sql)


def test_the_dashboard_draws_columns_that_its_sql_gives(history: Store) -> None:
    """The horizontal axis of a panel is a column of its query."""
    drawn = {panel["title"]: panel for panel in panels() if "xField" in panel.get("options", {})}
    assert {"Samples by set", "Samples by set and day", "AUC by version", *COSTS} == set(drawn)
    for title, panel in drawn.items():
        _, columns = history.ask(f"DESCRIBE ({panel['targets'][0]['rawSql']})")
        assert panel["options"]["xField"] in {name for name, *_ in columns}, title


@pytest.mark.parametrize("title", sorted(COSTS))
def test_the_dashboard_shows_what_each_kind_cost(title: str, history: Store) -> None:
    """A panel has a column for each kind of cost, and a row for each version, in order."""
    kinds, figure = COSTS[title]
    history.execute("TRUNCATE TABLE costs")
    made = [
        KeptCost(version, kind, version + 1, 0, 100.0 * version + at, version + at / 8)
        for version in range(12)
        for at, kind in enumerate(kinds)
    ]
    write_costs(history, made)
    [panel] = [one for one in panels() if one["title"] == title]
    header, rows = history.ask(panel["targets"][0]["rawSql"])
    assert ["of_version", *sorted(kinds)] == [header[0], *sorted(header[1:])]
    told = {
        (of, kind): cost for of, *row in rows for kind, cost in zip(header[1:], row, strict=True)
    }
    assert told == {(str(one.version), one.kind): getattr(one, figure) for one in made}
    assert [str(version) for version in range(12)] == [of for of, *_ in rows]


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    """The dashboard shows every metric of the programs and no other."""
    assert METRICS == set(re.findall(r"mainstem_\w+", " ".join(asked("expr"))))


def test_every_metric_is_counted_somewhere() -> None:
    """The programs count every metric, to whose name the client of Prometheus adds `_total`."""
    code = sources()
    assert [] == sorted(name for name in METRICS if f'"{name.removesuffix("_total")}"' not in code)
