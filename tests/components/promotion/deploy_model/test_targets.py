import os
import signal

import pytest

from components.promotion.deploy_model.server import ServerTarget
from components.promotion.deploy_model.targets import ADDRESSES, target_from
from components.shared.contracts.errors import UserError
from components.shared.contracts.policy import RolloutPolicy
from components.shared.contracts.stopping import leaving_on_sigterm


def test_a_target_is_the_laptops_unless_said_otherwise(tmp_path):
    environment = {"MODEL_ROOT": str(tmp_path), **dict.fromkeys(ADDRESSES, "http://127.0.0.1:9")}

    assert isinstance(target_from(environment, RolloutPolicy()), ServerTarget)


def test_an_unknown_target_is_refused():
    with pytest.raises(UserError, match="DETECTOR_TARGET is 'moon', expected 'server'"):
        target_from({"DETECTOR_TARGET": "moon"}, RolloutPolicy())


def killed_twice(put_back):
    with leaving_on_sigterm():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            put_back.append(True)


def test_the_first_sigterm_lets_things_be_put_back_and_a_second_does_not_disturb():
    before, put_back = signal.getsignal(signal.SIGTERM), []

    with pytest.raises(SystemExit, match="stopped by SIGTERM"):
        killed_twice(put_back)

    assert put_back
    assert signal.getsignal(signal.SIGTERM) == before
