"""A LangChain chat model whose calls go through the gateway: budgets, ledger, cache, breaker and fallback all apply."""

import time
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, ValidationError

from pentad.domain.declarations.agents import ToolSpec
from pentad.domain.errors import InvalidInput, MalformedReply
from pentad.domain.models import CallContext, ChatRequest
from pentad.domain.reading.json_text import read_json
from pentad.models.ports import ChatModel
from pentad.models.structured.schemas import build_strict_schema
from pentad.tools.graphs.adapters.langgraph_messages import sanitise_name, to_answer, to_request, to_tool_spec
from pentad.tools.graphs.adapters.langgraph_tools import show_result
from pentad.tools.graphs.nodes import MADE
from pentad.tools.results.read import READ_RESULT

_SECONDS = 120.0
_ANY = ("any", "required", True)


def _compute_deadline() -> float:
    return time.time() + _SECONDS


class PentadChatModel(BaseChatModel):
    """A chat model for LangChain and LangGraph.

    A failure is an error of ours, also where no model could be reached: the run's retry goes on at the checkpoint.
    Streaming yields the answer in one piece.

    Args:
        gateway: answers the calls: the gateway's function, or any other `pentad.models.ports.ChatModel`.
        context: on whose behalf calls are made: tenant, run and step stand in the ledger.
        deadline: returns the ``time.time()`` by which an answer is of use.
        check: called before each call; what it raises keeps the model from being asked.
        task: the gateway's task; ``tier`` or ``model_id`` instead where they are given.
        max_output_tokens: cap of a reply.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    gateway: SkipValidation[ChatModel] = Field(exclude=True)
    context: CallContext
    deadline: Callable[[], float] = Field(default=_compute_deadline, exclude=True)
    check: Callable[[], object] | None = Field(default=None, exclude=True)
    task: str = "reason"
    tier: str | None = None
    model_id: str | None = None
    max_output_tokens: int | None = None

    @property
    def _llm_type(self) -> str:
        return "pentad"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"task": self.task, "tier": self.tier, "model": self.model_id}

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | bool | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model with tools.

        Args:
            tools: whatever LangChain takes for a tool.
            tool_choice: ``auto``, ``none``, ``any``, or the name of the one tool that has to be called.
            kwargs: further options of the call.
        """
        given = [(to_tool_spec(tool), tool) for tool in tools]
        named = isinstance(tool_choice, str) and tool_choice not in ("auto", "none", "any", "required")
        if named:
            # The gateway can demand a call, not which: so it is shown the one tool only.
            given = [pair for pair in given if pair[0]["name"] == sanitise_name(str(tool_choice))]
            if not given:
                raise InvalidInput(f"no tool '{tool_choice}'", field="tool_choice", fix="name a bound tool")
        choice = "required" if named or tool_choice in _ANY else tool_choice or "auto"
        own = {spec["name"]: _get_tool_name(tool) for spec, tool in given}
        return self.bind(tools=[spec for spec, _ in given], tool_choice=choice, tool_names=own, **kwargs)

    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, method: str = "json_schema", **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """Return this model with answers that fit a schema; the gateway checks them and has them repaired once.

        Args:
            schema: a pydantic class, a TypedDict or a JSON Schema.
            include_raw: answer ``{raw, parsed, parsing_error}``.
            method: ``json_schema``, or ``function_calling`` for LangChain's own way by a tool.
            kwargs: of LangChain's own way.
        """
        if method == "function_calling":
            return super().with_structured_output(schema, include_raw=include_raw, **kwargs)
        is_model = isinstance(schema, type) and issubclass(schema, BaseModel)
        wanted = build_strict_schema(schema) if is_model else convert_to_json_schema(schema)
        asked = self.bind(output_schema=wanted)
        parse = RunnableLambda(lambda message: _parse_answer(message, schema if is_model else None))
        if not include_raw:
            return asked | parse
        told = RunnablePassthrough.assign(parsed=itemgetter("raw") | parse, parsing_error=lambda _: None)
        failed = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap({"raw": asked}) | told.with_fallbacks([failed], exception_key="parsing_error")

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        names: dict[str, str] = kwargs.pop("tool_names", {})
        if self.check is not None:
            self.check()
        reply = self.gateway.complete(self._build_request(messages, kwargs), deadline=self.deadline())
        answer = to_answer(reply, names)
        if stop:
            answer.content = _trim_at_stop(str(answer.content), stop)
        told = {"model_name": reply.model, MADE: [one.attempt_id for one in reply.attempts]}
        return ChatResult(generations=[ChatGeneration(message=answer)], llm_output=told)

    def _build_request(self, messages: list[BaseMessage], options: dict[str, Any]) -> ChatRequest:
        reads_on = any(spec["name"] == READ_RESULT for spec in options.get("tools", ()))
        system, conversation = to_request(messages, show_result if reads_on else None)
        try:
            return ChatRequest(
                context=self.context,
                task=options.pop("task", self.task),
                tier=options.pop("tier", self.tier),
                model=options.pop("model_id", self.model_id),
                system=system,
                messages=conversation,
                tools=tuple(ToolSpec.model_validate(spec) for spec in options.pop("tools", ())),
                tool_choice=options.pop("tool_choice", "auto"),
                output_schema=options.pop("output_schema", None),
                max_output_tokens=options.pop("max_output_tokens", self.max_output_tokens),
                **options,
            )
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(map(str, first["loc"]))
            raise InvalidInput(f"the gateway does not accept {field}: {first['msg']}", field=field) from error


def _get_tool_name(tool: Any) -> str:
    from langchain_core.utils.function_calling import convert_to_openai_tool

    return str(convert_to_openai_tool(tool)["function"]["name"])


def _trim_at_stop(text: str, stop: Sequence[str]) -> str:
    """Return the text up to the first stop sequence; providers' newest models take none, so it is cut here."""
    return text[: min((place for word in stop if (place := text.find(word)) >= 0), default=len(text))]


def _parse_answer(message: BaseMessage, model: type[BaseModel] | None) -> Any:
    text = str(message.text)
    try:
        return read_json(text) if model is None else model.model_validate_json(text)
    except ValueError as error:  # pydantic's error is one
        raise MalformedReply(f"the answer does not fit the schema: {type(error).__name__}") from error
