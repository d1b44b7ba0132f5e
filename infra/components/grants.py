"""Grants, one line each: exact actions on exact resources, narrowed by leading keys where an item kind allows it."""

from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.components.reasons import acknowledge

READ = ("dynamodb:GetItem", "dynamodb:Query")
READ_MANY = ("dynamodb:BatchGetItem",)
APPEND = ("dynamodb:PutItem",)
WRITE = ("dynamodb:PutItem", "dynamodb:UpdateItem")
CONDITION = ("dynamodb:ConditionCheckItem",)
DELETE = ("dynamodb:DeleteItem",)
_READING = {*READ, *CONDITION, "dynamodb:BatchGetItem", "dynamodb:Scan"}
_READ_KEY = ("kms:Decrypt",)
_USE_KEY = (*_READ_KEY, "kms:GenerateDataKey")
"""What who writes may do with a key. S3 and SQS ask for a data key; DynamoDB's guide asks its users for one as well."""
_INVOKE = "bedrock:InvokeModel"
_RENEW = ("secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage")
Conditions = Mapping[str, Mapping[str, object]]
FOR_ONE_APPROVAL: Conditions = {
    "Null": {"kms:EncryptionContext:tenant": "false", "kms:EncryptionContext:approval": "false"},
    "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant", "approval"]},
}
"""A task token is encrypted for one approval of one tenant, and decrypted for the same only."""
FOR_ONE_CURSOR: Conditions = {
    "Null": {f"kms:EncryptionContext:{name}": "false" for name in ("tenant", "cursor_of", "route")},
    "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant", "cursor_of", "route"]},
}
"""A cursor is encrypted for one list of one user, and decrypted for the same only."""


def grant_table(
    role: iam.IGrantable,
    target: dynamodb.ITable,
    actions: Sequence[str],
    *,
    keys: Sequence[str] = (),
    index: str | None = None,
    conditions: Conditions | None = None,
) -> None:
    """Let a role act on a table, and with the table's key.

    Args:
        role: who.
        target: the table.
        actions: DynamoDB actions in full; none where only the index is granted.
        keys: patterns of partition keys the role may touch, from `pentad.domain.keys`; all of them where empty.
        index: an index the role may query.
        conditions: further ones, on other keys than the leading keys.
    """
    leading = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(keys)}} if keys else {}
    every = {**leading, **(conditions or {})} or None
    if actions:
        role.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(actions=list(actions), resources=[target.table_arn], conditions=every)
        )
    if index is not None:
        role.grant_principal.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["dynamodb:Query"], resources=[f"{target.table_arn}/index/{index}"], conditions=every
            )
        )
    if target.encryption_key is not None:
        using = _READ_KEY if set(actions) <= _READING else _USE_KEY
        grant_key_through(
            role, target.encryption_key, "dynamodb", using, context={"aws:dynamodb:tableName": target.table_name}
        )


def grant_audit(role: iam.IGrantable, ledger: dynamodb.ITable, key: kms.IKey, pattern: str) -> None:
    """Let a role put signed entries at the end of chains.

    Args:
        role: who.
        ledger: the table.
        key: signs.
        pattern: of the partitions of its chains, from `pentad.domain.keys`: those of one role's alone.
    """
    grant_table(role, ledger, [*APPEND, "dynamodb:Query"], keys=[pattern])
    grant_key(role, key, ("kms:GenerateMac",))


def grant_key(
    role: iam.IGrantable, target: kms.IKey, actions: Sequence[str], *, conditions: Conditions | None = None
) -> None:
    """Let a role use a key itself."""
    role.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=list(actions), resources=[target.key_arn], conditions=conditions)
    )


