// Follows one answer: adds its sentences as they come, then shows the finished page of the answer and says so once.
// Without it, the form waits for the whole answer. Nothing received is ever taken for markup but our own page.
"use strict";
(() => {
  if (!window.EventSource) return;
  // These forms need not wait: the page that follows listens.
  const listen = (part) => {
    for (const form of part.querySelectorAll("form[data-ask]")) {
      const live = form.appendChild(document.createElement("input"));
      Object.assign(live, { type: "hidden", name: "live", value: "1" });
    }
  };
  listen(document);
  // What is being written outlives a reload and the way back; it goes once it is sent.
  const question = document.querySelector("#question");
  const place = `question ${location.pathname}`;
  const keep = (act) => { try { return act(sessionStorage); } catch { return null; } };
  if (question && !question.value) question.value = keep((kept) => kept.getItem(place)) || "";
  // On the document: the form may be replaced by another.
  document.addEventListener("input", (event) => {
    if (event.target.id === "question") keep((kept) => kept.setItem(place, event.target.value));
  });
  document.addEventListener("submit", (event) => {
    if (event.target.elements.namedItem("question")) keep((kept) => kept.removeItem(place));
  });

  const turn = document.querySelector("[data-stream]");
  if (!turn) return;
  const said = document.querySelector("[data-said]");
  const answer = turn.querySelector("[data-answer]");
  const waiting = turn.querySelector("[data-waiting]");
  const cut = turn.querySelector("[data-cut]");
  const link = waiting.querySelector("a");
  const patience = { first: 1000, most: 15000 };
  let seen = Number(turn.dataset.from), wait = patience.first, late, stream;
  link.hidden = true;
  const tags = { heading: "h3", code: "pre", point: "li", note: "p", text: "p" };
  const add = (line) => {
    let part = waiting.previousElementSibling;
    if (line.kind === "point") {
      if (!part || part.tagName !== "UL") waiting.before((part = document.createElement("ul")));
      part = part.appendChild(document.createElement("li"));
    } else if (line.kind !== "text" || !part || part.dataset.kind !== "text") {
      waiting.before((part = document.createElement(tags[line.kind] || "p")));
      part.dataset.kind = line.kind;
      if (line.kind === "note") part.className = "said-of-itself";
    }
    part.append(line.text);
    for (const number of line.citations) part.appendChild(document.createElement("sup")).textContent = `[${number}]`;
    part.append(" ");
  };
  const finish = async () => {
    stream.close();
    try {
      const page = await fetch(`${location.pathname}?turn=${turn.id.slice(5)}`, { credentials: "same-origin" });
      if (!page.ok) throw new Error(page.status);
      const next = new DOMParser().parseFromString(await page.text(), "text/html");
      const whole = next.getElementById(turn.id);
      if (whole.dataset.stream) return again();
      const writing = turn.contains(document.activeElement);
      turn.replaceWith(whole);
      if (writing) whole.focus();
      listen(whole);
      // The answer may have handed the conversation over to a person.
      const talk = next.getElementById("talk"), before = document.getElementById("talk");
      before.replaceWith(talk);
      document.dispatchEvent(new Event("talk"));
      said.textContent = [said.dataset.done, talk.querySelector("[data-say]")?.dataset.say].filter(Boolean).join(" ");
    } catch {
      again();
    }
  };
  // The browser opens a stream again by itself; where it gives up (a server that restarts), we do, ever more slowly.
  const again = () => {
    cut.hidden = false;
    setTimeout(open, wait);
    wait = Math.min(2 * wait, patience.most);
  };
  const open = () => {
    stream = new EventSource(`${turn.dataset.stream}?from=${seen}`);
    stream.onopen = () => {
      clearTimeout(late);
      cut.hidden = true;
    };
    stream.addEventListener("line", (event) => {
      wait = patience.first;
      const number = Number(event.lastEventId);
      if (number <= seen) return;
      seen = number;
      add(JSON.parse(event.data));
    });
    stream.addEventListener("end", finish);
    stream.onerror = () => {
      if (stream.readyState === EventSource.CLOSED) return again();
      // A stream that ends is opened again at once: only what lasts is worth saying.
      clearTimeout(late);
      late = setTimeout(() => { cut.hidden = false; }, 3000);
    };
  };
  open();
})();
