"""What users say of answers: kept once, heard by memory, and gone with them."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from tests.twin.stack.world import Json, Tenant, until, word

pytestmark = pytest.mark.twin


def test_feedback_of_many_at_once_is_kept_once_and_a_correction_is_remembered(tenant: Tenant) -> None:
    user, wrong, right = f"{word('u')}@example.com", word("Wrong").capitalize(), word("Right").capitalize()
    run = tenant.ask(f"My name is {wrong}.", user=user)
    path, facts = f"/v1/runs/{run['run_id']}/feedback", f"/v1/memory/{quote(user, safe='')}"
    until(lambda: tenant.get(facts)["items"] or None, "that a fact was learned")

    def say(number: int) -> int:
        body: Json = {"score": number / 20, "user": user}
        headers: dict[str, Any] = {"Idempotency-Key": f"click-{number}"}
        return tenant.send("POST", path, json=body, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(say, range(20)))
    assert set(answers) <= {200, 503} and answers.count(200) > 1, answers
    [kept] = tenant.get(path)["items"]
    assert (kept["by"], kept["user"], len(kept["earlier"])) == (user, user, min(10, answers.count(200) - 1))

    corrected = tenant.send("POST", path, json={"score": 0, "correction": f"My name is {right}.", "user": user})
    assert (corrected.status_code, corrected.json()["verdict"]) == (200, "wrong"), corrected.text
    known = until(
        lambda: [one for one in tenant.get(facts)["items"] if right in one["text"]] or None, "that it was learned"
    )
    assert known[0]["evidence"][0]["session"] == corrected.json()["feedback"]
    assert right in tenant.ask("What is my name?", user=user)["answer"]
    until(lambda: not tenant.items("correction") or None, "that nothing waits any more")
