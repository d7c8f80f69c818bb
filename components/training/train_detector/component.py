"""Define the Kubeflow component `train_detector`."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("trainer"), install_kfp_package=False)
def train_detector(
    snapshot: dsl.Input[dsl.Dataset],
    champion: dsl.Input[dsl.Model],
    trained: dsl.Output[dsl.Model],
    curves: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
    start: str = "scratch",
    size: str = "pico",
    image_size: int = 320,
    epochs: str = "auto",
    batch_size: int = 8,
    learning_rate: float = 0.003,
    seed: int = 0,
    workers: int = 2,
    launcher: str = "local",
    recipe: str = "",
    trial: bool = False,
) -> None:
    """Train a detector on a snapshot, or fetch it if the same was trained before.

    Args:
        snapshot: Laid out as `contracts.snapshot.SnapshotLayout`.
        champion: The model in service, as `contracts.model.RegisteredLayout`, or absent.
        trained: Laid out as `contracts.model.TrainedLayout`, or absent.
        curves: Losses and precision over the epochs.
        metrics: Metrics of the best epoch.
        start: `scratch`, or `champion` to fine-tune the champion's weights.
        size: pico, nano or small; fine-tuning keeps the champion's.
        image_size: Long side of the network's input in pixels.
        epochs: Passes over the training split; `auto` derives it from the amount of data.
        batch_size: Images a step, over all workers together.
        learning_rate: Peak rate, reached after warm-up.
        seed: Seed of initial weights, order of images and augmentation.
        workers: Number of processes that train together.
        launcher: `local`, `tfjob` or `trainjob`; TRAINING_WORKERS describes the pods.
        recipe: YAML of more settings, instead of the defaults.
        trial: Whether invalid settings give an absent model instead of an error.
    """
    import os
    from functools import partial
    from pathlib import Path

    from components.shared.contracts.choices import AUTO, number_or
    from components.shared.settings.policy_file import policy_from
    from components.shared.store.objects import Objects
    from components.shared.store.tracking import track
    from components.training.train_detector.launchers.choose import launcher_named
    from components.training.train_detector.plan.recipe import attempt, with_recipe
    from components.training.train_detector.report.mlflow_run import mlflow_run
    from components.training.train_detector.report.page import write_training_page
    from components.training.train_detector.train import numbers_of, train

    chosen = partial(
        with_recipe, recipe, start=start, size=size, image_size=image_size,
        epochs=number_or(AUTO, epochs, "epochs"), batch_size=batch_size,
        learning_rate=learning_rate, seed=seed, workers=workers,
    )  # fmt: skip
    folders = (Path(snapshot.path), Path(champion.path), Path(trained.path))
    objects = Objects(os.environ["OBJECT_STORE_URL"])
    launch = launcher_named(launcher, os.environ)
    epochs_by = policy_from(os.environ).training
    info = attempt(
        lambda: train(*folders, chosen(), objects, launch, epochs_by), folders[-1], trial=trial
    )
    write_training_page(Path(trained.path), Path(curves.path))
    for name, value in numbers_of(info).items():
        metrics.log_metric(name, value)
    track(os.environ, *mlflow_run(Path(trained.path), info, Path(curves.path)))
