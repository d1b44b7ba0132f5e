"""House constructs: a function, a table, a queue, a bucket as this project wants every one of them."""
