"""Values that the simulator fills into a schema."""

import pytest

from twin.simulator.rules.arguments.structured import Filler


@pytest.mark.parametrize("name", ["confidence", "score", "probability", "relevance_score", "certainty"])
def test_a_number_that_says_how_sure_it_is_comes_from_no_number_of_the_text(name: str) -> None:
    schema = {"type": "object", "properties": {name: {"type": "number"}}, "required": [name]}
    assert Filler("There are 3 of them.", 0.7).fill(schema) == {name: 0.7}
