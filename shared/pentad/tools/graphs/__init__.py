"""LangGraph graphs and LangChain tools as tools."""
