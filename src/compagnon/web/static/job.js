// Follows one job: fills the words of the page from the server's events. Without it, a link shows the page again.
"use strict";
(() => {
  const box = document.querySelector("[data-job]");
  if (!box || box.dataset.ended || !window.EventSource) return;
  const place = (name) => box.querySelector(`[data-live="${name}"]`);
  let stream;
  const show = (now) => {
    for (const name of ["word", "sign", "stage", "where", "message"]) place(name).textContent = now[name];
    place("state").className = `state ${now.state}`;
    const bar = place("bar");
    bar.max = now.most;
    bar.value = now.value;
    if (!now.ended) return;
    stream.close();
    place("said").textContent = now.said;
    for (const part of document.querySelectorAll("[data-until-ended]")) part.hidden = true;
    for (const part of document.querySelectorAll("[data-when-ended]")) part.hidden = false;
  };
  const open = () => {
    stream = new EventSource(box.dataset.job);
    stream.onmessage = (event) => show(JSON.parse(event.data));
    // The browser opens a cut stream again by itself; where it gives up (a server that restarts), we do.
    stream.onerror = () => { if (stream.readyState === EventSource.CLOSED) setTimeout(open, 2000); };
  };
  open();
})();
