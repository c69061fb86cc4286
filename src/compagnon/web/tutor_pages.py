"""The pages of the tutor, each with its address and the name of its route."""

from __future__ import annotations

from compagnon.web.chat import Chat
from compagnon.web.forms import with_form
from compagnon.web.knowledge import KnowledgePages
from compagnon.web.live import Live
from compagnon.web.pages import Add
from compagnon.web.review import Review
from compagnon.web.view import View


def add_tutor(view: View, live: Live, get: Add, post: Add) -> None:
    """Register every page of the tutor; without a tutor in solution.yaml they answer 404."""
    review = Review(view)
    chat, knowledge = Chat(view, live), KnowledgePages(view, live)
    get("/tutor", chat.home, "tutor")
    post("/tutor", chat.start, "tutor.start")
    get("/tutor/{conversation}", chat.show, "conversation")
    post("/tutor/{conversation}", chat.say, "conversation.say")
    post("/tutor/{conversation}/rename", chat.rename, "conversation.rename")
    post("/tutor/{conversation}/delete", chat.delete, "conversation.delete")
    get("/tutor/{conversation}/export/{form}", chat.export, "conversation.export")
    get("/tutor/{conversation}/turns/{turn}/events", chat.events, "turn.events")
    post("/tutor/{conversation}/turns/{turn}/stop", chat.stop, "turn.stop")
    post("/tutor/{conversation}/turns/{turn}/retry", chat.retry, "turn.retry")
    post("/tutor/{conversation}/turns/{turn}/rate", chat.rate, "turn.rate")
    post("/tutor/{conversation}/turns/{turn}/correct", chat.correct, "turn.correct")
    get("/knowledge", knowledge.home, "knowledge")
    get("/knowledge/glossary", knowledge.glossary, "knowledge.glossary")
    get("/knowledge/{topic}", knowledge.topic, "knowledge.topic")
    get("/knowledge/{topic}/{name}", knowledge.subtopic, "knowledge.subtopic")
    get("/knowledge/{topic}/{name}/drawing.svg", knowledge.drawing, "knowledge.drawing")
    get("/corrections", review.list, "corrections")
    get("/corrections/{number}", review.show, "correction")
    post("/corrections/{number}/propose", with_form(review.propose), "correction.propose")
    post("/corrections/{number}/decide", with_form(review.decide), "correction.decide")
    get("/asked", review.asked, "asked")
    get("/providers", review.providers, "providers")
