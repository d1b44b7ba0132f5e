"""LiteLLM's contenders. Their environment has LiteLLM, and of the project what needs the standard library only."""

import logging
import sys
from importlib.metadata import version
from typing import Any

import litellm  # type: ignore[import-not-found, unused-ignore]  # in the benchmark's environment only

from benchmarks.gateway.field import ANSWER, ANTHROPIC_MODEL, MAX_TOKENS, OPENAI_MODEL, SYSTEM, question
from benchmarks.gateway.work import Call, serve

_SECONDS = 30.0


def _messages(number: int) -> list[dict[str, str]]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question(number)}]


def completion(base: str) -> Call:
    """Return a call of ``litellm.completion``."""

    def call(number: int) -> str:
        reply = litellm.completion(
            model=f"anthropic/{ANTHROPIC_MODEL}",
            messages=_messages(number),
            max_tokens=MAX_TOKENS,
            api_key="k",
            api_base=f"{base}/litellm/up",
            num_retries=0,
            timeout=_SECONDS,
        )
        return str(reply.choices[0].message.content)

    return call


def routed(base: str, name: str, primary: str) -> Call:
    """Return a call of a Router with a primary and a fallback, without retries and cooldowns: one request each."""
    places = {
        "primary": {"model": f"anthropic/{ANTHROPIC_MODEL}", "api_base": f"{base}/{name}/{primary}"},
        "second": {"model": f"openai/{OPENAI_MODEL}", "api_base": f"{base}/{name}/up/v1"},
    }
    router = litellm.Router(
        model_list=[
            {"model_name": model, "litellm_params": {**place, "api_key": "k", "max_retries": 0}}
            for model, place in places.items()
        ],
        fallbacks=[{"primary": ["second"]}],
        num_retries=0,
        disable_cooldowns=True,
        timeout=_SECONDS,
    )

    def call(number: int) -> str:
        reply = router.completion(model="primary", messages=_messages(number), max_tokens=MAX_TOKENS)
        return str(reply.choices[0].message.content)

    return call


def main(base: str) -> None:
    """Follow orders with all contenders."""
    litellm.suppress_debug_info = True
    logging.disable(logging.WARNING)
    calls = {
        "litellm": completion(base),
        "litellm_router": routed(base, "litellm_router", "up"),
        "litellm_fallback": routed(base, "litellm_fallback", "down"),
    }

    def facts() -> dict[str, Any]:
        return {"versions": {"litellm": version("litellm")}}

    serve(calls, ANSWER, facts)


if __name__ == "__main__":
    main(sys.argv[1])
