"""The COCO metrics as pycocotools computes them."""

import io
from contextlib import redirect_stdout

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def by_reference(truth, found):
    with redirect_stdout(io.StringIO()):
        theirs = COCO()
        theirs.dataset = truth
        theirs.createIndex()
        evaluation = COCOeval(theirs, theirs.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def as_coco(images, found, classes):
    def row(image, box):
        width, height = box.x_max - box.x_min, box.y_max - box.y_min
        return {"image_id": image, "category_id": classes.index(box.label) + 1, "iscrowd": 0,
                "bbox": [box.x_min, box.y_min, width, height], "area": width * height}  # fmt: skip

    annotations = [row(n, box) for n, image in enumerate(images, 1) for box in image.boxes]
    return {
        "images": [{"id": n, "width": 640, "height": 480} for n in range(1, len(images) + 1)],
        "categories": [{"id": n, "name": name} for n, name in enumerate(classes, 1)],
        "annotations": [each | {"id": n} for n, each in enumerate(annotations, 1)],
    }, [
        row(n, box) | {"score": box.score}
        for n, image in enumerate(images, 1)
        for box in found[image.sha256]
    ]
