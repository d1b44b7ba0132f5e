"""One conformance suite over both response caches."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from pentad.aws.table import Table
from pentad.domain.errors import ConfigurationError
from pentad.domain.ids import hash_user
from pentad.domain.messages import ProviderRaw, ThinkingBlock
from pentad.domain.usage import Usage
from pentad.models.cache.adapters import response_cache_memory
from pentad.models.cache.adapters.response_cache_dynamodb import DynamoResponseCache
from pentad.models.cache.adapters.response_cache_memory import MemoryResponseCache
from pentad.models.cache.cache import HANDED_SECONDS, MAX_REPLY_BYTES
from pentad.models.cache.ports import ResponseCache
from tests.moto_clients import table
from tests.unit.models.cache.test_cache import chat_reply
from tests.unit.models.samples import Clock, assistant

KEY = "ab" * 32


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        yield table("transient")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "dynamodb"])
def cache(request: pytest.FixtureRequest, clock: Clock) -> ResponseCache:
    if request.param == "memory":
        return MemoryResponseCache(clock=clock)
    return DynamoResponseCache(Table(request.getfixturevalue("dynamodb"), "transient"), clock=clock)


def test_a_reply_comes_back_as_it_was_less_what_it_cost(cache: ResponseCache) -> None:
    raw = ProviderRaw(provider="anthropic", model="m", content=[{"type": "text", "text": "ä"}, {"b": 1, "a": 2.5}])
    thought = ThinkingBlock(text="hm", signature="s", provider="anthropic")
    kept = chat_reply(message=assistant("ä", thought, raw=raw))
    cache.put("acme", KEY, kept, seconds=10)
    assert cache.get("acme", KEY) == kept.model_copy(update={"usage": Usage(), "cost_nanousd": 0})


def test_nothing_is_found_under_another_key_or_tenant(cache: ResponseCache) -> None:
    cache.put("acme", KEY, chat_reply(), seconds=10)
    assert cache.get("acme", "cd" * 32) is None
    assert cache.get("other", KEY) is None


def test_a_reply_ends_with_its_time(cache: ResponseCache, clock: Clock) -> None:
    cache.put("acme", KEY, chat_reply(), seconds=10)
    clock.now += 9
    assert cache.get("acme", KEY) is not None
    clock.now += 1
    assert cache.get("acme", KEY) is None


def test_the_newest_reply_stands(cache: ResponseCache) -> None:
    cache.put("acme", KEY, chat_reply("old"), seconds=10)
    cache.put("acme", KEY, chat_reply("new"), seconds=10)
    found = cache.get("acme", KEY)
    assert found is not None
    assert found.message.text == "new"


def test_a_reply_above_the_bound_is_not_kept(cache: ResponseCache) -> None:
    cache.put("acme", KEY, chat_reply("x" * MAX_REPLY_BYTES), seconds=10)
    assert cache.get("acme", KEY) is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(response_cache_memory, "MAX_REPLIES", 2)
    cache = MemoryResponseCache(clock=clock)
    for key in ("1", "2"):
        cache.put("acme", key, chat_reply(), seconds=10)
    assert cache.get("acme", "1") is not None  # now the one used last
    cache.put("acme", "3", chat_reply(), seconds=10)
    assert [cache.get("acme", key) is not None for key in ("1", "2", "3")] == [True, False, True]


def test_an_item_names_its_tenant_first_and_expires(dynamodb: Any, clock: Clock) -> None:
    DynamoResponseCache(Table(dynamodb, "transient"), clock=clock).put("acme", KEY, chat_reply(), seconds=10)
    (item,) = dynamodb.scan(TableName="transient")["Items"]
    assert (item["pk"]["S"], item["sk"]["S"]) == (f"T#acme#CACHE#{KEY}", "META")
    assert int(item["ttl"]["N"]) == int(clock.now) + 10


def test_an_item_of_another_release_is_a_miss(dynamodb: Any, clock: Clock) -> None:
    cache = DynamoResponseCache(Table(dynamodb, "transient"), clock=clock)
    cache.put("acme", KEY, chat_reply(), seconds=10)
    dynamodb.update_item(
        TableName="transient",
        Key={"pk": {"S": f"T#acme#CACHE#{KEY}"}, "sk": {"S": "META"}},
        UpdateExpression="SET body = :b",
        ExpressionAttributeValues={":b": {"S": '{"reply": 1}'}},
    )
    assert cache.get("acme", KEY) is None


def test_a_table_that_is_not_there_is_a_configuration_error(dynamodb: Any) -> None:
    with pytest.raises(ConfigurationError):
        DynamoResponseCache(Table(dynamodb, "nothing")).get("acme", KEY)


def test_one_of_many_claims_a_key_until_it_is_released_or_over(cache: ResponseCache, clock: Clock) -> None:
    assert cache.claim("acme", KEY, "one", until=clock.now + 10)
    assert cache.claim("acme", KEY, "one", until=clock.now + 10)  # the same request again
    assert not cache.claim("acme", KEY, "two", until=clock.now + 10)
    assert cache.claim("other", KEY, "two", until=clock.now + 10)
    assert cache.find_claim("acme", KEY) == "one"
    cache.release("acme", KEY, "two")
    assert cache.find_claim("acme", KEY) == "one"
    cache.release("acme", KEY, "one")
    cache.release("acme", KEY, "one")
    assert cache.find_claim("acme", KEY) is None
    assert cache.claim("acme", KEY, "two", until=clock.now + 10)
    clock.now += 11
    assert cache.find_claim("acme", KEY) is None
    assert cache.claim("acme", KEY, "three", until=clock.now + 10)


def test_of_those_who_wait_for_a_claim_one_takes_its_place(cache: ResponseCache, clock: Clock) -> None:
    assert cache.claim("acme", KEY, "dead", until=clock.now + 10)
    assert cache.claim("acme", KEY, "one", until=clock.now + 20, instead_of="dead")
    assert not cache.claim("acme", KEY, "two", until=clock.now + 20, instead_of="dead")
    assert cache.find_claim("acme", KEY) == "one"
    cache.release("acme", KEY, "dead")  # it was only slow
    assert cache.find_claim("acme", KEY) == "one"
    clock.now += 11
    assert cache.find_claim("acme", KEY) == "one"


def test_what_a_claim_ends_with_is_for_those_who_waited_for_it_alone(cache: ResponseCache, clock: Clock) -> None:
    cut = chat_reply("cut", notices=("The answer was cut at the output limit.",))
    cache.claim("acme", KEY, "one", until=clock.now + 10)
    cache.release("acme", KEY, "two", handed=cut)
    assert (cache.find_claim("acme", KEY), cache.find_handed("acme", KEY, "two")) == ("one", None)
    assert cache.find_handed("acme", KEY, "one") is None
    cache.release("acme", KEY, "one", handed=cut)
    assert (cache.find_claim("acme", KEY), cache.get("acme", KEY, consistent=True)) == (None, None)
    assert cache.find_handed("acme", KEY, "one") == cut.model_copy(update={"usage": Usage(), "cost_nanousd": 0})
    assert cache.find_handed("acme", KEY, "two") is None
    assert cache.claim("acme", KEY, "two", until=clock.now + 10)
    assert cache.find_handed("acme", KEY, "one") is None
    cache.release("acme", KEY, "two", handed=cut)
    clock.now += HANDED_SECONDS + 1
    assert cache.find_handed("acme", KEY, "two") is None


def test_what_is_too_large_to_be_kept_is_not_handed_over(cache: ResponseCache, clock: Clock) -> None:
    cache.claim("acme", KEY, "one", until=clock.now + 10)
    cache.release("acme", KEY, "one", handed=chat_reply("x" * MAX_REPLY_BYTES))
    assert (cache.find_claim("acme", KEY), cache.find_handed("acme", KEY, "one")) == (None, None)


def test_a_claim_is_no_reply_and_a_reply_no_claim(cache: ResponseCache, clock: Clock) -> None:
    cache.claim("acme", KEY, "one", until=clock.now + 10)
    assert cache.get("acme", KEY, consistent=True) is None
    cache.put("acme", KEY, chat_reply(), seconds=10)
    assert cache.get("acme", KEY, consistent=True) is not None
    cache.release("acme", KEY, "one")
    assert cache.get("acme", KEY, consistent=True) is not None


def test_what_users_asked_for_is_listed_by_the_hash_of_the_user_for_as_long_as_it_is_kept(
    dynamodb: Any, clock: Clock
) -> None:
    cache = DynamoResponseCache(Table(dynamodb, "transient"), clock=clock)
    for _ in range(2):
        cache.note_user("acme", KEY, "ada", seconds=10)
    cache.note_user("acme", KEY, "bob", seconds=10)
    cache.put("acme", KEY, chat_reply(), seconds=10)
    listed = {item["pk"]["S"]: item for item in dynamodb.scan(TableName="transient")["Items"]}
    assert sorted(listed) == sorted(
        [f"T#acme#CACHE#{KEY}", *(f"T#acme#CACHE#USER#{hash_user(one)}" for one in ("ada", "bob"))]
    )
    note = listed[f"T#acme#CACHE#USER#{hash_user('ada')}"]
    assert note["sk"]["S"] == KEY
    assert int(note["ttl"]["N"]) >= int(listed[f"T#acme#CACHE#{KEY}"]["ttl"]["N"])
    assert "ada" not in str(note)


def test_to_note_a_user_changes_no_reply(cache: ResponseCache) -> None:
    cache.put("acme", KEY, chat_reply(), seconds=10)
    cache.note_user("acme", KEY, "ada", seconds=10)
    assert cache.get("acme", KEY) is not None
    cache.note_user("acme", "cd" * 32, "ada", seconds=10)
    assert cache.get("acme", "cd" * 32) is None
