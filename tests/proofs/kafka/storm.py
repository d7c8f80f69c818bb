"""The scenario of kills: ingesters and brokers, while events come; each must be stored once."""

import random
import time
from collections.abc import Iterator

from tests.proofs.kafka.ending import Load
from tests.proofs.kafka.lake import Lake
from tests.proofs.kafka.place import Place
from tests.proofs.table import Check, equal, stated
from tests.support.waiting import await_true

EVENTS, KILLS, BROKERS = 12_000, 20, 3
STORED_S = 60.0  # at most until a new ingester stores its first batch
RATE = 400.0  # messages a second: a share of them lasts longer than a kill is away
LONG_S = 300.0
STORED = """
SELECT count(*), count(DISTINCT event_id), count(DISTINCT (topic, partition, "offset"))
FROM bronze.events
"""


def exactly_once(place: Place) -> Iterator[Check]:
    """Each of 12,000 events is stored once, though ingesters and brokers are killed meanwhile."""
    moments = random.Random(3)
    stored = allowed = 0
    with Load(place.servers, RATE, most=0) as load:
        for number in range(KILLS):
            ingester = place.ingester()
            load.most = allowed = allowed + EVENTS // KILLS
            stored += _stores(place.lake)
            _change_brokers(place, number)
            time.sleep(moments.uniform(0, 1))
            ingester.kill()
        await_true(lambda: load.sent == EVENTS, LONG_S)
    yield equal(f"{KILLS} ingesters killed, of them while they stored", stored, KILLS)
    yield stated("brokers killed in turn", f"{BROKERS} of {BROKERS}")
    code = place.ingester("--until-caught-up").ends_within(LONG_S)
    yield equal("the last one until caught up, exit code", code, 0)
    ((rows, ids, places),) = place.lake.ask(STORED)
    ((meant,),) = place.lake.ask("SELECT count(*) FROM silver.labels")
    yield equal(f"events lost of {EVENTS:,}", EVENTS - ids, 0)
    yield equal("events doubled", (rows - ids, rows - places, meant - ids), (0, 0, 0))
    yield equal("in quarantine", sum(place.lake.quarantined().values()), 0)


def _stores(lake: Lake) -> bool:
    """Wait until more is stored than now; say whether it is."""
    before = lake.events()
    return await_true(lambda: lake.events() > before, STORED_S)


def _change_brokers(place: Place, number: int) -> None:
    """Kill a broker at the first ingester of each third, start it again four ingesters later."""
    third = KILLS // BROKERS
    which, turn = divmod(number, third)
    if which < BROKERS and turn == 1:
        place.own.kill(which)
    if which < BROKERS and turn == 4:
        place.own.start(which)
