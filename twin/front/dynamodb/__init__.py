"""What DynamoDB refuses or delays and moto does not: limits, conflicts of transactions, late indexes."""
