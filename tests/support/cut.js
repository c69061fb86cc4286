// Text that its box cuts or hides, leaving out what is hidden on purpose or scrolls.
() => [...document.querySelectorAll("body *")].filter((e) =>
  e.checkVisibility() && !e.matches(".skip, caption, svg *") && !e.closest(".hidden, .wide, pre, select, textarea, input, progress, svg")
  && getComputedStyle(e).overflow !== "visible" && (e.scrollHeight > e.clientHeight + 2 || e.scrollWidth > e.clientWidth + 2))
  .map((e) => e.outerHTML.slice(0, 160))
