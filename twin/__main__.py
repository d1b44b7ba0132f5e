"""``python -m twin --assembly cdk.out`` runs an assembly until a signal ends it."""

from twin.running.command import main

raise SystemExit(main())
