"""Deploy a cloud assembly into the local AWS, resource by resource, through boto3."""