def grant_key_through(
    role: iam.IGrantable,
    target: kms.IKey,
    service: str,
    actions: Sequence[str] = _USE_KEY,
    *,
    context: Mapping[str, str] | None = None,
    patterns: Mapping[str, Sequence[str]] | None = None,
    conditions: Conditions | None = None,
) -> None:
    """Let a role use a key through a service only, and only for what the service names in its encryption context.

    Who has the role can't decrypt what was copied out of a table or bucket, nor use the key for another one.

    Args:
        role: who.
        target: the key.
        service: as in the service's endpoint: ``dynamodb``, ``s3``.
        actions: of KMS.
        context: names and values of the encryption context that the service is documented to use.
        patterns: names with patterns of values, of which one has to fit.
        conditions: further ones.
    """
    stack = Stack.of(target)
    wanted = {"kms:ViaService": f"{service}.{stack.region}.{stack.url_suffix}"}
    wanted |= {f"kms:EncryptionContext:{name}": value for name, value in (context or {}).items()}
    fitting = {f"kms:EncryptionContext:{name}": list(values) for name, values in (patterns or {}).items()}
    every: dict[str, dict[str, object]] = {name: dict(one) for name, one in (conditions or {}).items()}
    every["StringEquals"] = {**every.get("StringEquals", {}), **wanted}
    if fitting:
        every["StringLike"] = {**every.get("StringLike", {}), **fitting}
    grant_key(role, target, actions, conditions=every)


def grant_objects(
    role: iam.Role,
    target: s3.IBucket,
    actions: Sequence[str],
    *,
    prefix: str = "",
    conditions: Conditions | None = None,
) -> None:
    """Let a role act on the objects of a bucket below a prefix."""
    role.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(
            actions=list(actions), resources=[target.arn_for_objects(f"{prefix}*")], conditions=conditions
        )
    )
    # cdk-nag names the bucket as the importing stack does: by its export.
    export = Stack.of(target).resolve(Stack.of(target).export_value(target.bucket_arn))["Fn::ImportValue"]
    # And a variable of a policy in the brackets of its own.
    shown = prefix.replace("${", "<").replace("}", ">")
    acknowledge(
        role,
        f"AwsSolutions-IAM5[Resource::{export}/{shown}*]",
        "The bucket holds one object for each message or document and nothing else; keys are made at run time.",
    )
    if target.encryption_key is not None:
        # The bucket has a bucket key, so S3 names the bucket and not the object: S3 user guide, "Using server-side
        # encryption with AWS KMS keys (SSE-KMS)", section "Encryption context".
        using = _USE_KEY if "s3:PutObject" in actions else _READ_KEY
        grant_key_through(role, target.encryption_key, "s3", using, context={"aws:s3:arn": target.bucket_arn})


def deny_objects(role: iam.IGrantable, target: s3.IBucket, actions: Sequence[str], *, prefixes: Sequence[str]) -> None:
    """Keep a role from the objects below some prefixes, whatever patterns else fit them."""
    role.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            actions=list(actions),
            resources=[target.arn_for_objects(f"{prefix}*") for prefix in prefixes],
        )
    )


def grant_bucket(
    role: iam.IGrantable, target: s3.IBucket, actions: Sequence[str], *, conditions: Conditions | None = None
) -> None:
    """Let a role act on a bucket itself."""
    role.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=list(actions), resources=[target.bucket_arn], conditions=conditions)
    )


def grant_secret(role: iam.IGrantable, target: secretsmanager.ISecret) -> None:
    """Let a role read one secret."""
    role.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[target.secret_arn])
    )
    if target.encryption_key is not None:
        grant_key_through(
            role, target.encryption_key, "secretsmanager", ["kms:Decrypt"], context={"SecretARN": target.secret_arn}
        )


def grant_named_secret(role: iam.Role, name: str, key: kms.IKey) -> None:
    """Let a role read the secret of a name, which Secrets Manager follows by six characters in the ARN."""
    secret = Stack.of(role).format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=f"{name}-??????",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    role.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret])
    )
    grant_key_through(role, key, "secretsmanager", ["kms:Decrypt"], patterns={"SecretARN": [secret]})


