from types import SimpleNamespace

import yaml

from pipelines.submit import submit


class Host:
    """Takes a run as Kubeflow would, and keeps what it was given."""

    def create_run_from_pipeline_package(self, package, **options):
        with open(package) as file:
            self.graph = next(yaml.safe_load_all(file))["pipelineInfo"]["name"]
        self.options = options
        return SimpleNamespace(run_id="run-1")


def test_a_submitted_run_is_the_compiled_pipeline_with_its_parameters():
    host = Host()

    run = submit("train", "https://kubeflow", {"dataset": "car-parks", "seed": 3}, client=host)

    assert run == "run-1"
    assert host.graph == "train-car-detector"
    assert host.options["arguments"] == {"dataset": "car-parks", "seed": 3}
    assert host.options["enable_caching"] is False
