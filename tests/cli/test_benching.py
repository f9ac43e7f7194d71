"""`mainstem bench` on the command line."""

import json
from pathlib import Path

from tests.conftest import Run


def test_bench_join_tells_every_stage_of_both_logs(mainstem: Run) -> None:
    """Without a log the excerpt and a simulated shop are measured, with a speed for each stage."""
    done = mainstem("bench", "join", "--events", "1000", "--rounds", "1", "--json")
    assert 0 == done.returncode, done.stderr
    found = json.loads(done.stdout)
    assert ["excerpt", "simulated"] == list(found)
    for one in found.values():
        assert ["decode", "join", "encode", "count"] == list(one["events_a_second"])
        assert min(one["events_a_second"].values()) > 0


def test_bench_join_repeats_a_log_of_ones_own(mainstem: Run, tmp_path: Path) -> None:
    """A given log is repeated until it has the requested number of events."""
    log = tmp_path / "log.jsonl"
    log.write_text(
        '{"type":"view","event_id":"e","user_id":"u","event_timestamp":5,"item_id":"i"}\n'
    )
    done = mainstem("bench", "join", log, "--events", "1500", "--rounds", "1")
    assert 0 == done.returncode, done.stderr
    header, *rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert "events/s" == header[2]
    assert [str(log)] * 4 == [row[0] for row in rows]


def test_bench_join_of_no_log_is_one_line(mainstem: Run, tmp_path: Path) -> None:
    """A missing log is an error in one line."""
    done = mainstem("bench", "join", tmp_path / "none.jsonl")
    assert 1 == done.returncode
    assert done.stderr.startswith("mainstem: cannot read the log")


def test_bench_store_measures_writing_reading_and_features(mainstem: Run) -> None:
    """A temporary history is filled, and each part of the bench has its figures."""
    sizes = ("--rows", 10_000, "--history-rows", 1000, "--counts", 1000, "--rounds", 1)
    done = mainstem("bench", "store", *sizes, "--json")
    assert 0 == done.returncode, done.stderr
    found = json.loads(done.stdout)
    assert 1000 == found["rows"]
    assert 900 < found["counts"] <= 1000
    assert min(found["mainstem"], found["history_ms"], found["features_ms"]) > 0


def test_bench_rescoring_compares_choices_on_a_home(mainstem: Run, small_home: Path) -> None:
    """Each choice has a row for each budget, at the same cost."""
    done = mainstem("bench", "rescoring", "--home", small_home, "--budget", "100", "--json")
    assert 0 == done.returncode, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert ["newest", "random", "oldest visit", "changeable"] == [row["choice"] for row in rows]
    assert {100} == {row["budget"] for row in rows}
    assert all(0 < row["importance"] <= 1 for row in rows)


def test_bench_responses_holds_every_row_against_a_plain_pass(mainstem: Run) -> None:
    """Each row has a ratio to the plain pass and the error of its norms against autograd."""
    rows = ("norm", "norm+direction+sketch64", "last block", "opacus ghost", "torch.func vmap")
    only = [part for row in rows for part in ("--only", row)]
    sizes = ("--model", "2x32", "--batch", 8, "--seq", 16, "--vocabulary", 200, "--rounds", 2)
    done = mainstem("bench", "responses", *sizes, *only, "--json")
    assert 0 == done.returncode, done.stderr
    found = json.loads(done.stdout)
    assert {"plain_ms", "plain", *rows} == set(found)
    assert 1 == found["plain"]["ratio"]
    errors = [found[row]["error"] for row in rows if row != "last block"]
    assert max(errors) < 1e-4
    assert all(found[row]["lowest"] <= found[row]["ratio"] <= found[row]["highest"] for row in rows)


def test_a_peer_that_is_not_there_is_left_out_with_its_reason(
    mainstem: Run, tmp_path: Path
) -> None:
    """Without opacus its rows are left out with the reason, and the others are measured."""
    (tmp_path / "opacus.py").write_text("raise ImportError('not installed here')")
    sizes = ("--model", "1x32", "--batch", 2, "--seq", 8, "--vocabulary", 200, "--rounds", 1)
    only = ("--only", "norm", "--only", "opacus hooks")
    environment = {"PYTHONPATH": str(tmp_path)}
    done = mainstem("bench", "responses", *sizes, *only, "--json", env=environment)
    assert 0 == done.returncode, done.stderr
    assert {"plain_ms", "plain", "norm"} == set(json.loads(done.stdout))
    assert "opacus hooks left out: " in done.stderr


