"""Kubeflow component `judge_model`: decide which candidate is promoted."""

from kfp import dsl

from components.images import image


@dsl.component(base_image=image("core"), install_kfp_package=False)
def judge_model(
    report: dsl.Input[dsl.Artifact],
    verdict: dsl.Output[dsl.Artifact],
    page: dsl.Output[dsl.Markdown],
) -> str:
    """Decide which new model, if any, replaces the one in service.

    Args:
        report: `contracts.report.Report` of fine_tuned, from_scratch and champion.
        verdict: The decision, laid out as `contracts.report.VerdictLayout`.
        page: The same for people, with the metrics that decided.

    Returns:
        `fine_tuned`, `from_scratch` or `none`.
    """
    import os
    from pathlib import Path

    from components.promotion.judge_model.judge import judge, summary
    from components.promotion.judge_model.page import page as page_of
    from components.shared.contracts.progress import log_progress
    from components.shared.contracts.report import Report, VerdictLayout
    from components.shared.settings.policy_file import policy_from

    compared = Report.read(report.path)
    decision = judge(compared, policy_from(os.environ).promotion)
    decision.write(VerdictLayout(verdict.path).verdict)
    Path(page.path).write_text(page_of(decision, compared))
    log_progress(summary(decision))
    return decision.winner
