"""Clients that ask at a steady rate over kept connections, and write down what they met.

`python -m tests.proofs.steady_clients URL RATE IMAGES OUT` asks until SIGTERM; IMAGES is a
folder of JPEGs, OUT a JSON file, written whole every second.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from itertools import count, cycle
from pathlib import Path

import httpx

CONNECTIONS = 16
PATIENCE_S = 30


class Met:
    """What was answered so far."""

    def __init__(self, out):
        self.out, self.began = out, time.monotonic()
        self.statuses: Counter[str] = Counter()
        self.models: Counter[str] = Counter()
        self.failures, self.milliseconds = [], []

    def add(self, status, model, began, why=""):
        self.statuses[str(status)] += 1
        self.models[model] += 1
        self.milliseconds.append((time.monotonic() - began) * 1000)
        if status != 200:
            self.failures.append(f"{time.strftime('%H:%M:%S')} {status} {why}"[:200])

    def write(self):
        ordered = sorted(self.milliseconds) or [0.0]
        told = {
            "requests": sum(self.statuses.values()), "statuses": self.statuses,
            "models": self.models, "failures": self.failures[:20],
            "rate": round(sum(self.statuses.values()) / (time.monotonic() - self.began), 1),
            "p50_ms": round(ordered[len(ordered) // 2], 1),
            "p99_ms": round(ordered[int(len(ordered) * 0.99)], 1),
        }  # fmt: skip
        fresh = self.out.with_suffix(".part")
        fresh.write_text(json.dumps(told))
        fresh.replace(self.out)


async def ask(client, url, jpeg, met):
    began = time.monotonic()
    try:
        reply = await client.post(url, content=jpeg, headers={"Content-Type": "image/jpeg"})
        model = reply.json()["model"] if reply.status_code == 200 else ""
        met.add(reply.status_code, model, began, reply.text)
    except (httpx.HTTPError, ValueError, KeyError) as failure:
        met.add(0, "", began, repr(failure))


async def main(url, rate, images, out):
    jpegs = cycle([file.read_bytes() for file in sorted(Path(images).glob("*.jpg"))])
    met, over = Met(Path(out)), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(limits=limits, timeout=PATIENCE_S, trust_env=False) as client:
        asking: set[asyncio.Task] = set()
        turn = time.monotonic()
        for number in count(1):
            if over.is_set():
                break
            if len(asking) >= CONNECTIONS:  # slower than the rate: nobody waits in line
                await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(ask(client, url, next(jpegs), met))
            asking.add(task)
            task.add_done_callback(asking.discard)
            turn = max(turn + 1 / rate, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, turn - time.monotonic()))
            if number % rate == 0:
                met.write()
        await asyncio.gather(*asking)
    met.write()


if __name__ == "__main__":
    target, every_second, folder, file = sys.argv[1:]
    asyncio.run(main(target, int(every_second), folder, file))
