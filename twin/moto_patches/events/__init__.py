"""What is changed in moto's EventBridge."""
