"""A file of schedules, as the tests of schedules apply it."""

FILE = """
timezone: Europe/Zurich
schedules:
  - {name: train-weekly, pipeline: train, cron: 0 0 2 * * Mon, datasets: {yard: {epochs: 9}}}
  - {name: watch-hourly, pipeline: watch, cron: 0 5 * * * *, datasets: {yard: {}, gate: {}}}
"""
