"""Operations of HTTP APIs that an OpenAPI document describes, each as a tool."""
