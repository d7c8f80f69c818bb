"""Pipelines 2.17 keeps one event for an artifact and a task: no task takes an artifact twice."""

from pathlib import Path

import pytest
import yaml
from kfp import compiler, dsl

from components.data.snapshot_dataset.component import snapshot_dataset
from components.promotion.evaluate_detector.component import evaluate_detector
from components.promotion.fetch_model.component import fetch_model
from pipelines.graphs import GRAPHS, write_package
from pipelines.policy.artifacts import taken_twice
from pipelines.policy.compiled import Compiled


@dsl.component(base_image="core", install_kfp_package=False)
def compare(one: dsl.Input[dsl.Model], other: dsl.Input[dsl.Model]) -> str:
    return ""


@dsl.component(base_image="core", install_kfp_package=False)
def name() -> str:
    return "a"


def found(graph, folder: Path):
    compiler.Compiler().compile(graph, str(folder / "graph.yaml"))
    documents = [*yaml.safe_load_all((folder / "graph.yaml").read_text()), {}]
    return list(taken_twice(Compiled.of("graph", documents)))


@pytest.mark.parametrize("pipeline", GRAPHS)
def test_pipelines_2_17_refuses_an_artifact_twice_and_no_pipeline_of_ours_gives_one(
    pipeline, tmp_path
):
    assert list(taken_twice(Compiled.read(write_package(pipeline, tmp_path)))) == []


def test_the_same_package_as_both_candidates_is_found(tmp_path):
    @dsl.pipeline(name="as-tune-was")
    def graph() -> None:
        snapshot = snapshot_dataset(dataset="a").outputs["snapshot"]
        package = fetch_model(dataset="a", model="challenger").outputs["fetched"]
        champion = fetch_model(dataset="a").outputs["fetched"]
        evaluate_detector(
            snapshot=snapshot, fine_tuned=package, from_scratch=package, champion=champion
        )

    assert found(graph, tmp_path) == [
        ("evaluate-detector", "fetch-model.fetched", ["fine_tuned", "from_scratch"])
    ]


def test_the_same_artifact_is_found_through_conditions_and_loops(tmp_path):
    @dsl.pipeline(name="deep")
    def graph() -> None:
        package = fetch_model(dataset="a").outputs["fetched"]
        with (
            dsl.If(name().output == "a", name="if a"),
            dsl.ParallelFor(["x"], name="each") as _,
        ):
            compare(one=package, other=package)

    assert found(graph, tmp_path) == [
        ("if a/each/compare", "fetch-model.fetched", ["one", "other"])
    ]


def test_what_a_group_hands_on_is_known_by_who_made_it(tmp_path):
    @dsl.pipeline(name="inner")
    def inner(dataset: str = "a") -> dsl.Model:
        return fetch_model(dataset=dataset).outputs["fetched"]

    @dsl.pipeline(name="outer")
    def graph() -> None:
        first, second = inner(), inner()
        compare(one=first.output, other=second.output)
        compare(one=first.output, other=first.output)

    ((path, artifact, inputs),) = found(graph, tmp_path)
    assert (path, artifact, inputs) == ("compare-2", "fetch-model.fetched", ["one", "other"])


def test_an_optional_input_that_is_left_out_is_no_artifact(tmp_path):
    @dsl.pipeline(name="one-candidate")
    def graph() -> None:
        snapshot = snapshot_dataset(dataset="a").outputs["snapshot"]
        package = fetch_model(dataset="a", model="challenger").outputs["fetched"]
        champion = fetch_model(dataset="a").outputs["fetched"]
        evaluate_detector(snapshot=snapshot, from_scratch=package, champion=champion)

    assert found(graph, tmp_path) == []
