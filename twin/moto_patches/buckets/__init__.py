"""What is changed in the buckets of moto's S3."""
