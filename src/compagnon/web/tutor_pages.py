"""The pages of the tutor, each with its address and the name of its route."""

from __future__ import annotations

from compagnon.web.chat import Chat
from compagnon.web.desk import Desk
from compagnon.web.faq import FaqPages
from compagnon.web.forms import with_form
from compagnon.web.knowledge import KnowledgePages
from compagnon.web.live import Live
from compagnon.web.own import Own
from compagnon.web.pages import Add
from compagnon.web.prompts import Prompts
from compagnon.web.review import Review
from compagnon.web.talk import Talk
from compagnon.web.view import View


def add_tutor(view: View, live: Live, get: Add, post: Add) -> None:
    """Register every page of the tutor; without a tutor in solution.yaml they answer 404."""
    own, review, desk, faq = Own(view), Review(view), Desk(view), FaqPages(view, live)
    talk = Talk(view, live, own)
    chat, knowledge = Chat(view, live, own, talk), KnowledgePages(view, live)
    get("/tutor", chat.home, "tutor")
    post("/tutor", chat.start, "tutor.start")
    # Before conversations, whose addresses begin alike.
    get("/tutor/handovers", desk.list, "handovers")
    get("/tutor/handovers/{number}", desk.show, "handover")
    get("/tutor/handovers/{number}/news", desk.news, "handover.news")
    post("/tutor/handovers/{number}/take", with_form(desk.take), "handover.take")
    post("/tutor/handovers/{number}/answer", with_form(desk.answer), "handover.answer")
    post("/tutor/handovers/{number}/release", with_form(desk.release), "handover.release")
    post("/tutor/handovers/{number}/close", with_form(desk.close), "handover.close")
    get("/tutor/faq", faq.home, "faq")
    get("/tutor/faq/{proposal}", faq.show, "proposal")
    post("/tutor/faq/{proposal}/draft", faq.draft, "proposal.draft")
    post("/tutor/faq/{proposal}/decide", faq.decide, "proposal.decide")
    get("/tutor/{conversation}", chat.show, "conversation")
    post("/tutor/{conversation}", chat.say, "conversation.say")
    post("/tutor/{conversation}/person", talk.person, "conversation.person")
    get("/tutor/{conversation}/news", talk.news, "conversation.news")
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
    prompts = Prompts(view)
    get("/prompts", prompts.home, "prompts")
    post("/prompts/answers", with_form(prompts.try_), "prompts.try")
    post("/prompts/play", with_form(prompts.play), "prompts.play")
    post("/prompts/stop", with_form(prompts.stop), "prompts.stop")
    post("/prompts/ship", with_form(prompts.ship), "prompts.ship")
    post("/prompts/write", with_form(prompts.write), "prompts.write")
    get("/providers", review.providers, "providers")
