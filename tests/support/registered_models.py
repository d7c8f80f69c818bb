"""Models to register, and what a registry then holds."""

import threading

from components.shared.store.postgres import connect
from components.shared.store.registry import PromotionConflictError, Registry

FIRST, SECOND, THIRD = (letter * 64 for letter in "abc")


def register(registry, model, dataset="car-parks"):
    return registry.register(
        dataset, model, f"file:///models/{model}", "5" * 64, {"seed": 1}, {"map50": 0.5}, "better"
    )


def everything(connection):
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT dataset, version, model FROM registry.versions ORDER BY 1, 2")
        versions = cursor.fetchall()
        cursor.execute("SELECT dataset, alias, version FROM registry.aliases ORDER BY 1, 2")
        aliases = cursor.fetchall()
        cursor.execute("SELECT action, model FROM registry.audit ORDER BY id")
        return versions, aliases, cursor.fetchall()


def at_once(database, *acts):
    """Run each act with a registry of its own, all let go at the same moment."""
    barrier, results = threading.Barrier(len(acts)), {}

    def run(place, act):
        connection = connect(database)
        barrier.wait()
        try:
            results[place] = act(Registry(connection))
        except PromotionConflictError as conflict:
            results[place] = conflict
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[place] for place in range(len(acts))]