def test_bench_families_holds_each_against_autograd(mainstem: Run) -> None:
    """A family's norms are autograd's and the loss of its round falls; others are named."""
    done = mainstem("bench", "families", "--only", "distilbert", "--only", "mpnet", "--json")
    assert 0 == done.returncode, done.stderr
    rows = json.loads(done.stdout)["rows"]
    modes = ("full", "lora", "head", "blocks")
    assert [(family, mode) for family in ("distilbert", "mpnet") for mode in modes] == [
        (row["family"], row["mode"]) for row in rows
    ]
    assert all(row["parity"] < 1e-5 and row["trains"] and row["seconds"] > 0 for row in rows)
    assert {None} == {row["reason"] for row in rows}
    done = mainstem("bench", "families", "--only", "vit")
    assert 1 <= done.returncode
    assert "no family 'vit' is known here; give one of bert, deberta-v2," in done.stderr


def test_bench_scaling_learns_the_same_on_two_processes(mainstem: Run) -> None:
    """Each number of processes has its speed, and after 20 steps no logit is 1e-5 away."""
    done = mainstem("bench", "scaling", "--json")
    assert 0 == done.returncode, done.stderr
    found = json.loads(done.stdout)
    on_cpu = [row for row in found["rows"] if row["device"] == "cpu"]
    assert [1, 2] == [row["processes"] for row in on_cpu]
    assert all(row["samples_s"] > 0 for row in found["rows"])
    assert found["parity"] <= 1e-5


def test_bench_rounds_counts_no_more_passes_in_a_longer_log(mainstem: Run) -> None:
    """With reservoirs evaluation and scale stay as they are, and without they grow with the log."""
    done = mainstem("bench", "rounds", "--quick", "--json")
    assert 0 == done.returncode, done.stderr
    cells = json.loads(done.stdout)["cells"]
    assert [(2000, "reservoirs"), (2000, "all"), (4000, "reservoirs"), (4000, "all")] == [
        (one["samples"], one["trusted"]) for one in cells
    ]
    for one in cells:
        parts = one["evaluation"], one["scale"], one["scored_again"]
        assert one["passes"] == sum(parts)
        assert 0 < one["a_new_sample"] < one["passes"]
    # two models on 50 gate samples, and a thousand held out but for direction and gate
    short, _, long, every = cells
    assert max(short["evaluation"], long["evaluation"]) <= 2 * (50 + 1000)
    assert every["evaluation"] > long["evaluation"]
    assert every["scale"] > 2 * long["scale"]


def test_bench_evidence_needs_homes_and_names_its_streams(mainstem: Run, tmp_path: Path) -> None:
    """Without homes it says how they are made, and an unknown stream is answered with all names."""
    done = mainstem("bench", "evidence", "--homes", tmp_path, "--seeds", "1")
    assert 2 == done.returncode
    assert "run with --prepare first" in done.stderr
    assert "0 homes to measure: about 0 minutes" in done.stderr
    done = mainstem("bench", "evidence", "--only", "nobody")
    assert 2 == done.returncode
    assert "'habits'" in done.stderr


def test_bench_evidence_quick_measures_two_small_streams(mainstem: Run) -> None:
    """Both have cells without and with trusted samples, and the claims are all eight rows."""
    done = mainstem("bench", "evidence", "--quick", "--json")
    assert 0 == done.returncode, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    keys = {"stream", "evidence", "trusted", "seed", "auroc", "ap", "called", "found", "false"}
    keys |= {"core_wrong", "edge_wrong", "all_wrong", "auc_true"}
    assert all(keys <= set(one) for one in found["cells"])
    assert 2 == len({one["stream"] for one in found["cells"]})
    assert {0, 200, 500} == {one["trusted"] for one in found["cells"]}
    claims = {"name", "now", "reach", "mean", "low", "high", "holds"}
    assert [True] * 8 == [claims <= set(one) for one in found["claims"]]
    assert "2 homes to make: about 1 minutes" in done.stderr


