"""The command line as people and programs use it."""

import csv
import json
from pathlib import Path

import pytest

from mainstem.settings import GROUPS, known, variable
from tests.conftest import Run


def test_sets_count_every_judged_sample(small_home: Path, mainstem: Run) -> None:
    """The counts of `sets` add up to those of the report."""
    report = json.loads((small_home.parent / "report.json").read_text())
    rows = [
        json.loads(line)
        for line in mainstem("sets", "--home", small_home, "--json").stdout.splitlines()
    ]
    assert sum(report["sets"].values()) == sum(row["samples"] for row in rows)
    core = [row["samples"] for row in rows if row["standing"] == "core"]
    assert report["sets"]["core"] == sum(core)
    why = "nothing is called contradictory: nobody has vouched for the labels of the "
    assert why in mainstem("sets", "--home", small_home).stderr


def test_history_tells_visits_and_moves_of_a_sample(small_home: Path, mainstem: Run) -> None:
    """`history` shows a sample, each visit with its importance, and each move with its reason."""
    query = "SELECT sample_id FROM standings_now WHERE standing = 'core' ORDER BY sample_id LIMIT 1"
    sample = json.loads(mainstem("sql", query, "--home", small_home, "--json").stdout)["sample_id"]
    rows = [
        json.loads(line)
        for line in mainstem("history", sample, "--home", small_home, "--json").stdout.splitlines()
    ]
    tables = {
        table: [row for row in rows if row["table"] == table]
        for table in ("sample", "visits", "moves")
    }
    assert 1 == len(tables["sample"])
    assert len(tables["visits"]) >= 2
    norms = [row["norm"] / row["scale"] for row in tables["visits"]]
    assert tables["visits"][-1]["importance"] == pytest.approx(sum(norms) / len(norms), rel=1e-5)
    assert ("", "core") == (tables["moves"][0]["before"], tables["moves"][-1]["standing"])


def test_versions_name_parent_reason_and_quality(small_home: Path, mainstem: Run) -> None:
    """`versions` lists every version with its parent and its AUC on the last part of the log."""
    report = json.loads((small_home.parent / "report.json").read_text())
    rows = [
        json.loads(line)
        for line in mainstem("versions", "--home", small_home, "--json").stdout.splitlines()
    ]
    assert [None, *range(len(rows) - 1)] == [row["parent"] for row in rows]
    expected = {one["version"]: one["auc_later"] for one in report["versions"]}
    assert expected == {row["version"]: row["auc_later"] for row in rows}


def test_versions_tell_every_measure_on_slices(small_home: Path, mainstem: Run) -> None:
    """`versions --slices` has the measures of each round and of the last part of the log."""
    report = json.loads((small_home.parent / "report.json").read_text())
    told = mainstem("versions", "--slices", "--home", small_home, "--json").stdout
    rows = [json.loads(line) for line in told.splitlines()]
    later = {row["version"]: row for row in rows if row["slice"] == "later"}
    for one in report["versions"]:
        for name, column in {"auc_later": "auc", "ndcg_10": "ndcg_10", "mrr": "mrr"}.items():
            assert one[name] == later[one["version"]][column]
        assert 0 < one["ndcg_10"] < 1
    newest = later[max(later)]
    assert 0 < newest["calibration_error"] < 0.5
    assert {"gate", "held_out", "later"} <= {row["slice"].split("/")[0] for row in rows}


def test_layers_tell_what_some_of_them_are_worth(small_home: Path, mainstem: Run) -> None:
    """`layers` compares the usual choices at the newest version, and all layers explain it all."""
    usual = [
        json.loads(line)
        for line in mainstem("layers", "--home", small_home, "--json").stdout.splitlines()
    ]
    assert ["head", "last block and head", "all but embeddings"] == [row["layers"] for row in usual]
    assert all(0 < row["explained"] < 1 for row in usual)
    [whole] = [
        json.loads(line)
        for line in mainstem("layers", "*", "--home", small_home, "--json").stdout.splitlines()
    ]
    assert 1 == whole["parameters"]
    assert [1, 1] == [round(whole[name], 6) for name in ("explained", "spearman")]
    refused = mainstem("layers", "nonsense", "--home", small_home)
    assert (1, "") == (refused.returncode, refused.stdout)
    assert refused.stderr.startswith("mainstem: no layer with trained parameters fits 'nonsense'")


