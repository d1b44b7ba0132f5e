"""The front enforces the roles' policies, call by call and resource by resource, in AWS's own error shapes."""

import io
import json
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.front.conftest import ACCOUNT, REGION, Client, MakeRole, allow, make_table
from twin.front.front import AwsFront
from twin.iam.model import Credentials
from twin.running.grant_uses import FOLDER, write_uses

pytestmark = pytest.mark.twin
USER = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/session"


def key(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "1"}}


def denied(call: Any, **arguments: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value


def test_role_may_do_what_its_policy_allows_and_no_more(client: Client, role: MakeRole) -> None:
    table = make_table(client)
    worker = client("dynamodb", role(allow("dynamodb:PutItem", table)))
    worker.put_item(TableName="items", Item=key("a"))
    error = denied(worker.get_item, TableName="items", Key=key("a"))
    assert error.response["Error"]["Code"] == "AccessDeniedException"
    assert error.response["Error"]["Message"] == (
        f"User: {USER} is not authorized to perform: dynamodb:GetItem on resource: {table}"
        " because no identity-based policy allows the dynamodb:GetItem action"
    )


def test_what_a_role_was_allowed_is_told_beside_what_it_may_do(
    front: AwsFront, client: Client, role: MakeRole, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make_table(client)
    worker = client("dynamodb", role(allow(["dynamodb:PutItem", "dynamodb:Query"], table)))
    worker.put_item(TableName="items", Item=key("a"))
    denied(worker.get_item, TableName="items", Key=key("a"))
    monkeypatch.delenv(FOLDER, raising=False)
    write_uses(front)
    monkeypatch.setenv(FOLDER, str(tmp_path / "uses"))
    write_uses(front)
    [told] = [json.loads(path.read_text()) for path in tmp_path.rglob("*.json")]
    assert told == {"worker": {"granted": ["dynamodb:PutItem", "dynamodb:Query"], "used": ["dynamodb:PutItem"]}}


def test_grant_on_one_table_is_no_grant_on_another(client: Client, role: MakeRole) -> None:
    mine, other = make_table(client, "mine"), make_table(client, "other")
    worker = client("dynamodb", role(allow("dynamodb:*", mine)))
    worker.put_item(TableName="mine", Item=key("a"))
    assert other in str(denied(worker.put_item, TableName="other", Item=key("a")))


def test_leading_keys_narrow_every_way_to_an_item(client: Client, role: MakeRole) -> None:
    table = make_table(client)
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["T#one#*"]}}
    worker = client("dynamodb", role(allow("dynamodb:*", [table, f"{table}/index/*"], condition=condition)))
    ours, theirs = key("T#one#s"), key("T#two#s")

    def transact(item: dict[str, Any]) -> Any:
        return worker.transact_write_items(TransactItems=[{"Put": {"TableName": "items", "Item": item}}])

    def batch(item: dict[str, Any]) -> Any:
        return worker.batch_write_item(RequestItems={"items": [{"PutRequest": {"Item": item}}]})

    def query(item: dict[str, Any]) -> Any:
        return worker.query(
            TableName="items",
            KeyConditionExpression="#k = :k AND begins_with(sk, :s)",
            ExpressionAttributeNames={"#k": "pk"},
            ExpressionAttributeValues={":k": item["pk"], ":s": {"S": "x"}},
        )

    def query_index(item: dict[str, Any]) -> Any:
        return worker.query(
            TableName="items",
            IndexName="gsi1",
            KeyConditionExpression="gsi1pk = :k",
            ExpressionAttributeValues={":k": item["pk"]},
        )

    def batch_get(item: dict[str, Any]) -> Any:
        return worker.batch_get_item(RequestItems={"items": {"Keys": [item]}})

    for attempt in (transact, batch, query, query_index, batch_get):
        attempt(ours)
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt(theirs)


def test_transaction_needs_the_permission_of_each_item(client: Client, role: MakeRole) -> None:
    table = make_table(client)
    worker = client("dynamodb", role(allow("dynamodb:PutItem", table)))
    put = {"Put": {"TableName": "items", "Item": key("a")}}
    check = {"ConditionCheck": {"TableName": "items", "Key": key("b"), "ConditionExpression": "attribute_exists(pk)"}}
    worker.transact_write_items(TransactItems=[put])
    error = denied(worker.transact_write_items, TransactItems=[put, check])
    assert "dynamodb:ConditionCheckItem" in str(error)


