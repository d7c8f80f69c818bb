"""`ingest_events` runs until it is stopped, whatever happens to broker and database meanwhile."""

import argparse
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg2
import tenacity

from components.contracts.progress import say
from components.ingest_events.expose import LAG, Pulse, expose
from components.ingest_events.follow import Follower
from components.ingest_events.meter import Meter
from components.ingest_events.stop import Stop
from components.store.objects import Objects
from components.store.postgres import connect, migrate
from components.store.stream import KafkaError, StreamError, consumer, stream_id

# A broker or database that is away comes back; nothing is lost meanwhile.
PASSING = (psycopg2.OperationalError, psycopg2.InterfaceError, KafkaError, StreamError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where everything is, as the environment says."""

    database_url: str
    bootstrap_servers: str
    object_store_url: str
    stream: str | None


def main(options: Sequence[str] = ()) -> None:
    """Ingest events from KAFKA_BOOTSTRAP_SERVERS into DATABASE_URL.

    Frames must be in OBJECT_STORE_URL. KAFKA_STREAM_ID names the stream; without it the
    Kafka cluster's own id does.
    """
    parser = argparse.ArgumentParser(
        prog="python -m components ingest_events", description=main.__doc__
    )
    help_text = "end when all that was in the stream at the start is stored"
    parser.add_argument("--until-caught-up", action="store_true", help=help_text)
    help_text = "answer /metrics and /healthz there; 0 does not"
    parser.add_argument("--metrics-port", type=int, default=0, help=help_text)
    chosen = parser.parse_args(list(options))
    places = Places(
        database_url=os.environ["DATABASE_URL"],
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        object_store_url=os.environ["OBJECT_STORE_URL"],
        stream=os.environ.get("KAFKA_STREAM_ID"),
    )
    meter = Meter(Pulse())
    if chosen.metrics_port:
        expose(chosen.metrics_port, meter.pulse)
    ingest(places, chosen.until_caught_up, meter, Stop())
    say(meter.total())


def ingest(places: Places, once: bool, meter: Meter, stop: Stop) -> None:
    """Connect and take batch after batch; connect anew when a connection is lost.

    Args:
        places: What to connect to.
        once: End when all that was in the stream at the start is stored.
        meter: Told of every batch.
        stop: Asked between batches.
    """

    def complain(state: tenacity.RetryCallState) -> None:
        trouble = state.outcome.exception() if state.outcome else None
        wait_s = state.next_action.sleep if state.next_action else 0.0
        say(f"{str(trouble).strip() or repr(trouble)}; trying again in {wait_s:.1f} s")
        meter.pulse.beat()

    tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(PASSING),
        wait=tenacity.wait_exponential(multiplier=0.2, max=10),
        before_sleep=complain,
    )(_take, places, once, meter, stop)


def _take(places: Places, once: bool, meter: Meter, stop: Stop) -> None:
    stream = stream_id(places.bootstrap_servers, places.stream)
    with (
        closing(connect(places.database_url)) as connection,
        consumer(places.bootstrap_servers) as reader,
    ):
        migrate(connection)
        follower = Follower(connection, reader, Objects(places.object_store_url), stream)
        ends = follower.look_around()
        while not stop.asked and not (once and follower.has_reached(ends)):
            meter.count(follower.step())
            LAG.set(follower.lag)
