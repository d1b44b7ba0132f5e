"""A shop that takes orders: an HTTP API, a function, a table, a queue and a state machine."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as api
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as awslambda
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as states
from aws_cdk import aws_stepfunctions_tasks as tasks

_CODE = Path(__file__).parent / "functions"


class ShopStack(cdk.Stack):
    """POST /orders starts a state machine, which stores the order and puts a message into a queue."""

    def __init__(self, scope: cdk.App, name: str) -> None:
        super().__init__(scope, name)
        table = dynamodb.Table(
            self,
            "Orders",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        )
        parcels = sqs.Queue(self, "Parcels")
        store = self._build_function("Store", "store.handler", TABLE=table.table_name)
        table.grant_write_data(store)
        send = tasks.SqsSendMessage(
            self, "Send", queue=parcels, message_body=states.TaskInput.from_json_path_at("$.Payload.id")
        )
        chain = tasks.LambdaInvoke(self, "StoreOrder", lambda_function=store).next(send)
        machine = states.StateMachine(self, "Order", definition_body=states.DefinitionBody.from_chainable(chain))
        take = self._build_function("Take", "take.handler", MACHINE=machine.state_machine_arn)
        machine.grant_start_execution(take)
        http = api.HttpApi(self, "Api")
        http.add_routes(
            path="/orders",
            methods=[api.HttpMethod.POST],
            integration=integrations.HttpLambdaIntegration("TakeOrder", take),
        )
        for output, value in (("Url", http.api_endpoint), ("Table", table.table_name), ("Queue", parcels.queue_url)):
            cdk.CfnOutput(self, output, value=value)

    def _build_function(self, name: str, handler: str, **environment: Any) -> awslambda.Function:
        return awslambda.Function(
            self,
            name,
            runtime=awslambda.Runtime.PYTHON_3_11,
            handler=handler,
            code=awslambda.Code.from_asset(str(_CODE)),
            environment=environment,
            timeout=cdk.Duration.seconds(10),
        )


def main() -> None:
    """Write the cloud assembly."""
    app = cdk.App()
    ShopStack(app, "shop")
    app.synth()


if __name__ == "__main__":
    main()
