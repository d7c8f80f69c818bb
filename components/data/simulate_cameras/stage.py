"""Render the background of a site on one day once, for all its frames."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image

from components.data.simulate_cameras.backdrop import paint_ground, paint_skyline
from components.data.simulate_cameras.camera import HEIGHT, WIDTH, CameraPose, Points
from components.data.simulate_cameras.cutout import Cutout, cutout
from components.data.simulate_cameras.mesh import Pose
from components.data.simulate_cameras.paint import FINE, faces_eye
from components.data.simulate_cameras.places import site_of
from components.data.simulate_cameras.site import Site
from components.data.simulate_cameras.things import Thing, built, sprite

COARSE = 5  # pixels a side of the squares in which light on the ground is computed


@dataclass(frozen=True, eq=False)
class Stage:
    """The rendered background of one camera on one day, without cars and people.

    Attributes:
        site: The place.
        view: From where, as wind and hands have moved the camera that day.
        backdrop: RGB, `FINE` times the frame's size.
        sky: `[H, W]`, 0 to 1: where nothing stands before the sky.
        open_ground: White where no house is.
        cutouts: Objects that may cover a car.
        lamps: `[N, 3]`: where street lamps hang.
        windows: Corners `[4, 2]` in pixels of windows that are lit at night.
        floor: x and y `[H / COARSE, W / COARSE]` of the ground under the pixels.
        depth: `[H]`: metres to the ground along each row.
    """

    site: Site
    view: CameraPose
    backdrop: Image.Image
    sky: Points
    open_ground: Image.Image
    cutouts: tuple[Cutout, ...]
    lamps: Points
    windows: tuple[Points, ...]
    floor: tuple[Points, Points]
    depth: Points


@lru_cache(maxsize=4)
def stage_of(seed: int, camera: int, day: int) -> Stage:
    """Return the stage of a camera on a day, both by number.

    Args:
        seed: Seed of the dataset.
        camera: Number of the camera, from 0.
        day: Day, as the proleptic ordinal of its date.
    """
    site, rng = site_of(seed, camera), np.random.default_rng([seed, camera, day, 1])
    view = CameraPose(
        height=site.view.height,
        pitch=site.view.pitch + float(rng.normal(0, 0.012)),
        pan=site.view.pan + float(rng.normal(0, 0.03)),
        focal=site.view.focal * (1 + float(rng.normal(0, 0.03))),
    )
    things = [*site.things, *_left_about(site, rng)]
    canvas = Image.new("RGBA", (WIDTH * FINE, HEIGHT * FINE))
    paint_ground(canvas, site, view, rng)
    paint_skyline(canvas, view, np.random.default_rng([seed, camera, 2]))
    open_ground = Image.new("L", (WIDTH, HEIGHT), 255)
    for thing in _far_first(thing for thing in things if thing.solid):
        if cut := cutout(view, thing):
            canvas.paste(cut.image, (cut.left * FINE, cut.top * FINE), cut.image)
            open_ground.paste(0, (cut.left, cut.top), cut.shape)
    rows = np.arange(HEIGHT, dtype=float)
    return Stage(
        site=site,
        view=view,
        backdrop=canvas.convert("RGB"),
        sky=1 - np.asarray(canvas.getchannel("A").reduce(FINE), np.float32) / 255,
        open_ground=open_ground,
        cutouts=tuple(
            cut
            for thing in _far_first(thing for thing in things if not thing.solid)
            if (cut := cutout(view, thing))
        ),
        lamps=np.array([t.lamp for t in things if t.lamp is not None]).reshape(-1, 3),
        windows=tuple(_lit_windows(view, things, rng)),
        floor=_floor(view),
        depth=np.hypot(*view.ground(np.full(HEIGHT, WIDTH / 2), rows)),
    )


def _far_first(things: Iterable[Thing]) -> list[Thing]:
    return sorted(things, key=lambda thing: -np.hypot(thing.pose.x, thing.pose.y))


def _left_about(site: Site, rng: np.random.Generator) -> list[Thing]:
    """Return what stands somewhere else each day: boxes, cones, bins, a parked bicycle."""
    spots = [site.walks[int(number)] for number in rng.integers(len(site.walks), size=6)]
    kinds = rng.choice(["box", "cone", "cone", "bin", "bicycle", "bollard"], 6)
    return [
        (sprite if kind == "bicycle" else built)(
            str(kind), Pose(s.x + rng.normal(0, 0.4), s.y), rng
        )
        for kind, s in zip(kinds, spots, strict=True)
    ]


def _lit_windows(view: CameraPose, things: list[Thing], rng: np.random.Generator) -> list[Points]:
    """Return the panes behind which someone is at home; in a booth there always is."""
    found = []
    for thing in things:
        mesh, share = thing.mesh, {"window": 0.3, "glass": 1.0}
        if mesh is None or not share.keys() & set(mesh.roles):
            continue
        pixels, depth = view.project(thing.pose.place(mesh.points))
        facing = faces_eye(view, mesh, thing.pose)
        for face, role in enumerate(mesh.roles):
            corners = slice(mesh.starts[face], mesh.starts[face + 1])
            seen = facing[face] and depth[corners].min() > 2
            if seen and rng.random() < share.get(role, 0.0):
                found.append(pixels[corners])
    return found


def _floor(view: CameraPose) -> tuple[Points, Points]:
    rows, columns = np.mgrid[0 : HEIGHT // COARSE, 0 : WIDTH // COARSE] * float(COARSE) + COARSE / 2
    # what rises over the horizon is lit as what stands just before it
    return view.ground(columns, np.maximum(rows, view.horizon + 8))
