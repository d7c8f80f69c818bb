"""A stand-in for the controllers of TFJob and TrainJob, which turns their objects into real pods.

Written from their published schemas and behaviour: the training operator 1.9 for TFJob,
and for TrainJob the trainer 2.3 with JobSet and indexed Jobs under it, whose objects it
leaves out: the pods belong to the TrainJob itself. It looks again and again instead of
watching, and knows no more than what launchers can see: pods, their names and labels,
headless services, TF_CONFIG or JOB_COMPLETION_INDEX, restarts by exit code, suspension,
deadlines, time to live and the conditions.
"""

from tests.standins.training_operator.controller import TrainingOperator
from tests.standins.training_operator.workers import Script

__all__ = ["Script", "TrainingOperator"]
