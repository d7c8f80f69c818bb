"""Terminal output of a local run: headings, task lines, the table of steps and model history."""

import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.shared.contracts.report import precision_text
from components.shared.store.registry import Alias, AuditEntry, Version
from pipelines.local.run import LocalRun


class Terminal:
    """Print the progress of a run on standard output, with the seconds since it began."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def heading(self, words: str) -> None:
        """Print the heading of a new part."""
        self._console.print(Text(f"\n{words}", style="bold"))

    def line(self, who: str, words: str) -> None:
        """Print one progress line of a step.

        Args:
            who: Title of the step.
            words: The line.
        """
        self._console.print(Text(f"{self.seconds:6.1f} s  {who:<20}", style="dim"), Text(words))

    def say(self, words: str) -> None:
        """Print a line as it is."""
        self._console.print(Text(words))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table.

        Args:
            columns: Their headings.
            rows: One text for each column.
        """
        table = Table(*columns, box=None)
        for row in rows:
            table.add_row(*map(Text, row))
        self._console.print(table)

    def history(
        self,
        versions: Sequence[Version],
        aliases: Mapping[Alias, Version | None],
        entries: Sequence[AuditEntry],
    ) -> None:
        """Print a dataset's versions with their aliases, and the audit with reasons.

        Args:
            versions: Versions of the dataset.
            aliases: Version of each alias, or None.
            entries: Audit entries.
        """
        for version in versions:
            names = [name for name, named in aliases.items() if named == version]
            at_half = version.metrics.get("map50")
            numbers = f"mAP50 {precision_text(at_half)}" if at_half is not None else ""
            self.say(f"{version.version:4d}  {version.model[:12]}  {numbers}  {', '.join(names)}")
        for entry in entries:
            reason = str(entry.detail.get("reason") or _instead(entry.detail))
            at = entry.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
            self._console.print(
                Text(f"{at}  {entry.action:<12}{entry.model[:12]}  "), Text(reason, style="dim")
            )

    def steps(self, runs: Sequence[tuple[str, LocalRun]]) -> None:
        """Print the table of all steps: name, seconds, and the last progress line of each."""
        table = Table(box=None, pad_edge=False, header_style="dim", show_edge=False)
        table.add_column("step")
        table.add_column("seconds", justify="right")
        table.add_column("result", overflow="fold")
        for title, run in runs:
            table.add_row(Text(title, style="bold"), "", "")
            for step in run.steps:
                table.add_row(f"  {step.title}", f"{step.seconds:.1f}", Text(step.progress))
        wide = Console(highlight=False, width=max(self._console.width, 100))
        wide.print()
        wide.print(table)


def _instead(detail: Mapping[str, object]) -> str:
    before = detail.get("instead_of")
    return f"replaced {str(before)[:12]}" if before else "first champion"
