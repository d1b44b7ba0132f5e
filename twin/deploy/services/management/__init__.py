"""What watches and describes: CloudWatch, log groups, parameters, and the resources of the CDK itself."""
