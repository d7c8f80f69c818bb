"""Annotations as tests spell them."""

import json

YAML = "names: [bus, car]\n"
CSV = "image,xmin,ymin,xmax,ymax,class\n"


def coco(*annotations, images=({"id": 1, "file_name": "a.jpg"},)):
    one = {"id": 5, "image_id": 1, "category_id": 1, "bbox": [1, 2, 29, 38]}
    return json.dumps(
        {
            "images": list(images),
            "categories": [{"id": 1, "name": "car"}],
            "annotations": [one | annotation for annotation in annotations or ({},)],
        }
    )
