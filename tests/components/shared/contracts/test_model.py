import json

import pytest

from components.shared.contracts.model import PackageInfo

# A package as it was written before packages said their precision and suppression.
OLD = (
    '{"classes":["car"],"dataset":"toys","files":{},"format":"car-detection/1","lineage":{'
    '"code":"SHA","dataset":"toys","fingerprint":"SHA","seed":0,"settings":{"size":"pico"},'
    '"snapshot":"SHA","start":"scratch"},"postprocessing":{"candidates":1000,'
    '"iou_threshold":0.6,"max_boxes":300,"score_threshold":0.25},"preprocessing":{'
    '"colour_order":"RGB","image_height":64,"image_width":64,"layout":"NCHW","padding":114,'
    '"scale":0.00392156862745098}}\n'
).replace("SHA", "0" * 64)
OLD_DIGEST = "d73d0d4e2775cb13f29b4810e94890d061ec60afca3b8e470687b4e701ff809a"


def test_a_package_of_before_keeps_its_name_and_its_bytes(tmp_path):
    info = PackageInfo.model_validate_json(OLD)
    info.write(tmp_path / "package.json")

    assert info.digest == OLD_DIGEST
    assert (tmp_path / "package.json").read_text() == OLD


@pytest.mark.parametrize("new", [{"precision": "int8"}, {"suppression": "inside"}])
def test_what_is_new_about_a_package_is_in_its_file_and_in_its_name(new, tmp_path):
    info = PackageInfo.model_validate(json.loads(OLD) | new)
    info.write(tmp_path / "package.json")

    assert info.digest != OLD_DIGEST
    assert PackageInfo.read(tmp_path / "package.json") == info


def test_saying_the_default_is_saying_nothing():
    said = json.loads(OLD) | {"precision": "float32", "suppression": "outside"}

    assert PackageInfo.model_validate(said).digest == OLD_DIGEST
