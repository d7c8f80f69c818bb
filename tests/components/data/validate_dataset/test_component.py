import pytest
from kfp import dsl, local

from components.__main__ import main
from components.data.validate_dataset.component import validate_dataset
from components.data.validate_dataset.validate import SnapshotValidationError


def few(folder):
    """Write a policy file that accepts a snapshot of few images, and return its path."""
    file = folder / "policy.yaml"
    file.write_text("validation: {min_images: 1}")
    return str(file)


def test_the_wrapper_runs_by_hand(draft, tmp_path, monkeypatch):
    monkeypatch.setenv("OBJECT_STORE_URL", draft.objects.url)
    monkeypatch.setenv("POLICY", few(tmp_path))
    options = {"--snapshot": draft.write(), "--page": tmp_path / "page.html"}
    options |= {
        "--metrics": tmp_path / "metrics.json",
    }
    flat = [str(part) for option in options.items() for part in option]

    assert main(["validate_dataset", *flat]) == "ok"
    assert (tmp_path / "page.html").exists()


def test_without_a_policy_file_so_few_images_are_refused(draft, tmp_path, monkeypatch):
    monkeypatch.setenv("OBJECT_STORE_URL", draft.objects.url)
    outputs = [f"--page={tmp_path}/page.html", f"--metrics={tmp_path}/metrics.json"]

    with pytest.raises(SnapshotValidationError, match="8 images, expected at least 10"):
        main(["validate_dataset", f"--snapshot={draft.write()}", *outputs])


@pytest.mark.filterwarnings("ignore:You may be attemping:RuntimeWarning")
def test_the_wrapper_runs_as_kubeflow_runs_it(draft, tmp_path, monkeypatch):
    monkeypatch.setenv("OBJECT_STORE_URL", draft.objects.url)
    monkeypatch.setenv("POLICY", few(tmp_path))

    @dsl.pipeline
    def validated(folder: str) -> str:
        imported = dsl.importer(artifact_uri=folder, artifact_class=dsl.Dataset)
        return validate_dataset(snapshot=imported.output).outputs["Output"]

    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "root"))

    assert validated(folder=str(draft.write())).output == "ok"
