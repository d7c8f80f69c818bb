"""A database and an object store in which frames were served."""

from psycopg2.extras import Json

from components.shared.store.objects import Objects, digest_bytes, frame_key
from components.shared.store.postgres import connect
from components.shared.store.registry import Registry

CHAMPION, OTHER = "a" * 64, "b" * 64
BOX = {"x_min": 1, "y_min": 2, "x_max": 30, "y_max": 20, "label": "car", "score": 0.9}


class Lake:
    """A database and an object store in which frames can be served."""

    def __init__(self, database, url):
        self.connection, self.objects = connect(database), Objects(url)
        self.registry = Registry(self.connection)
        self.answers = 0

    def reign(self, model=CHAMPION, after=None):
        self.registry.register("yard", model, "file:///m", "5" * 64, {}, {}, "good")
        self.registry.promote("yard", model, after)

    def serve(self, *numbers, model=CHAMPION, dataset="yard", known=True):
        with self.connection as connection, connection.cursor() as cursor:
            for number in numbers:
                self.frame(cursor, number, dataset, known)
                self.answer(cursor, number, dataset, model)

    def frame(self, cursor, number, dataset, known):
        jpeg = b"jpeg %d" % number
        self.objects.put_once(frame_key(digest_bytes(jpeg)), jpeg)
        if known:
            cursor.execute(
                "INSERT INTO silver.frames VALUES (%s, %s, 'file:///x', 64, 48, %s, 'gate',"
                " '2026-01-01Z', 'n', 'gate', NULL, %s) ON CONFLICT DO NOTHING",
                (dataset, digest_bytes(jpeg), len(jpeg), f"{dataset}{number}"),
            )

    def answer(self, cursor, number, dataset="yard", model=CHAMPION):
        self.answers += 1
        cursor.execute(
            "INSERT INTO silver.predictions (event_id, dataset, sha256, request_id, camera,"
            " model, width, height, boxes, latency_ms, predicted_at)"
            " VALUES (%s, %s, %s, 'r', 'gate', %s, 64, 48, %s, 5.5, '2026-01-01Z')",
            (str(self.answers), dataset, sha(number), model, Json([BOX])),
        )


def sha(number):
    return digest_bytes(b"jpeg %d" % number)
