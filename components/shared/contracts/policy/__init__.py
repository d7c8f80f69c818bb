"""Policies: every number that decides, with unit and description, a record for each section."""

from components.shared.contracts.policy.data import ImportPolicy, SplitPolicy, ValidationPolicy
from components.shared.contracts.policy.monitoring import DriftPolicy, WindowPolicy
from components.shared.contracts.policy.outage import OutagePolicy
from components.shared.contracts.policy.package import CheckPolicy, ExportPolicy, GoldenPolicy
from components.shared.contracts.policy.promotion import EvaluationPolicy, PromotionPolicy
from components.shared.contracts.policy.rollout import RolloutPolicy
from components.shared.contracts.policy.sections import Policy
from components.shared.contracts.policy.training import TrainingPolicy
from components.shared.contracts.policy.tuning import TuningPolicy

__all__ = [
    "CheckPolicy",
    "DriftPolicy",
    "EvaluationPolicy",
    "ExportPolicy",
    "GoldenPolicy",
    "ImportPolicy",
    "OutagePolicy",
    "Policy",
    "PromotionPolicy",
    "RolloutPolicy",
    "SplitPolicy",
    "TrainingPolicy",
    "TuningPolicy",
    "ValidationPolicy",
    "WindowPolicy",
]