def test_sql_answers_people_with_a_table_and_refuses_to_write(
    small_home: Path, mainstem: Run
) -> None:
    """`sql` prints a header and rows, and refuses to write."""
    asked = mainstem("sql", "SELECT 1 AS one, 'a' AS letter", "--home", small_home)
    assert "one\tletter\n1\ta\n" == asked.stdout
    refused = mainstem("sql", "DROP TABLE samples", "--home", small_home)
    assert 1 == refused.returncode
    assert refused.stderr.startswith("mainstem: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nope",),
        ("replay",),
        ("replay", "log.jsonl", "--partitions", "0"),
        ("history", "not-an-id"),
        ("demo", "--plant", "0.9"),
        ("import", "nobodys-format", "x"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(arguments: tuple[str, ...], mainstem: Run) -> None:
    """Wrong use is one line on stderr and exit code 2."""
    done = mainstem(*arguments)
    assert (2, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    assert done.stderr.startswith("mainstem: ")


def test_a_wrong_setting_is_one_line_and_exit_code_2(mainstem: Run) -> None:
    """The error for an unknown or unreadable setting names it."""
    unknown = mainstem("settings", env={"MAINSTEM_GRACES": "5m"})
    unreadable = mainstem("settings", env={"MAINSTEM_JOIN__GRACE": "5"})
    assert (2, 2) == (unknown.returncode, unreadable.returncode)
    assert "MAINSTEM_GRACES" in unknown.stderr
    assert "like '90s'" in unreadable.stderr


def test_settings_show_what_the_environment_says(mainstem: Run) -> None:
    """`settings --json` has the default and the value of each setting."""
    found = json.loads(mainstem("settings", "--json", env={"MAINSTEM_JOIN__GRACE": "5m"}).stdout)
    grace = found["MAINSTEM_JOIN__GRACE"]
    assert ("10m", "5m") == (grace["default"], grace["value"])


def test_settings_of_a_home_are_those_it_was_made_with(
    small_home: Path, tmp_path: Path, mainstem: Run
) -> None:
    """`settings --home` has the values of the home, not of the environment; no home is an error."""
    made_with = json.loads((small_home / "settings.json").read_text())
    options = ("settings", "--home", small_home)
    env = {"MAINSTEM_STANDING__JUDGE_EVERY": "77"}
    found = json.loads(mainstem(*options, "--json", env=env).stdout)
    kept = found["MAINSTEM_STANDING__JUDGE_EVERY"]["value"]
    assert kept == str(made_with["standing.judge_every"]) != "77"
    assert f"judge_every = {kept}\n" in mainstem(*options, "--write", env=env).stdout
    refused = mainstem("settings", "--home", tmp_path)
    assert (1, "") == (refused.returncode, refused.stdout)
    assert refused.stderr.startswith(f"mainstem: {str(tmp_path)!r} is no home of mainstem")


def test_a_misspelt_option_gets_its_likely_name(mainstem: Run) -> None:
    """The question for the option that was meant is a sentence of its own."""
    done = mainstem("settings", "--hom", "x")
    assert done.stderr.startswith(
        "mainstem: No such option: --hom. Did you mean --home? `mainstem --help` or "
    )


def test_settings_are_told_group_by_group(mainstem: Run) -> None:
    """`settings` lists each group in a line, followed by its variables."""
    lines = mainstem("settings", defaults=True).stdout.splitlines()
    assert [f"[{group}] {kind.__doc__}" for group, kind in GROUPS.items()] == [
        one for one in lines if one.startswith("[")
    ]
    assert [variable(name) for name in known()] == [
        one.split("\t")[0] for one in lines if one.startswith("MAINSTEM_")
    ]


def test_settings_are_written_and_read_again(tmp_path: Path, mainstem: Run) -> None:
    """`settings --write` prints a file that the next command reads, and a variable overrides it."""
    environment = {"MAINSTEM_JOIN__GRACE": "5m", "MAINSTEM_RUN__SEED": "3"}
    written = mainstem("settings", "--write", defaults=True, env=environment)
    (tmp_path / "mainstem.toml").write_text(written.stdout)
    other = {"MAINSTEM_RUN__SEED": "4"}
    done = mainstem("settings", "--json", defaults=True, cwd=tmp_path, env=other)
    found = json.loads(done.stdout)
    names = ("MAINSTEM_JOIN__GRACE", "MAINSTEM_RUN__SEED")
    assert ["5m", "4"] == [found[name]["value"] for name in names]
    assert "mainstem: settings are read from 'mainstem.toml'\n" == done.stderr
    (tmp_path / "mainstem.toml").write_text("[join]\ngrase = 1\n")
    refused = mainstem("settings", defaults=True, cwd=tmp_path)
    assert (2, 1) == (refused.returncode, len(refused.stderr.splitlines()))
    assert "did you mean join.grace?" in refused.stderr


def test_import_makes_a_log_and_says_what_it_left_out(tmp_path: Path, mainstem: Run) -> None:
    """`import online-retail` reads the source's CSV and reports counts and reasons."""
    source, log = tmp_path / "online_retail.csv", tmp_path / "log.jsonl.gz"
    header = [
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    ]
    rows = [
        [
            "536365",
            "85123A",
            "T-LIGHT HOLDER",
            "6",
            "12/1/2010 8:26",
            "2.55",
            "17850",
            "United Kingdom",
        ],
        ["536366", "POST", "POSTAGE", "1", "12/1/2010 8:27", "18.00", "17850", "France"],
        [
            "C536367",
            "85123A",
            "T-LIGHT HOLDER",
            "-1",
            "12/1/2010 8:28",
            "2.55",
            "17850",
            "United Kingdom",
        ],
    ]
    with source.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    done = mainstem("import", "online-retail", source, "-o", log)
    assert 0 == done.returncode
    assert "1 item, 1 purchase, 1 return" in done.stderr
    assert "left out 1 row: not an item" in done.stderr
    replayed = json.loads(
        mainstem("replay", log, "--home", tmp_path / "home", "--no-learn", "--json").stdout
    )
    assert (1, 1) == (replayed["ledger"]["question"], replayed["ledger"]["outcome"])


def test_a_home_in_use_says_by_whom(small_home: Path, mainstem: Run) -> None:
    """The error of a second process on a home names the process that holds it."""
    import os

    from mainstem.embedded.home import HomeFolder

    with HomeFolder(small_home, create=False):
        done = mainstem("sets", "--home", small_home)
    assert 1 == done.returncode
    assert f"in use by process {os.getpid()}" in done.stderr


def test_a_home_that_holds_other_things_is_left_alone(
    tmp_path: Path, small_log: Path, mainstem: Run
) -> None:
    """A folder with other files is not used as a home."""
    (tmp_path / "letter.txt").write_text("dear")
    done = mainstem("replay", small_log, "--home", tmp_path, "--from-start")
    assert 1 == done.returncode
    assert "holds other things" in done.stderr
    assert ["letter.txt"] == [path.name for path in tmp_path.iterdir()]


def test_a_failed_start_does_not_spoil_the_home(
    tmp_path: Path, small_log: Path, mainstem: Run
) -> None:
    """After a mistyped log the same home accepts the right one."""
    home, short = tmp_path / "home", tmp_path / "short.jsonl"
    short.write_bytes(b"".join(small_log.read_bytes().splitlines(keepends=True)[:100]))
    assert 1 == mainstem("replay", tmp_path / "shrot.jsonl", "--home", home).returncode
    assert 0 == mainstem("replay", short, "--home", home, "--no-learn").returncode


def test_programs_bring_their_commands_by_entry_point(tmp_path: Path, mainstem: Run) -> None:
    """Sub-commands of an installed program appear without the library knowing it."""
    info = tmp_path / "shop_program-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-program\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mainstem.commands]\nshop = shop_program:app\n")
    (tmp_path / "shop_program.py").write_text(
        "import typer\napp = typer.Typer()\n@app.callback()\ndef group(): pass\n"
        "@app.command()\ndef greet():\n    'Say hello.'\n    print('hello')\n"
    )
    done = mainstem("shop", "greet", env={"PYTHONPATH": str(tmp_path)})
    assert "hello\n" == done.stdout
