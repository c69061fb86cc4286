// Follows a conversation with a person: asks now and then whether there is something new, adds it, and says it once.
// What is being written stays. Without it, a link shows the page again.
"use strict";
(() => {
  const heard = document.querySelector("[data-heard]");
  const patience = { first: 5000, most: 60000 };
  let wait = patience.first, timer;
  const part = (name, page = document) => page.getElementById(name);
  const later = () => {
    clearTimeout(timer);
    // Not while nobody looks: coming back to the page looks at once.
    if (part("talk").dataset.talk && !document.hidden) timer = setTimeout(look, wait);
  };
  const look = async () => {
    try {
      const talk = part("talk"), news = await fetch(talk.dataset.talk, { credentials: "same-origin" });
      if (!news.ok) throw new Error(news.status);
      const { mark } = await news.json();
      if (mark !== talk.dataset.mark) await show();
      wait = patience.first;
    } catch {
      wait = Math.min(2 * wait, patience.most);
    }
    later();
  };
  const show = async () => {
    const answer = await fetch(location.pathname, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const talk = part("talk"), next = part("talk", page), said = [];
    const thread = part("thread", page);
    if (thread && !part("thread")) part("written").append(thread.cloneNode(false));
    for (const one of thread?.querySelectorAll(":scope > [id]") ?? []) {
      const known = part(one.id);
      if (known && known.dataset.v === one.dataset.v) continue;
      if (known) known.replaceWith(one);
      else part("thread").append(one);
      if (!known) for (const each of one.matches("[data-new]") ? [one] : one.querySelectorAll("[data-new]")) said.push(each.querySelector(".written").textContent);
    }
    if (said.length) said.unshift(heard.dataset.from);
    const state = part("talk-state"), now = part("talk-state", page);
    const told = (place) => place.querySelector("[data-say]")?.dataset.say ?? "";
    if (told(now) !== told(state)) said.push(told(now));
    state.replaceWith(now);
    part("notice")?.replaceWith(part("notice", page));
    reply(part("reply"), part("reply", page));
    for (const name of ["talk", "mark"]) {
      if (next.dataset[name]) talk.dataset[name] = next.dataset[name];
      else delete talk.dataset[name];
    }
    if (said.length) heard.textContent = said.join(" ");
  };
  // Another form where who reads it has changed; what was written goes with it, or the form stays.
  const reply = (old, next) => {
    const kind = (place) => place.querySelector("[data-kind]")?.dataset.kind;
    if (kind(old) === kind(next)) return;
    const from = old.querySelector("textarea"), to = next.querySelector("textarea"), text = from?.value ?? "";
    if (text && !to) return;
    const writing = from && document.activeElement === from;
    if (to && text) to.value = text;
    old.replaceWith(next);
    if (writing && to) {
      to.focus();
      to.setSelectionRange(text.length, text.length);
    }
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !part("talk").dataset.talk) return clearTimeout(timer);
    wait = patience.first;
    look();
  });
  document.addEventListener("talk", later); // an answer that ended has handed the conversation over
  later();
})();
