"""What keeps data: DynamoDB tables and S3 buckets."""
