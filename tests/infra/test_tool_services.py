"""What a tool's role may do at services of AWS: what its settings need, on what they name."""

from typing import Any

from aws_cdk import App, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks
from pydantic import BaseModel

from infra.tools.services import grant_services
from pentad.tools.communication.emails import EmailSettings
from pentad.tools.communication.texts import SmsSettings
from tests.infra.conftest import joined

PLACE = "arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>"


def read_statements(settings: BaseModel | None) -> list[dict[str, Any]]:
    app = App()
    stack = Stack(app, "stack")
    grant_services(iam.Role(stack, "role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")), settings)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # A finding of cdk-nag without a recorded reason ends it.
    found = Template.from_stack(stack).to_json()["Resources"]
    policies = [one for one in found.values() if one["Type"] == "AWS::IAM::Policy"]
    return [one for policy in policies for one in policy["Properties"]["PolicyDocument"]["Statement"]]


def test_a_tool_with_ses_may_send_from_its_sender_only() -> None:
    settings = EmailSettings(
        backend="ses", sender="desk@example.com", recipient_domains=("*",), configuration_set="events"
    )
    (statement,) = read_statements(settings)
    assert statement["Action"] == "ses:SendEmail"
    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": "desk@example.com"}}
    resources = [joined(one) for one in statement["Resource"]]
    assert resources == [
        f"{PLACE}:identity/desk@example.com",
        f"{PLACE}:identity/example.com",
        f"{PLACE}:configuration-set/events",
    ]


def test_a_tool_with_text_messages_may_send_from_its_origin_only_and_reaches_no_topic() -> None:
    (statement,) = read_statements(SmsSettings(prefixes=("+41",), origin="pool/pool-1"))
    assert statement["Action"] == "sms-voice:SendTextMessage"
    assert joined(statement["Resource"]) == PLACE.replace(":ses:", ":sms-voice:") + ":pool/pool-1"
    (statement,) = read_statements(SmsSettings(backend="sns", prefixes=("+41",)))
    assert statement["Action"] == "sns:Publish"
    assert joined(statement["NotResource"]) == "arn:<AWS::Partition>:sns:*:*:*"


def test_a_tool_without_services_gets_nothing() -> None:
    assert read_statements(EmailSettings(sender="desk@example.com", host="mail", recipient_domains=("*",))) == []
    assert read_statements(None) == []
