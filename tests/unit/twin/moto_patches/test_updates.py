"""Updates of items are moto's own in every way but the work that they take."""

import abc
import copy
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb.parsing import ast_nodes as moto_nodes
from moto.dynamodb.parsing import expressions, validators
from moto.dynamodb.parsing.tokens import ExpressionTokenizer

from twin.moto_patches import updates
from twin.moto_patches.patching import Patches

ast_nodes: Any = moto_nodes  # it has no types
UpdateExpressionParser: Any = vars(expressions)["UpdateExpressionParser"]
ITEM: dict[str, Any] = {
    "pk": {"S": "a"},
    "n": {"N": "3"},
    "l": {"L": [{"S": "x"}, {"S": "y"}, {"S": "z"}]},
    "set": {"NS": ["1", "2"]},
}
NESTED: dict[str, Any] = {"m": {"M": {"deep": {"M": {"n": {"N": "7"}}}, "list": {"L": [{"N": "1"}, {"N": "2"}]}}}}
NUMBER: dict[str, Any] = {":n": {"N": "5"}}
# Expressions with their names and values: those that change something, and those that are refused.
UPDATES: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("SET n = :n", {}, NUMBER),
    ("SET n = n + :n, m.deep.n = m.deep.n - :n", {}, NUMBER),
    ("SET #n = if_not_exists(#n, :n), other = if_not_exists(other, :n)", {"#n": "n"}, NUMBER),
    ("SET l = list_append(l, :l), l2 = list_append(if_not_exists(l2, :l), :l)", {}, {":l": {"L": [{"S": "w"}]}}),
    ("SET l[1] = :n, l[7] = :n REMOVE m.#l[0]", {"#l": "list"}, NUMBER),
    ("REMOVE l[0], l[2], n", {}, {}),
    ("ADD n :n, fresh :n, #set :s", {"#set": "set"}, NUMBER | {":s": {"NS": ["9"]}}),
    ("DELETE #set :s SET n = :n", {"#set": "set"}, NUMBER | {":s": {"NS": ["1"]}}),
    ("SET a = m, b = m.list[1], c = l", {}, {}),
    ("SET n = missing + :n", {}, NUMBER),
    ("SET m.missing.deep = :n", {}, NUMBER),
    ("SET l = list_append(n, :n)", {}, NUMBER),
    ("SET n = :n SET m = :n", {}, NUMBER),
    ("SET n = :n, n = :n", {}, NUMBER),
    ("SET pk = :n", {}, NUMBER),
    ("SET #other = :n", {"#n": "n"}, NUMBER),
    ("SET n = :other", {}, NUMBER),
    ("SET n =", {}, {}),
]


@pytest.fixture
def unpatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the patches away that another test may have installed for good; the lines are moto's own."""

    def make(cls: Any, text: str) -> Any:
        return cls(ExpressionTokenizer.make_list(text)).parse()

    monkeypatch.setattr(UpdateExpressionParser, "make", classmethod(make))
    monkeypatch.setattr(validators, "deepcopy", copy.deepcopy)
    walk = ast_nodes.DepthFirstTraverser.traverse_node_recursively
    monkeypatch.setattr(ast_nodes.DepthFirstTraverser, "traverse", lambda self, node: walk(self, node))

    def find_clauses(self: Any, kinds: list[type]) -> list[Any]:
        found: list[Any] = []
        for child in self.children or []:
            if type(child) in kinds:
                found.append(child)
            elif isinstance(child, (ast_nodes.Expression, ast_nodes.UpdateExpressionFunction)):
                found.extend(child.find_clauses(kinds))
        return found

    monkeypatch.setattr(ast_nodes.Node, "find_clauses", find_clauses)


@pytest.fixture
def patched(unpatched: None) -> Iterator[None]:
    patches = Patches()
    updates.apply(patches)
    yield
    patches.undo()


