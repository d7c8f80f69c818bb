"""Define the kinds of cars by their measures, as of real cars."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The measures of a kind of car, in metres; x counts from the middle, ahead positive.

    Attributes:
        length: From bumper to bumper.
        width: Without mirrors.
        height: Height of the roof.
        nose: Height of the bonnet's front edge.
        belt: Height of the windows' lower edge.
        cowl: x where the windscreen begins.
        roof_front: x where the roof begins.
        roof_rear: x where the roof ends.
        tail: x where the rear window ends.
        sill: Height of the body's lower edge.
        wheel: Radius of a wheel.
        windows: Where the side windows begin and end, as shares of the cabin from its rear.
        share: How common it is.
    """

    length: float
    width: float
    height: float
    nose: float
    belt: float
    cowl: float
    roof_front: float
    roof_rear: float
    tail: float
    sill: float = 0.22
    wheel: float = 0.32
    windows: tuple[tuple[float, float], ...] = ((0.05, 0.48), (0.53, 0.95))
    share: float = 1.0


SHAPES = {
    "hatchback": Shape(
        length=4.05, width=1.77, height=1.48, nose=0.74, belt=0.95,
        cowl=0.98, roof_front=0.32, roof_rear=-1.42, tail=-1.88, share=3,
    ),
    "sedan": Shape(
        length=4.65, width=1.82, height=1.45, nose=0.72, belt=0.94,
        cowl=1.05, roof_front=0.35, roof_rear=-0.95, tail=-1.62, share=3,
    ),
    "estate": Shape(
        length=4.7, width=1.82, height=1.49, nose=0.73, belt=0.95,
        cowl=1.05, roof_front=0.38, roof_rear=-1.95, tail=-2.24, share=2,
        windows=((0.03, 0.27), (0.31, 0.60), (0.64, 0.96)),
    ),
    "suv": Shape(
        length=4.6, width=1.92, height=1.74, nose=0.98, belt=1.1, sill=0.32, wheel=0.37,
        cowl=1.12, roof_front=0.55, roof_rear=-1.75, tail=-2.15, share=3,
        windows=((0.04, 0.25), (0.30, 0.61), (0.66, 0.95)),
    ),
    "city car": Shape(
        length=3.45, width=1.66, height=1.52, nose=0.8, belt=0.98, wheel=0.29,
        cowl=0.92, roof_front=0.35, roof_rear=-1.3, tail=-1.62, share=1.5,
    ),
    "coupe": Shape(
        length=4.35, width=1.84, height=1.31, nose=0.66, belt=0.9, sill=0.18,
        cowl=0.85, roof_front=0.1, roof_rear=-0.75, tail=-1.75, share=1,
        windows=((0.22, 0.40), (0.44, 0.94)),
    ),
    "van": Shape(
        length=5.1, width=1.98, height=2.05, nose=0.98, belt=1.16, sill=0.28, wheel=0.35,
        cowl=1.85, roof_front=1.2, roof_rear=-2.45, tail=-2.52, share=1.2,
        windows=((0.70, 0.955),),
    ),
    "pickup": Shape(
        length=5.3, width=1.94, height=1.8, nose=1.0, belt=1.12, sill=0.36, wheel=0.39,
        cowl=1.15, roof_front=0.6, roof_rear=-0.55, tail=-0.72, share=0.8,
    ),
}  # fmt: skip
