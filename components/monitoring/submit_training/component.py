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
    """Ask once for the training that a window needs.

    Args:
        dataset: Whose window it is.
        window: Laid out as `contracts.snapshot.WindowLayout`.
        decision: What was decided; if it is no, nothing is asked for.
        workers: TensorFlow workers that train together.
        launcher: What starts the workers: `local`, `tfjob` or `trainjob`.
        approval: `auto` serves a winner at once; `manual` registers it and waits.
        recipe: YAML of more settings, such as the tune pipeline writes.
        host: URL of Kubeflow Pipelines; without it KFP_HOST, and without that a person
            is told what to start.

    Returns:
        What starts the training, or the run that was started; empty if none is wanted.
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
