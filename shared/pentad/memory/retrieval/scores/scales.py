"""What a cosine says, by embedding model: how likely a passage so near to a question speaks to it.

A cosine means something else with each model: with one, texts that have nothing to do with each other have 0.7, with
another 0.1. So what an agent asks for is a relevance of 0 to 1, and a model's row says which cosine that is. A row is
data: how it was fitted, on what and when stands in it. What a model without a row finds is left out by no score.

Relevance: take questions, one half with a passage that answers, the other with the nearest of documents about something
else. It is the share of the first among those with this cosine, by logistic regression.
"""

import math
from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True)
class ModelScale:
    """What the cosines of an embedding model say.

    Attributes:
        model: its name in the catalog.
        midpoint: the cosine at which a passage is as likely to answer as not.
        slope: of the logistic curve there, per unit of cosine.
        fitted_at: the day; None where it was not fitted but taken over, as ``source`` says.
        source: on what it was fitted, and how it does on what it was not fitted on.
    """

    model: str
    midpoint: float
    slope: float
    fitted_at: date | None
    source: str

    def rate(self, cosine: float) -> float:
        """Return the relevance of a passage, 0 to 1.

        Args:
            cosine: of question and passage.
        """
        # A cosine lies between -1 and 1, so the exponent is small for any slope that a fit gives.
        return 1 / (1 + math.exp(-self.slope * (cosine - self.midpoint)))

    def find_cosine(self, relevance: float) -> float:
        """Return the cosine that a passage needs, at least -1 and at most 1.

        Args:
            relevance: 0 to 1.
        """
        if relevance <= 0 or relevance >= 1:
            return -1.0 if relevance <= 0 else 1.0
        return max(-1.0, min(1.0, self.midpoint + math.log(relevance / (1 - relevance)) / self.slope))

    def translate(self, cosine: float, to: "ModelScale") -> float:
        """Return the cosine that says the same with another model; it may lie outside of -1 to 1.

        Args:
            cosine: with this model.
            to: the other's scale.
        """
        return to.midpoint + (cosine - self.midpoint) * self.slope / to.slope


_ROWS: Final = (
    ModelScale(
        model="all-MiniLM-L6-v2",
        midpoint=0.331,
        slope=21.9,
        fitted_at=date(2026, 11, 30),
        source=(
            "every second question of SciFact, Cranfield and a bank's help desk, by `python -m benchmarks.memory "
            "scale`; of the others' passages that answer 98 to 100 % are at 0.02 or more, 85 to 95 % at 0.5"
        ),
    ),
    ModelScale(
        model="text-embedding-3-small",
        midpoint=0.331,
        slope=21.9,
        fitted_at=None,
        source=(
            "taken over from all-MiniLM-L6-v2, which stands in for it on the laptop: 0.02 is a cosine of 0.154 there, "
            "and 0.15 was the minimum for every model before; not measured"
        ),
    ),
)
SCALES: Final = {row.model: row for row in _ROWS}
MEASURED: Final = _ROWS[0]
"""The scale of the model that thresholds elsewhere were measured with."""


def find_minimum(model: str, relevance: float) -> float | None:
    """Return the cosine that a passage needs; None where nothing is known of the model.

    Args:
        model: what made the vectors, by its name in the catalog.
        relevance: what an agent asks for, 0 to 1.
    """
    scale = SCALES.get(model)
    return None if scale is None else scale.find_cosine(relevance)
