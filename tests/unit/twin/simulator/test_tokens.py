"""The simulated prompt caches."""

from twin.simulator.tokens import CacheUse, PrefixCache, Segment, count_tokens, is_cache_write_billed

LONG = "x" * 8000


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_four_characters_are_a_token_rounded_up() -> None:
    assert [count_tokens(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]


def test_a_prefix_is_written_once_then_read_until_it_expires() -> None:
    clock = Clock()
    cache = PrefixCache(clock)
    prompt = [Segment(LONG, "5m"), Segment("question")]
    assert cache.use_breakpoints("m", prompt) == CacheUse(write_5m=2000)
    clock.now = 299
    assert cache.use_breakpoints("m", prompt) == CacheUse(read=2000)
    clock.now = 299 + 299  # a read starts the lifetime anew
    assert cache.use_breakpoints("m", prompt) == CacheUse(read=2000)
    clock.now += 301
    assert cache.use_breakpoints("m", prompt) == CacheUse(write_5m=2000)


def test_lifetimes_are_counted_apart() -> None:
    cache = PrefixCache(Clock())
    prompt = [Segment(LONG, "1h"), Segment("y" * 400, "5m")]
    assert cache.use_breakpoints("m", prompt) == CacheUse(write_1h=2000, write_5m=100)


def test_short_prompts_and_other_models_are_not_cached() -> None:
    cache = PrefixCache(Clock())
    assert cache.use_breakpoints("m", [Segment("short", "5m")]) == CacheUse()
    cache.use_breakpoints("m", [Segment(LONG, "5m")])
    assert cache.use_breakpoints("other", [Segment(LONG, "5m")]) == CacheUse(write_5m=2000)


def test_a_breakpoint_looks_back_twenty_blocks() -> None:
    cache = PrefixCache(Clock())
    cache.use_breakpoints("m", [Segment(LONG, "5m")])
    near = [Segment(LONG), *[Segment("abcd")] * 18, Segment("abcd", "5m")]
    far = [Segment(LONG), *[Segment("efgh")] * 30, Segment("efgh", "5m")]
    assert cache.use_breakpoints("m", near).read == 2000
    assert cache.use_breakpoints("m", far).read == 0


def test_automatic_caching_reads_whole_steps_of_the_common_prefix() -> None:
    cache = PrefixCache(Clock())
    assert cache.use_prefix("m", LONG + "one") == CacheUse(write=1920)
    assert cache.use_prefix("m", LONG + "two") == CacheUse(read=1920)
    assert cache.use_prefix("m", LONG[:6000] + "z" * 2000) == CacheUse(read=1408, write=512)
    assert cache.use_prefix("m", "short") == CacheUse()


def test_cache_writes_are_reported_from_gpt_5_6_on() -> None:
    assert [is_cache_write_billed(model) for model in ("gpt-5", "gpt-5.5", "gpt-5.6-mini", "gpt-6-astra", "o3")] == [
        False,
        False,
        True,
        True,
        False,
    ]
