"""All policies of the system: one section of the policy file each."""

from components.shared.contracts.policy.data import ImportPolicy, SplitPolicy, ValidationPolicy
from components.shared.contracts.policy.monitoring import DriftPolicy, WindowPolicy
from components.shared.contracts.policy.outage import OutagePolicy
from components.shared.contracts.policy.package import CheckPolicy, ExportPolicy, GoldenPolicy
from components.shared.contracts.policy.promotion import EvaluationPolicy, PromotionPolicy
from components.shared.contracts.policy.rollout import RolloutPolicy
from components.shared.contracts.policy.training import TrainingPolicy
from components.shared.contracts.policy.tuning import TuningPolicy
from components.shared.contracts.record import Record


class Policy(Record):
    """Every number that decides, by section, in the order of the life cycle."""

    imports: ImportPolicy = ImportPolicy()
    split: SplitPolicy = SplitPolicy()
    validation: ValidationPolicy = ValidationPolicy()
    training: TrainingPolicy = TrainingPolicy()
    tuning: TuningPolicy = TuningPolicy()
    export: ExportPolicy = ExportPolicy()
    golden: GoldenPolicy = GoldenPolicy()
    check: CheckPolicy = CheckPolicy()
    evaluation: EvaluationPolicy = EvaluationPolicy()
    promotion: PromotionPolicy = PromotionPolicy()
    rollout: RolloutPolicy = RolloutPolicy()
    window: WindowPolicy = WindowPolicy()
    drift: DriftPolicy = DriftPolicy()
    outage: OutagePolicy = OutagePolicy()