def test_removed_grant_is_denied_at_once(client: Client, role: MakeRole) -> None:
    table = make_table(client)
    worker = client("dynamodb", role(allow("dynamodb:PutItem", table)))
    worker.put_item(TableName="items", Item=key("a"))
    client("iam").delete_role_policy(RoleName="worker", PolicyName="inline")
    assert "AccessDenied" in str(denied(worker.put_item, TableName="items", Item=key("a")))


def test_managed_policy_counts(client: Client, role: MakeRole) -> None:
    table = make_table(client)
    worker = client("dynamodb", role(allow("s3:*", "*")))
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow("dynamodb:PutItem", table)]})
    arn = client("iam").create_policy(PolicyName="managed", PolicyDocument=document)["Policy"]["Arn"]
    denied(worker.put_item, TableName="items", Item=key("a"))
    client("iam").attach_role_policy(RoleName="worker", PolicyArn=arn)
    worker.put_item(TableName="items", Item=key("a"))
    assert client("dynamodb").scan(TableName="items")["Items"] == [key("a")]


def test_denials_have_each_services_own_shape(client: Client, role: MakeRole) -> None:
    nobody = role()
    client("s3").create_bucket(Bucket="docs")
    queue = client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
    calls: dict[str, list[tuple[Any, dict[str, Any]]]] = {
        "AccessDenied": [
            (client("s3", nobody).put_object, {"Bucket": "docs", "Key": "k", "Body": b"x"}),
            (client("sqs", nobody).send_message, {"QueueUrl": queue, "MessageBody": "x"}),
            (client("cloudwatch", nobody).put_metric_data, {"Namespace": "n", "MetricData": []}),
        ],
        "AccessDeniedException": [
            (client("events", nobody).put_events, {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]}),
            (client("lambda", nobody).invoke, {"FunctionName": "fn"}),
            (client("secretsmanager", nobody).get_secret_value, {"SecretId": "s"}),
            (client("stepfunctions", nobody).start_execution, {"stateMachineArn": "arn:aws:states:::x", "input": "{}"}),
            (client("kms", nobody).decrypt, {"CiphertextBlob": b"x"}),
            (client("logs", nobody).create_log_group, {"logGroupName": "g"}),
            (client("ssm", nobody).get_parameter, {"Name": "p"}),
            (client("xray", nobody).put_trace_segments, {"TraceSegmentDocuments": ["{}"]}),
        ],
        "AuthorizationError": [(client("sns", nobody).publish, {"TopicArn": "arn:aws:sns:::t", "Message": "m"})],
    }
    for code, attempts in calls.items():
        for call, arguments in attempts:
            error = denied(call, **arguments)
            assert error.response["Error"]["Code"] == code, error
            assert f"User: {USER} is not authorized to perform: " in error.response["Error"]["Message"]


def test_absent_object_is_forbidden_to_who_may_not_list_the_bucket(client: Client, role: MakeRole) -> None:
    client("s3").create_bucket(Bucket="docs")
    reader = allow("s3:GetObject", "arn:aws:s3:::docs/*")
    blind = client("s3", role(reader, name="blind"))
    lister = client("s3", role(reader, allow("s3:ListBucket", "arn:aws:s3:::docs"), name="lister"))
    assert denied(blind.get_object, Bucket="docs", Key="k").response["Error"]["Code"] == "AccessDenied"
    assert denied(blind.head_object, Bucket="docs", Key="k").response["Error"]["Code"] == "403"
    assert denied(lister.get_object, Bucket="docs", Key="k").response["Error"]["Code"] == "NoSuchKey"


