"""What moto gets wrong of Lambda."""
