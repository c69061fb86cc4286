// Follows one job: fills the words of the page from the server's events. Without it, a link shows the page again.
"use strict";
(() => {
  const box = document.querySelector("[data-job]");
  if (!box || box.dataset.ended || !window.EventSource) return;
  const place = (name) => document.querySelector(`[data-live="${name}"]`);
  const patience = { first: 1000, most: 30000 };
  let stream, wait = patience.first;
  const show = (now) => {
    wait = patience.first;
    for (const name of ["word", "sign", "stage", "where", "message", "error"]) place(name).textContent = now[name];
    place("state").className = `state ${now.state}`;
    const bar = place("bar");
    bar.max = now.most;
    bar.value = now.value;
    for (const part of document.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(now.state);
    if (!now.ended) return;
    stream.close();
    place("said").textContent = now.said;
  };
  const open = () => {
    stream = new EventSource(box.dataset.job);
    stream.onmessage = (event) => show(JSON.parse(event.data));
    // The browser opens a cut stream again by itself; where it gives up (a server that restarts), we do, ever more slowly.
    stream.onerror = () => {
      if (stream.readyState !== EventSource.CLOSED) return;
      setTimeout(open, wait);
      wait = Math.min(2 * wait, patience.most);
    };
  };
  open();
})();