def test_prefix_of_a_bucket_can_be_granted(client: Client, role: MakeRole) -> None:
    client("s3").create_bucket(Bucket="docs")
    worker = client("s3", role(allow(["s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::docs/in/*")))
    worker.put_object(Bucket="docs", Key="in/a b/é.txt", Body=b"x")
    denied(worker.put_object, Bucket="docs", Key="out/a", Body=b"x")
    denied(worker.delete_objects, Bucket="docs", Delete={"Objects": [{"Key": "in/a"}, {"Key": "out/a"}]})
    assert client("s3").get_object(Bucket="docs", Key="in/a b/é.txt")["Body"].read() == b"x"


def test_presigned_url_acts_with_the_signers_rights(client: Client, role: MakeRole) -> None:
    client("s3").create_bucket(Bucket="docs")
    client("s3").put_object(Bucket="docs", Key="in/a", Body=b"content")
    client("s3").put_object(Bucket="docs", Key="out/a", Body=b"content")
    worker = client("s3", role(allow("s3:GetObject", "arn:aws:s3:::docs/in/*")))

    def fetch(name: str) -> bytes:
        url = worker.generate_presigned_url("get_object", Params={"Bucket": "docs", "Key": name})
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - the front's own URL
            return bytes(response.read())

    assert fetch("in/a") == b"content"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch("out/a")


def test_bucket_policy_is_evaluated_with_its_conditions(client: Client, role: MakeRole) -> None:
    """Moto leaves the condition out, and denies every upload."""
    s3 = client("s3")
    s3.create_bucket(Bucket="docs")
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::docs/*", "Condition": plain}
    s3.put_bucket_policy(Bucket="docs", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    worker = client("s3", role(allow("s3:PutObject", "arn:aws:s3:::docs/*")))
    worker.put_object(Bucket="docs", Key="a", Body=b"x")
    assert s3.get_object(Bucket="docs", Key="a")["Body"].read() == b"x"


def test_queue_policy_denies_even_the_allowed(client: Client, role: MakeRole) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"
    worker = client("sqs", role(allow("sqs:SendMessage", arn)))
    worker.send_message(QueueUrl=url, MessageBody="x")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [deny]})})
    assert "explicit deny in a resource-based policy" in str(denied(worker.send_message, QueueUrl=url, MessageBody="x"))


def test_queue_keeps_its_policy_when_other_attributes_are_set(client: Client) -> None:
    """Moto takes it away."""
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    policy = json.dumps({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "2"})
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (json.loads(shown["Policy"]), shown["VisibilityTimeout"]) == (json.loads(policy), "2")


def test_service_needs_a_resource_policy(front: AwsFront, client: Client) -> None:
    url = client("sqs").create_queue(QueueName="jobs")["QueueUrl"]
    queue, rule = f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r"
    check = front.authorizer.evaluate_for_service
    assert not check("events.amazonaws.com", "sqs:SendMessage", queue, rule).allowed
    statement = {
        **allow("sqs:SendMessage", queue, condition={"ArnEquals": {"aws:SourceArn": rule}}),
        "Principal": {"Service": "events.amazonaws.com"},
    }
    client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
    assert check("events.amazonaws.com", "sqs:SendMessage", queue, rule).allowed
    assert not check("events.amazonaws.com", "sqs:SendMessage", queue, f"{rule}2").allowed
    assert not check("sns.amazonaws.com", "sqs:SendMessage", queue, rule).allowed


def test_function_permission_lets_a_service_invoke(front: AwsFront, client: Client, role: MakeRole) -> None:
    role(name="fn-role")
    client("lambda").create_function(
        FunctionName="fn", Role=f"arn:aws:iam::{ACCOUNT}:role/fn-role", Runtime="python3.13", Handler="a.b",
        Code={"ZipFile": empty_zip()},
    )  # fmt: skip
    function, api = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn", f"arn:aws:execute-api:{REGION}:{ACCOUNT}:api/*"
    check = front.authorizer.evaluate_for_service
    assert not check("apigateway.amazonaws.com", "lambda:InvokeFunction", function, api).allowed
    client("lambda").add_permission(
        FunctionName="fn", StatementId="api", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com", SourceArn=api,
    )  # fmt: skip
    assert check("apigateway.amazonaws.com", "lambda:InvokeFunction", function, api).allowed
    assert not check("events.amazonaws.com", "lambda:InvokeFunction", function, api).allowed


def empty_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.py", "")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("dynamodb", "list_tables", "UnrecognizedClientException"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("sqs", "list_queues", "InvalidClientTokenId"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("lambda", "list_functions", "UnrecognizedClientException"),
    ],
)
def test_unknown_key_is_refused(client: Client, service: str, operation: str, code: str) -> None:
    stranger = client(service, Credentials("AKIASTRANGERSTRANGER", "secret", "token"))
    assert denied(getattr(stranger, operation)).response["Error"]["Code"] == code


def test_session_token_of_another_session_is_refused(front: AwsFront, client: Client, role: MakeRole) -> None:
    good = role(allow("dynamodb:ListTables", "*"))
    client("dynamodb", good).list_tables()
    mixed = Credentials(good.access_key_id, good.secret_access_key, "another token")
    assert "UnrecognizedClient" in str(denied(client("dynamodb", mixed).list_tables))


def test_unsigned_request_is_refused_and_cannot_reset_the_account(front: AwsFront) -> None:
    for path in ("/", "/moto-api/reset", "/bucket/key"):
        request = urllib.request.Request(front.url + path, method="POST", data=b"")  # noqa: S310 - the front's own URL
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request, timeout=5)  # noqa: S310


def test_policy_that_cannot_be_evaluated_denies_and_says_why(client: Client, role: MakeRole) -> None:
    table = make_table(client)
    condition = {"StringEquals": {"aws:PrincipalOrgID": "one"}}
    worker = client("dynamodb", role(allow("dynamodb:PutItem", table, condition=condition)))
    error = denied(worker.put_item, TableName="items", Item=key("a"))
    assert "the local twin does not support the condition key 'aws:PrincipalOrgID'" in str(error)


def test_service_that_cannot_be_classified_is_denied(client: Client, role: MakeRole) -> None:
    worker = client("rekognition", role(allow("*", "*")))
    assert "cannot authorise calls of the service 'rekognition'" in str(denied(worker.list_collections))


def test_the_policy_of_a_bus_refuses_a_source_to_others_than_it_names(client: Client, role: MakeRole) -> None:
    arn = client("events").create_event_bus(Name="own")["EventBusArn"]
    own, other = (client("events", role(allow("events:PutEvents", arn), name=name)) for name in ("own", "other"))
    seal = {
        "Sid": "Seal",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": arn,
        "Condition": {
            "StringEquals": {"events:source": "stack"},
            "ArnNotEquals": {"aws:PrincipalArn": [f"arn:aws:iam::{ACCOUNT}:role/own"]},
        },
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [seal]})
    client("events").put_permission(EventBusName="own", Policy=policy)

    def entries(*sources: str) -> list[dict[str, Any]]:
        return [{"Source": one, "DetailType": "t", "Detail": "{}", "EventBusName": "own"} for one in sources]

    assert own.put_events(Entries=entries("stack", "shop"))["FailedEntryCount"] == 0
    assert other.put_events(Entries=entries("shop"))["FailedEntryCount"] == 0
    for forged in (entries("stack"), entries("shop", "stack")):
        error = denied(other.put_events, Entries=forged)
        assert error.response["Error"]["Code"] == "AccessDeniedException"
        assert "with an explicit deny in a resource-based policy" in error.response["Error"]["Message"]


def test_the_policy_of_a_table_holds_for_the_table_and_its_indexes(client: Client, role: MakeRole) -> None:
    table = make_table(client)
    worker = client("dynamodb", role(allow("dynamodb:*", [table, f"{table}/index/*"])))
    worker.put_item(TableName="items", Item=key("a"))
    shut = {"Effect": "Deny", "Principal": "*", "Action": "dynamodb:Query", "Resource": [table, f"{table}/index/*"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [shut]})
    client("dynamodb").put_resource_policy(ResourceArn=table, Policy=policy)
    worker.put_item(TableName="items", Item=key("a"))
    asked = {"TableName": "items", "ExpressionAttributeValues": {":p": {"S": "a"}}}
    for more in (
        {"KeyConditionExpression": "pk = :p"},
        {"KeyConditionExpression": "gsi1pk = :p", "IndexName": "gsi1"},
    ):
        assert "explicit deny in a resource-based policy" in str(denied(worker.query, **asked, **more))
