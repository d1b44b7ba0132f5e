"""A project with a LangGraph graph and a LangChain tool, on a twin of its own."""
