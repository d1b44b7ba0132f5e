"""E-mail addresses that are written for people are found, and prose with the same words is not one."""

import pytest

from pentad.observability.logs.personal import mask_personal
from pentad.observability.logs.spelt_addresses import mask_spelt_addresses


@pytest.mark.parametrize(
    "address",
    [
        "ada (at) host dot com",
        "ada(at)host.com",
        "ada.love [at] mail.host.co.uk",
        "ada[at]host[dot]com",
        "ada {at} host {dot} de",
        "ada <AT> host <DOT> org",
        "ada(ät)host(punkt)de",
        "ada (arroba) host (punto) es",
        "ada[@]host.com",
        "ada AT host DOT com",
        "ada_AT_host_DOT_museum",
        "ada at host dot com",
        "ada at mail dot host dot co dot uk",
        "ada @ host . com",
        "ada @host.com",
        "ada@ host.com",
        "ada@host .com",
        "ada@mail. host. de",
        "ada  @  host.io",
    ],
)
def test_an_address_for_people_is_masked(address: str) -> None:
    assert mask_personal(f"write to {address}, please") == "write to [email], please"
    assert mask_personal(address) == "[email]"


@pytest.mark.parametrize(
    "text",
    [
        "look at the dot matrix printer",
        "the cursor is at a dot in the middle",
        "array[at] and list(at)",
        'echo "${all[@]}" more.words',
        "LOOK AT README.md",
        "ERROR AT main.py DOT",
        "THE POINT AT ISSUE",
        "5 items @ 3.50 EUR each",
        "we met @ noon . then we ate",
        "x = a @ b.T",
        "python -m pip install package @ 1.2.3",
        "@app.get and @dataclass . name",
        "git@example.com:ada/engine.git, e.g. com",
        "at 10:00 . com",
        "he was (at) last happy",
        "call me @ home",
    ],
)
def test_prose_and_code_with_the_same_words_stay(text: str) -> None:
    assert mask_spelt_addresses(text, "[email]") == text


@pytest.mark.parametrize(
    "text",
    ["a(at)" * 40_000, "a at a dot " * 20_000, "a@ a . " * 30_000, "a." * 60_000 + "(at)", "w (at) " + "w." * 60_000,
     "A AT B DOT " * 20_000, "w@ " + "w . " * 50_000],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_hostile_text_takes_no_more_than_its_length(text: str) -> None:
    # A pattern that tries again from each character would need minutes here, and the time limit ends it.
    assert isinstance(mask_spelt_addresses(text, "[email]"), str)
