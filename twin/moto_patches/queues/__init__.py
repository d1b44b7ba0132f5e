"""What moto gets wrong about queues of SQS."""