def test_bench_cost_quick_holds_four_policies_against_each_other(
    mainstem: Run, tmp_path: Path
) -> None:
    """Cells tell what they cost, streams their ratio, and a second run finds all cells done."""
    done = mainstem("bench", "cost", "--quick", "--folder", tmp_path, "--json")
    assert 0 == done.returncode, done.stderr
    assert "8 cells x " in done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    keys = {"stream", "policy", "draw", "epochs", "seed", "auc_true", "cost"}
    assert all(keys <= set(one) for one in found["cells"])
    assert (4, 2) == tuple(len({one[of] for one in found["cells"]}) for of in ("policy", "seed"))
    [(stream, ratio)] = found["cost_ratio"].items()
    assert {"mean", "low", "high"} == set(ratio) == set(found["equal_cost"][stream])
    assert 0.5 < found["target"][stream] < 1
    kinds = {"score", "rescore", "train", "features", "tokens", "seconds"}
    assert all(kinds == set(one["cost"]) for one in found["cells"])
    ours = [one["cost"]["score"] > 0 for one in found["cells"] if "mainstem" in one["policy"]]
    others = [one["cost"]["score"] for one in found["cells"] if "mainstem" not in one["policy"]]
    assert ([True] * 2, [0] * 6) == (ours, others)
    assert 9 == len((tmp_path / "cost.csv").read_text().splitlines())
    assert stream in (tmp_path / "cost.html").read_text()
    again = mainstem("bench", "cost", "--quick", "--folder", tmp_path, "--json")
    assert "cells x " not in again.stderr
    assert found == json.loads(again.stdout.splitlines()[-1])


def test_bench_selection_quick_holds_claims_to_six_policies(mainstem: Run, tmp_path: Path) -> None:
    """Cells tell what was found and paid, and a second run finds all cells done."""
    asked = ("bench", "selection", "--quick", "--folder", tmp_path, "--json")
    done = mainstem(*asked)
    assert 0 == done.returncode, done.stderr
    assert "12 cells x " in done.stderr
    found = json.loads(done.stdout)
    told = {"stream", "policy", "budget", "seed", "auc_true", "worst_slice", "cost", "auroc", "ap"}
    told |= {"precision", "recall", "f1", "coverage"}
    assert all(told <= set(one) for one in found["cells"])
    assert (6, 2) == tuple(len({one[of] for one in found["cells"]}) for of in ("policy", "seed"))
    assert {0.3, 1.0} == {one["budget"] for one in found["cells"]}
    scored = {one["policy"] for one in found["cells"] if one["cost"]["score"]}
    assert scored == {one["policy"] for one in found["cells"] if one["auroc"] is not None}
    claims = {"name", "now", "reach", "mean", "low", "high", "wins", "seeds", "holds", "why"}
    assert [True] * 4 == [claims <= set(one) for one in found["claims"]]
    measured = [one["mean"] is not None for one in found["claims"]]
    assert measured == [one["why"] is None for one in found["claims"]]
    assert [True, False, False, True] == measured
    assert ([], None) == (found["faithfulness"], found["reliability"])
    assert 13 == len((tmp_path / "selection.csv").read_text().splitlines())
    assert {} == found["not_run"]
    told = {"stream", "policy", "cost", "auc_true", "low", "high", "coverage"}
    assert [True] * 6 == [told <= set(one) for one in found["policies"]]
    assert "Claims" in (tmp_path / "selection.html").read_text()
    again = mainstem(*asked)
    assert "cells x " not in again.stderr
    assert found == json.loads(again.stdout)


def test_bench_selection_names_the_streams_and_those_without_data(
    mainstem: Run, tmp_path: Path
) -> None:
    """A stream without its data is left out with the reason; the error names all others."""
    done = mainstem("bench", "selection", "--only", "nowhere", "--folder", tmp_path)
    assert 0 != done.returncode
    for line in (
        "human labels: not run, because --data names no folder that holds noisy_agnews_10k",
        "from grades: not run, because --data names no folder that holds homedepot_relevance",
        "no stream is named like ['nowhere']",
        "'shop with habits'",
        "'two thirds of the yes wrong'",
    ):
        assert line in " ".join(done.stderr.split())


def test_bench_selection_has_no_quick_screen(mainstem: Run) -> None:
    """The two ask for different streams and policies."""
    done = mainstem("bench", "selection", "--quick", "--screen")
    assert 2 == done.returncode
    assert "--quick has no screen" in done.stderr


def test_bench_selection_leaves_groups_out_of_its_own_case_only(mainstem: Run) -> None:
    """Neither --quick nor --screen measures faithfulness, so asking for both is refused."""
    for other in ("--quick", "--screen"):
        done = mainstem("bench", "selection", other, "--faithfulness")
        assert 2 == done.returncode
        assert "--quick and --screen leave no groups out" in " ".join(done.stderr.split())