def grant_tool_secret(
    role: iam.IRole,
    secret: str,
    key: kms.IKey | None,
    *,
    renews: bool = False,
    conditions: Conditions | None = None,
) -> None:
    """Let a role read a secret that a tool declares.

    Args:
        role: who.
        secret: its name, which Secrets Manager follows by six characters, or its ARN.
        key: encrypts it; None for AWS's own, whose policy lets whoever may read the secret.
        renews: it stores new refresh tokens in it.
        conditions: further ones.
    """
    arn = _find_secret_arn(role, secret)
    role.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["secretsmanager:GetSecretValue", *(_RENEW if renews else ())],
            resources=[arn],
            conditions=conditions,
        )
    )
    if key is not None:
        actions = ["kms:Decrypt", *(["kms:GenerateDataKey"] if renews else [])]
        grant_key_through(role, key, "secretsmanager", actions, patterns={"SecretARN": [arn]}, conditions=conditions)


def grant_rotation(role: iam.IRole, secret: str, key: kms.IKey | None) -> None:
    """Let a role rotate a secret.

    Args:
        role: who.
        secret: its name or its ARN.
        key: encrypts it; None for AWS's own.
    """
    arn = _find_secret_arn(role, secret)
    actions = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", *_RENEW]
    role.grant_principal.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[arn]))
    if key is not None:
        using = _USE_KEY
        grant_key_through(role, key, "secretsmanager", using, patterns={"SecretARN": [arn]})


def _find_secret_arn(role: iam.IRole, secret: str) -> str:
    """Return the pattern of a secret's ARN: Secrets Manager appends six characters to its name."""
    if secret.startswith("arn:"):
        return secret
    return Stack.of(role).format_arn(
        service="secretsmanager",
        resource="secret",
        resource_name=f"{secret}-??????",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def grant_invoke(role: iam.IGrantable, function_arns: Sequence[str]) -> None:
    """Let a role invoke functions; where there are none, such as in a project without tools, it gets nothing."""
    if not function_arns:
        return
    role.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=list(function_arns))
    )


def grant_assume_tagged(role: iam.IGrantable, target: iam.IRole) -> None:
    """Let a role assume another one with tags on the session, which that role's trust policy asks for."""
    role.grant_principal.add_to_principal_policy(
        iam.PolicyStatement(actions=["sts:AssumeRole", "sts:TagSession"], resources=[target.role_arn])
    )


def grant_invoke_versions(role: iam.Role, functions: Sequence[lambda_.IFunction]) -> None:
    """Let a role invoke every published version of functions, not what is unpublished.

    An execution calls the versions that its own definition names, long after a deployment has named others.
    """
    stack = Stack.of(role)
    for function in functions:
        grant_invoke(role, [f"{function.function_arn}:*"])
        arn = stack.resolve(function.function_arn)
        logical_id = arn["Fn::GetAtt"][0]
        acknowledge(
            role,
            f"AwsSolutions-IAM5[Resource::<{logical_id}.Arn>:*]",
            "These are the versions of one function. Lambda makes their numbers when it publishes them.",
        )


def grant_bedrock_model(role: iam.Role, model: str, region: str) -> None:
    """Let a role invoke one model at Bedrock.

    A profile (its id begins with ``global.``, ``us.``, ``eu.`` and the like) sends a request on to a region of its
    choice, so the model is granted in all of them, but through that profile only. Source: "Prerequisites for inference
    profiles" of the Bedrock user guide.

    Args:
        role: who.
        model: a model's id, or that of an inference profile.
        region: where it is called.
    """
    stack = Stack.of(role)
    profile, _, base = model.partition(".")
    if base.count(".") == 0:
        direct = f"arn:{stack.partition}:bedrock:{region}::foundation-model/{model}"
        role.add_to_principal_policy(iam.PolicyStatement(actions=[_INVOKE], resources=[direct]))
        return
    through = f"arn:{stack.partition}:bedrock:{region}:{stack.account}:inference-profile/{model}"
    anywhere = f"arn:{stack.partition}:bedrock:*::foundation-model/{base}"
    role.add_to_principal_policy(iam.PolicyStatement(actions=[_INVOKE], resources=[through]))
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=[_INVOKE],
            resources=[anywhere],
            conditions={"StringEquals": {"bedrock:InferenceProfileArn": through}},
        )
    )
    acknowledge(
        role,
        f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:bedrock:*::foundation-model/{base}]",
        f"The inference profile '{profile}' chooses the region; the role may call one model, through that profile.",
    )
