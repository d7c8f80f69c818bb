"""KFP component `submit_training`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("data"), install_kfp_package=False)
def submit_training(
    dataset: str,
    window: dsl.Input[dsl.Dataset],
    decision: bool = True,
    workers: int = 2,
    launcher: str = "local",
    approval: str = "auto",
    recipe: str = "",
    host: str = "",
) -> str:
    """Submit the training run of a window once.

    Args:
        dataset: Name of the dataset.
        window: Laid out as `contracts.snapshot.WindowLayout`.
        decision: Whether retraining was decided; if not, nothing is submitted.
        workers: TensorFlow workers that train together.
        launcher: Launcher of the workers: `local`, `tfjob` or `trainjob`.
        approval: `auto` deploys a promoted model at once; `manual` registers it and waits.
        recipe: YAML of more settings, such as the tune pipeline writes.
        host: URL of Kubeflow Pipelines; empty takes KFP_HOST. If both are empty, the command
            for a person to run is recorded.

    Returns:
        The command that starts the training, or the run that was started; empty if none is wanted.
    """
    import os
    from contextlib import closing

    from components.monitoring.submit_training.submit import starter, submit
    from components.shared.contracts.snapshot import WindowInfo, WindowLayout
    from components.shared.store.postgres import connect

    info = WindowInfo.read(WindowLayout(window.path).info)
    chosen = {"workers": workers, "launcher": launcher, "approval": approval, "recipe": recipe}
    start = starter(host or os.environ.get("KFP_HOST", ""), chosen)
    with closing(connect(os.environ["DATABASE_URL"])) as connection:
        return submit(connection, dataset, info, start, wanted=decision)
