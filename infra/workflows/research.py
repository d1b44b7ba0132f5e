"""A question is answered from several sources at once; what one of them can't say does not stop the others."""

from infra.orchestration.fragments import AtLeast, Flow, Fragment
from pentad.domain.usage import Limits


def workflow(flow: Flow) -> Fragment:
    """Researches a question from the tenant's documents, from general knowledge and from the other side.

    The sources are asked at once; two of the three have to answer. The synthesis says which source says what.
    """
    flow.limits = Limits(steps=20, seconds=1800)
    documents = flow.agent("documents", "assistant", "{{input}}")
    knowledge = flow.model(
        "knowledge",
        "Answer from what is generally known, in at most ten sentences. Say what you are not sure of.\n\n{{input}}",
    )
    doubts = flow.model(
        "doubts",
        "What do answers to a question usually get wrong or leave out? Name at most five points. "
        "The question: {{input}}",
        task="judge",
    )
    synthesis = flow.model(
        "synthesis",
        "Write one answer to the question from these sources. Where they disagree, follow the documents and say so. "
        "Name your sources by their names, never by markers in brackets: keep the names of documents in parentheses as "
        "they stand, and say what is general knowledge.\n\n"
        "<question>{{input}}</question>\n\n"
        "<passages>\n"
        '<passage document="the documents" title="what the documents say">\n{{documents}}\n</passage>\n'
        '<passage document="general knowledge" title="what is generally known">\n{{knowledge}}\n</passage>\n'
        '<passage document="doubts" title="what answers get wrong">\n{{doubts}}\n</passage>\n'
        "</passages>",
    )
    flow.answer = "{{synthesis}}"
    sources = flow.parallel(documents, knowledge, doubts, needs=AtLeast(2), name="sources")
    return flow.sequential(sources, synthesis)
