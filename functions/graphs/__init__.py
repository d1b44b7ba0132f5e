"""The code of LangGraph graphs; a tool's file in functions/tools/ makes one of them a tool."""
