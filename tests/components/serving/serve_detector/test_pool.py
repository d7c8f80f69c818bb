import asyncio
import threading

import pytest

from components.serving.serve_detector.pool import Pool
from components.shared.traffic.http_errors import HttpError


def test_one_too_many_is_told_to_come_back():
    gate = threading.Event()

    async def four_of_three():
        pool = Pool(workers=1, waiting=2)
        running = [asyncio.ensure_future(pool.run(gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(HttpError, match="3 requests are waiting") as declined:
            await pool.run(gate.wait)
        gate.set()
        await asyncio.gather(*running)
        pool.close()
        return declined.value

    refusal = asyncio.run(four_of_three())

    assert (refusal.status, refusal.headers) == (503, {"Retry-After": "1"})


def test_a_caller_who_gives_up_keeps_its_place_until_its_work_is_done():
    gate = threading.Event()

    async def give_up():
        pool = Pool(workers=1, waiting=0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pool.run(gate.wait), 0.01)
        with pytest.raises(HttpError):
            await pool.run(gate.wait)
        gate.set()
        await asyncio.sleep(0.05)
        result = await pool.run(lambda: "free again")
        pool.close()
        return result

    assert asyncio.run(give_up()) == "free again"
