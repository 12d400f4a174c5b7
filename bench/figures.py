"""How figures are printed: medians, the ratio of pairs from the same run, and one JSON line for machines."""

import json
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass
class Pair:
    """Figures of ours and of the baseline, taken in turn. More is better in both."""

    name: str
    unit: str
    ours: list[float] = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The median of the ratios pair by pair, so that a machine's slow minute weighs on both."""
        return statistics.median(ours / base for ours, base in zip(self.ours, self.baseline, strict=True))

    def show(self) -> None:
        ours, base = statistics.median(self.ours), statistics.median(self.baseline)
        print(f"{self.name:<40} {ours:>9,.0f} {self.unit}   baseline {base:>9,.0f}   ratio {self.ratio:.2f}")
        _line(
            benchmark=self.name,
            unit=self.unit,
            ours=[round(figure, 1) for figure in self.ours],
            baseline=[round(figure, 1) for figure in self.baseline],
            ratio=round(self.ratio, 3),
        )


def note(name: str, unit: str, figures: Mapping[str, Sequence[float]]) -> None:
    """Print medians of figures that have no baseline."""
    words = "   ".join(f"{who} {statistics.median(of):,.3f}" for who, of in figures.items())
    print(f"{name:<40} {words} {unit}")
    _line(benchmark=name, unit=unit, **{who: [round(one, 4) for one in of] for who, of in figures.items()})


def _line(**values: object) -> None:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    print(json.dumps(values | {"python": platform.python_version(), "at": at}), flush=True)
