"""What tests of a host of Kubeflow Pipelines begin with: no settings of ours, and a run."""

import os

SETTINGS = ("KFP_", "KF_PIPELINES_")  # beginnings of the variables that name a host


def forget_settings(monkeypatch) -> None:
    """Let no setting of whoever runs the tests lead elsewhere."""
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        monkeypatch.delenv(name)


def start_run(client, package, name):
    """Start a run of a compiled pipeline that was not uploaded, and return the host's answer."""
    experiment = client.create_experiment("x").experiment_id
    return client.run_pipeline(experiment, name, pipeline_package_path=str(package))
