"""Run a model's step: one call of the gateway, answered once however often its state is tried."""

from pentad.domain.canonical import sha256_of
from pentad.domain.declarations.workflows import EXPORT_CHARACTERS, ModelStep, StepResult
from pentad.domain.errors import MalformedReply, Refused
from pentad.domain.messages import Message, TextBlock
from pentad.domain.models import CallContext, ChatReply, ChatRequest, StopReason
from pentad.domain.runs import Run
from pentad.domain.usage import Usage
from pentad.models.ledger.ports import Ledger
from pentad.models.ports import ChatModel
from pentad.orchestration.workflows.redriven_steps import find_earlier_answer
from pentad.orchestration.workflows.steps import EnteredStep, Stores, build_reference, parse_fields
from pentad.orchestration.workflows.templates import render_prompt

PURPOSE = "task"


class Task:
    """Does the model steps of workflows.

    Args:
        stores: where everything is.
        model: the gateway.
        ledger: attempts, to know what a try that was cut off has cost.
    """

    def __init__(self, stores: Stores, model: ChatModel, ledger: Ledger) -> None:
        self._stores = stores
        self._model = model
        self._ledger = ledger

    def __call__(self, at: EnteredStep, *, deadline: float) -> dict[str, object]:
        """Return the reference of a step's result: the stored one, or that of a new reply.

        Args:
            at: which step.
            deadline: ``time.time()`` by which the model has to have answered.

        Raises:
            NotFound: no such run or step.
            InvalidTransition: the run has ended.
            LimitReached: the workflow may spend no more.
            ModelUnavailable: no model could be reached.
            MalformedReply: the reply was cut, or is not what was asked for.
            PentadError: what `ChatModel` and the stores raise.
        """
        stores = self._stores
        step = stores.get_step(at, ModelStep)
        stored = stores.results.get(at.tenant_id, at.run_id, at.place)
        if stored is None:
            stored = stores.results.put(self._ask_model(at, step, deadline))
        stores.record(stored)
        return build_reference(stored, step.exports)

    def _ask_model(self, at: EnteredStep, step: ModelStep, deadline: float) -> StepResult:
        stores, began = self._stores, self._stores.now()
        run = stores.get_run(at)
        prompt = render_prompt(step.prompt, stores.make_lookup(run, at.refs))
        asked = sha256_of(["model", step.task, step.system, prompt, step.output_schema])
        earlier = find_earlier_answer(stores, run, at, asked)
        if earlier is not None:
            return earlier.model_copy(update={"fields": _limit_exports(earlier.fields, step.exports)})
        stores.check_allowed(run, at)
        reply = _check_usable(self._model.complete(self._build_request(at, step, run, prompt), deadline=deadline))
        text = reply.message.text
        fields = parse_fields(text) if step.output_schema is not None else None
        if step.output_schema is not None and fields is None:
            raise MalformedReply("the reply is not the structured output that was asked for")
        usage, cost = self._compute_spent(at, reply)
        return StepResult(
            tenant_id=at.tenant_id,
            run_id=at.run_id,
            place=at.place,
            name=at.step,
            status="succeeded",
            text=text,
            fields=_limit_exports(fields, step.exports),
            notices=reply.notices,
            provider=reply.provider,
            model=reply.model,
            usage=usage,
            cost_nanousd=cost,
            began_at=began,
            ended_at=stores.now(),
            asked=asked,
        )

    def _build_request(self, at: EnteredStep, step: ModelStep, run: Run, prompt: str) -> ChatRequest:
        message = Message(
            message_id=f"msg_{at.run_id}_{at.place:05d}_t",
            role="user",
            blocks=(TextBlock(text=prompt),),
            created_at=self._stores.now(),
            run_id=at.run_id,
            step=at.place,
        )
        return ChatRequest(
            context=CallContext(
                tenant_id=at.tenant_id,
                agent=at.agent,
                user_id=run.user_id,
                session_id=at.session_id,
                run_id=at.run_id,
                step=at.place,
                purpose=PURPOSE,
            ),
            task=step.task,
            system=step.system,
            messages=(message,),
            output_schema=step.output_schema,
        )

    def _compute_spent(self, at: EnteredStep, reply: ChatReply) -> tuple[Usage, int]:
        if not at.retry:
            return reply.usage, reply.cost_nanousd
        # An earlier try may have been killed after its answer: what that cost is on the ledger and nowhere else.
        attempts = [one for one in self._ledger.list_for_run(at.tenant_id, at.run_id) if one.context.step == at.place]
        return sum((one.usage for one in attempts), Usage()), sum(one.cost_nanousd for one in attempts)


def _check_usable(reply: ChatReply) -> ChatReply:
    """Return a reply that a workflow can go on with."""
    if reply.stop is StopReason.REFUSAL:
        raise Refused("the model declined")
    if reply.stop is not StopReason.END:
        raise MalformedReply("the reply did not end by itself", fix="raise the task's output_tokens")
    return reply


def _limit_exports(fields: dict[str, object] | None, exports: tuple[str, ...]) -> dict[str, object] | None:
    """Return the fields with exported texts cut to what may go through a state machine."""
    if fields is None:
        return None
    return {
        name: value[:EXPORT_CHARACTERS] if name in exports and isinstance(value, str) else value
        for name, value in fields.items()
    }
