"""The CDK app: the only tree that imports aws_cdk. Importing it points jsii at the project's own Node.js."""

from infra import node as node
