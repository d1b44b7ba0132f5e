"""API Gateway v2 HTTP APIs: the front on its own port serves them, moto keeps them for its API."""

from typing import Any

from twin.deploy.deployment import HttpApi, HttpAuthorizer, HttpIntegration, HttpRoute, HttpStage
from twin.deploy.registry import METADATA, TAGS, Created, JsonObject, Resource, register_resource

_INTEGRATION_TIMEOUT = 30_000
_AUTHORIZER_TTL = 300


@register_resource(
    "AWS::ApiGatewayV2::Api",
    handled={"Name", "ProtocolType", "CorsConfiguration"},
    ignored={
        "Description": METADATA,
        "Version": METADATA,
        "Tags": TAGS,
        "DisableExecuteApiEndpoint": "the laptop has no other domain",
        "IpAddressType": "the front listens on the loopback interface",
    },
)
def create_api(target: Resource, properties: JsonObject) -> Created:
    """Create an HTTP API."""
    if properties.get("ProtocolType") != "HTTP":
        raise target.build_error("the local twin runs HTTP APIs only, no WebSocket APIs")
    cors = properties.get("CorsConfiguration")
    request: dict[str, Any] = {"Name": properties["Name"], "ProtocolType": "HTTP"}
    if cors is not None:
        request["CorsConfiguration"] = cors
    api_id = target.get_client("apigatewayv2").create_api(**request)["ApiId"]
    target.deployment.http_apis[api_id] = HttpApi(api_id, properties["Name"], cors)
    locate = target.place.api_endpoint
    remote = f"https://{api_id}.execute-api.{target.place.region}.amazonaws.com"
    endpoint = remote if locate is None else locate(api_id)
    return Created(api_id, {"ApiId": api_id, "ApiEndpoint": endpoint})


def _get_api(target: Resource, properties: JsonObject) -> HttpApi:
    found = target.deployment.http_apis.get(properties["ApiId"])
    if found is None:
        raise target.build_error(f"the API {properties['ApiId']} is not part of the assembly")
    return found


@register_resource(
    "AWS::ApiGatewayV2::Integration",
    handled={
        "ApiId",
        "IntegrationType",
        "IntegrationUri",
        "IntegrationMethod",
        "PayloadFormatVersion",
        "TimeoutInMillis",
        "ConnectionType",
    },
    ignored={"Description": METADATA},
)
def create_integration(target: Resource, properties: JsonObject) -> Created:
    """Create a Lambda proxy integration."""
    if properties["IntegrationType"] != "AWS_PROXY" or properties.get("PayloadFormatVersion") != "2.0":
        raise target.build_error("the local twin runs AWS_PROXY integrations with payload format 2.0 only")
    request = {key: value for key, value in properties.items() if key != "ConnectionType"}
    made = target.get_client("apigatewayv2").create_integration(**request)
    identifier: str = made["IntegrationId"]
    _get_api(target, properties).integrations[identifier] = HttpIntegration(
        id=identifier,
        function=_function_arn(properties["IntegrationUri"]),
        timeout=int(properties.get("TimeoutInMillis", _INTEGRATION_TIMEOUT)),
    )
    return Created(identifier, {"IntegrationId": identifier})


def _function_arn(uri: str) -> str:
    """Return the function ARN in an integration or authorizer URI (bare, or in the invocations path)."""
    if "/functions/" in uri:
        return uri.split("/functions/", 1)[1].removesuffix("/invocations")
    return uri


@register_resource(
    "AWS::ApiGatewayV2::Authorizer",
    handled={
        "ApiId",
        "AuthorizerType",
        "AuthorizerUri",
        "AuthorizerPayloadFormatVersion",
        "AuthorizerResultTtlInSeconds",
        "EnableSimpleResponses",
        "IdentitySource",
        "JwtConfiguration",
        "Name",
    },
    ignored={"IdentityValidationExpression": "WebSocket APIs only"},
)
def create_authorizer(target: Resource, properties: JsonObject) -> Created:
    """Create a Lambda or JWT authorizer."""
    kind = properties["AuthorizerType"]
    if kind == "REQUEST" and properties.get("AuthorizerPayloadFormatVersion") != "2.0":
        raise target.build_error("the local twin runs authorizers with payload format 2.0 only")
    made = target.get_client("apigatewayv2").create_authorizer(**properties)
    identifier: str = made["AuthorizerId"]
    jwt = properties.get("JwtConfiguration", {})
    uri = properties.get("AuthorizerUri")
    sources = properties.get("IdentitySource", [])
    # AWS caches a Lambda authorizer's answer only if asked; CDK asks for 300 s unless told otherwise.
    ttl = properties.get("AuthorizerResultTtlInSeconds", _AUTHORIZER_TTL if sources else 0)
    _get_api(target, properties).authorizers[identifier] = HttpAuthorizer(
        id=identifier,
        name=properties["Name"],
        kind=kind,
        function=_function_arn(uri) if uri else None,
        identity_sources=tuple(sources),
        cache_ttl=int(ttl),
        simple_responses=bool(properties.get("EnableSimpleResponses", False)),
        issuer=jwt.get("Issuer"),
        audience=tuple(jwt.get("Audience", [])),
    )
    return Created(identifier, {"AuthorizerId": identifier})


@register_resource(
    "AWS::ApiGatewayV2::Route",
    handled={"ApiId", "RouteKey", "Target", "AuthorizationType", "AuthorizerId", "AuthorizationScopes"},
    ignored={"OperationName": METADATA, "ApiKeyRequired": "WebSocket APIs only"},
)
def create_route(target: Resource, properties: JsonObject) -> Created:
    """Create a route."""
    if properties.get("AuthorizationType", "NONE") not in ("NONE", "CUSTOM", "JWT"):
        raise target.build_error(f"the authorization type {properties['AuthorizationType']} does not run locally")
    made = target.get_client("apigatewayv2").create_route(**properties)
    identifier: str = made["RouteId"]
    _get_api(target, properties).routes.append(
        HttpRoute(
            id=identifier,
            key=properties["RouteKey"],
            integration=properties["Target"].split("/", 1)[1],
            authorizer=properties.get("AuthorizerId"),
            scopes=tuple(properties.get("AuthorizationScopes", [])),
        )
    )
    return Created(identifier, {"RouteId": identifier})


@register_resource(
    "AWS::ApiGatewayV2::Stage",
    handled={"ApiId", "StageName", "StageVariables", "AutoDeploy"},
    ignored={
        "AccessLogSettings": "the front logs each request itself",
        "DefaultRouteSettings": "throttling protects an account, a laptop has one caller",
        "RouteSettings": "throttling protects an account, a laptop has one caller",
        "Description": METADATA,
        "Tags": TAGS,
    },
)
def create_stage(target: Resource, properties: JsonObject) -> Created:
    """Create a stage; whether it deploys by itself does not matter, since the routes are those of the assembly."""
    name = properties["StageName"]
    variables = properties.get("StageVariables", {})
    request = {key: value for key, value in properties.items() if key in ("ApiId", "StageName", "StageVariables")}
    target.get_client("apigatewayv2").create_stage(**request)
    _get_api(target, properties).stages.append(HttpStage(name, variables))
    return Created(name)