@mock_aws
def update_all() -> list[Any]:
    """Return what becomes of the same item by each update, twice in a row, and of an item that is not there."""
    client = boto3.client("dynamodb", region_name="us-east-1")
    client.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    found: list[Any] = []
    for text, names, values in UPDATES:
        request: dict[str, Any] = {"TableName": "t", "UpdateExpression": text, "ReturnValues": "UPDATED_NEW"}
        request |= {"ExpressionAttributeNames": names} if names else {}
        request |= {"ExpressionAttributeValues": values} if values else {}
        client.put_item(TableName="t", Item=ITEM | NESTED)
        for key in ("a", "a", f"new-{text}"):
            named = {"pk": {"S": key}}
            try:
                found.append(client.update_item(Key=named, **request)["Attributes"])
            except ClientError as error:
                found.append(error.response["Error"])
            found.append(client.get_item(TableName="t", Key=named).get("Item"))
    return found


@pytest.mark.usefixtures("unpatched")
def test_every_update_and_refusal_is_motos_own() -> None:
    by_moto = update_all()
    patches = Patches()
    updates.apply(patches)
    try:
        assert update_all() == by_moto
    finally:
        patches.undo()
    assert len({str(one) for one in by_moto}) > len(UPDATES)


@pytest.mark.usefixtures("patched")
def test_a_text_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    make_list = ExpressionTokenizer.make_list

    def note(text: str) -> Any:
        parsed.append(text)
        return make_list(text)

    monkeypatch.setattr(ExpressionTokenizer, "make_list", note)
    update_all()
    texts = [text for text, *_ in UPDATES[:-1]]
    assert [text for text in parsed if text in texts] == texts


@pytest.mark.usefixtures("patched")
def test_what_was_parsed_is_not_changed_by_what_is_done_with_it() -> None:
    before = [describe(UpdateExpressionParser.make(text)) for text, *_ in UPDATES[:-1]]
    update_all()
    assert [describe(UpdateExpressionParser.make(text)) for text, *_ in UPDATES[:-1]] == before


@pytest.mark.usefixtures("patched")
def test_a_tree_is_copied_node_by_node(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []  # what `copy.deepcopy` asks of an object that it knows nothing about
    reduce = object.__reduce_ex__

    def note(self: Any, protocol: Any) -> Any:
        copied.append(self.type)
        return reduce(self, protocol)

    monkeypatch.setattr(ast_nodes.Node, "__reduce_ex__", note)
    update_all()
    assert not copied
    root = UpdateExpressionParser.make(UPDATES[1][0])
    made = updates.copy_tree(root)
    assert describe(made) == describe(root)
    nodes, others = list(updates._iter_nodes(root)), list(updates._iter_nodes(made))
    assert not {id(one) for one in nodes} & {id(one) for one in others}
    places = {id(one): number for number, one in enumerate(nodes)} | {id(one): n for n, one in enumerate(others)}
    assert [places.get(id(one.parent)) for one in others] == [places.get(id(one.parent)) for one in nodes]


@pytest.mark.usefixtures("patched")
def test_a_walk_asks_once_what_it_is_there_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    kind: Any = validators.NoneExistingPathChecker
    tell = kind._processing_map

    def note(self: Any) -> Any:
        asked.append(self)
        return tell(self)

    monkeypatch.setattr(kind, "_processing_map", note)
    root = UpdateExpressionParser.make(UPDATES[1][0])
    assert kind().traverse(root) is root
    assert len(asked) == 1


@pytest.mark.usefixtures("patched")
def test_a_look_for_clauses_asks_no_abstract_class(monkeypatch: pytest.MonkeyPatch) -> None:
    root = UpdateExpressionParser.make(UPDATES[3][0])
    found = root.find_clauses([ast_nodes.ExpressionAttributeValue])
    assert [one.get_value_name() for one in found] == [":l", ":l", ":l"]
    asked: list[object] = []

    class Abstract(abc.ABCMeta):
        def __instancecheck__(cls, instance: object) -> bool:
            asked.append(instance)
            return super().__instancecheck__(instance)

    monkeypatch.setattr(ast_nodes, "Expression", Abstract("Expression", (), {}))
    assert root.find_clauses([ast_nodes.ExpressionAttributeValue]) == found
    assert not asked


def describe(node: Any) -> Any:
    """Return a tree's kinds, texts and numbers."""
    if not isinstance(node, ast_nodes.Node):
        return node
    return (node.type, [describe(child) for child in node.children or ()])
