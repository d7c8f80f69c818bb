"""Run the ingestion service until SIGTERM, and reconnect after outages."""

import argparse
import gc
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import tenacity

from components.data.ingest_events.expose import Pulse, expose
from components.data.ingest_events.follow import StreamIngester
from components.data.ingest_events.meter import Meter
from components.data.ingest_events.presence import Patience
from components.data.ingest_events.retry import retry_missing
from components.data.ingest_events.stop import Stop
from components.data.ingest_events.trouble import (
    is_final,
    is_outage,
    outages_as_sentences,
    sentence,
)
from components.shared.contracts.errors import ExitCode, UserError
from components.shared.contracts.progress import log_progress
from components.shared.contracts.stopping import Stopped
from components.shared.store.brokers import addresses, admin
from components.shared.store.objects import Objects
from components.shared.store.postgres import connect, end_stalled_copies, limit_waits, migrate
from components.shared.store.stream import consumer, stream_id

PATIENCE_S = 120.0  # with --until-caught-up: how long an outage may last
GC_THRESHOLD = 100_000  # new objects between two collections of garbage
MIN_WAIT_S, MAX_WAIT_S = 0.2, 10.0  # before trying again: doubled until a step ends well
IDLE_S = 30.0  # in PostgreSQL: how long others wait for an ingester that is paused
STORE_RETRY_S = 10.0  # of one request; an outage is waited for here, where it is said


class TopicsError(UserError):
    """Some topics were not read: they do not exist, or access is denied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Connection settings of the service, from environment variables."""

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
    help_text = "stop when all events that were in the stream at the start are stored"
    parser.add_argument("--until-caught-up", action="store_true", help=help_text)
    help_text = "TCP port of /metrics, /healthz and /readyz; 0: none"
    parser.add_argument("--metrics-port", type=int, default=0, help=help_text)
    help_text = "store quarantined frames whose images have arrived since, and stop"
    parser.add_argument("--retry-missing", action="store_true", help=help_text)
    chosen = parser.parse_args(list(options))
    if chosen.retry_missing:
        retry()
        return
    places = Places(
        database_url=os.environ["DATABASE_URL"],
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        object_store_url=os.environ["OBJECT_STORE_URL"],
        stream=os.environ.get("KAFKA_STREAM_ID"),
    )
    addresses(places.bootstrap_servers)
    stop, meter = Stop(ExitCode.STOPPED if chosen.until_caught_up else 0), Meter(Pulse())
    relax_garbage_collection()
    if chosen.metrics_port:
        expose(chosen.metrics_port, meter.pulse)
    ingest(places, chosen.until_caught_up, meter, stop)
    log_progress(meter.total())


def retry() -> None:
    """Retry the quarantined frames whose JPEG was missing.

    Raises:
        OutageError: If the database or the object store does not answer.
    """
    with outages_as_sentences(), closing(connect(os.environ["DATABASE_URL"])) as connection:
        objects = Objects(os.environ["OBJECT_STORE_URL"], STORE_RETRY_S)
        log_progress(str(retry_missing(connection, objects)))


def relax_garbage_collection() -> None:
    """Run garbage collection rarely: reference counts free a batch, and a full pass costs 10 %."""
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)


def ingest(places: Places, once: bool, meter: Meter, stop: Stop) -> None:
    """Connect and ingest batch after batch; reconnect when a connection is lost.

    Args:
        places: Connection settings.
        once: End when all that was in the stream at the start is stored.
        meter: Told of every batch and every outage.
        stop: Asked between batches.

    Raises:
        OutageError: With `once`, if an outage lasts.
        TopicsError: With `once`, if a topic cannot be read.
        Stopped: With `once`, if it was stopped before all was stored.
    """

    def complain(state: tenacity.RetryCallState) -> None:
        trouble = state.outcome.exception() if state.outcome else None
        wait_s = state.next_action.sleep if state.next_action else 0.0
        if trouble:
            meter.interrupted(trouble)
            log_progress(f"{sentence(trouble)}; trying again in {wait_s:.1f} s")

    def vain(state: tenacity.RetryCallState) -> bool:
        trouble = state.outcome.exception() if state.outcome else None
        final = trouble is not None and is_final(trouble)
        return once and (final or meter.idle_s > PATIENCE_S)

    with outages_as_sentences():
        tenacity.Retrying(
            retry=tenacity.retry_if_exception(is_outage),
            wait=lambda _: min(MIN_WAIT_S * 2.0**meter.failures, MAX_WAIT_S),
            before_sleep=complain,
            stop=vain,
            reraise=True,
        )(_take, places, once, meter, stop, Patience())


def _take(places: Places, once: bool, meter: Meter, stop: Stop, patience: Patience) -> None:
    stream = stream_id(places.bootstrap_servers, places.stream)
    with (
        closing(connect(places.database_url)) as connection,
        admin(places.bootstrap_servers) as cluster,
        consumer(places.bootstrap_servers) as reader,
    ):
        migrate(connection)
        limit_waits(connection, IDLE_S)
        if ended := end_stalled_copies(connection, IDLE_S):
            log_progress(f"ended {ended} sessions whose ingester is paused or cut off")
        objects = Objects(places.object_store_url, STORE_RETRY_S)
        follower = StreamIngester(connection, reader, cluster, objects, stream, patience=patience)
        ends = follower.refresh_partitions()
        while not stop.requested and not (once and follower.has_reached(ends)):
            meter.count(follower.step())
            meter.show(follower.lag, follower.faults)
        follower.leave()
        if once and stop.requested and not follower.has_reached(ends):
            raise Stopped
        if once and follower.faults and not stop.requested:
            raise TopicsError("; ".join(follower.faults))
