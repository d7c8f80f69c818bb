import pytest
from kfp import dsl, local

from components.__main__ import main
from components.data.validate_dataset.component import validate_dataset


def test_the_wrapper_runs_by_hand(draft, tmp_path, monkeypatch):
    monkeypatch.setenv("OBJECT_STORE_URL", draft.objects.url)
    options = {"--snapshot": draft.write(), "--page": tmp_path / "page.html"}
    options |= {"--metrics": tmp_path / "metrics.json", "--min-images": 8}
    flat = [str(part) for option in options.items() for part in option]

    assert main(["validate_dataset", *flat]) == "ok"
    assert (tmp_path / "page.html").exists()


@pytest.mark.filterwarnings("ignore:You may be attemping:RuntimeWarning")
def test_the_wrapper_runs_as_kubeflow_runs_it(draft, tmp_path, monkeypatch):
    monkeypatch.setenv("OBJECT_STORE_URL", draft.objects.url)

    @dsl.pipeline
    def validated(folder: str) -> str:
        imported = dsl.importer(artifact_uri=folder, artifact_class=dsl.Dataset)
        return validate_dataset(snapshot=imported.output, min_images=1).outputs["Output"]

    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "root"))

    assert validated(folder=str(draft.write())).output == "ok"
