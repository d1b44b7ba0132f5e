"""ARNs of functions for states that are made before the functions are."""

from collections.abc import Mapping

import jsii
from aws_cdk import IStableStringProducer, Lazy


@jsii.implements(IStableStringProducer)
class _Arn:
    """The ARN of a function, asked for when the template is written: steps are made before functions are."""

    def __init__(self, arns: Mapping[str, str], name: str) -> None:
        self._arns = arns
        self._name = name

    def produce(self) -> str:
        """Return it."""
        return self._arns[self._name]


class Arns:
    """The functions of a workflow by their names: gateway, workflow, deliver, tool:NAME."""

    def __init__(self) -> None:
        self._arns: dict[str, str] = {}
        self._tokens: dict[str, str] = {}

    def get_token(self, name: str) -> str:
        """Return what stands for a function's ARN until it is known."""
        if name not in self._tokens:
            self._tokens[name] = Lazy.string(_Arn(self._arns, name))
        return self._tokens[name]

    def bind(self, arns: Mapping[str, str]) -> None:
        """Say what the ARNs are."""
        self._arns.update(arns)
