// What a browser can prove of RGAA 4.1.2 on a page: one function per criterion, each returns what is wrong.
// The numbers are those of web/rgaa.tsv. Pages are looked at as they are rendered, after their styles.
(but) => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (e) => e.checkVisibility({visibilityProperty: true});
  const told = (e) => (e.outerHTML || "").slice(0, 160);
  const words = (e) => (e.innerText ?? e.textContent ?? "").trim();
  const byIds = (e, name) => (e.getAttribute(name) || "").split(/\s+/).filter(Boolean).map((id) => document.getElementById(id));
  const named = (e) => (e.getAttribute("aria-label") || byIds(e, "aria-labelledby").map((o) => o ? o.textContent : "").join(" ")
    || e.textContent + [...e.querySelectorAll("img[alt]")].map((i) => i.alt).join(" ")).trim();
  const fields = all("input:not([type=hidden]):not([type=submit]), select, textarea");
  const checks = {
    "1.1": () => all("img").filter((e) => !e.alt.trim()).map(told),
    "1.2": () => all("svg").filter((e) => e.getAttribute("aria-hidden") !== "true" || e.querySelector("title")).map(told),
    "1.9": () => all("figcaption").filter((e) => e.parentElement.tagName !== "FIGURE").map(told),
    "3.1": () => all(".state").filter((e) => seen(e) && words(e).length < 4 && !e.closest(".entries")).map(told),
    "10.6": () => all("main p a, main li a, main td a, main dd a").filter((e) => seen(e) && !e.matches(".button") && !e.closest("nav") && getComputedStyle(e).textDecorationLine !== "underline").map(told),
    "5.4": () => all("table").filter((e) => !(e.caption && e.caption.textContent.trim())).map(told),
    "5.6": () => all("table").filter((e) => !e.querySelector("thead th") || [...e.querySelectorAll("thead tr > *")].some((c) => c.tagName !== "TH")).map(told),
    "5.7": () => all("th").filter((e) => !["row", "col"].includes(e.scope) || !e.textContent.trim()).map(told),
    "5.1": () => all("table [colspan], table [rowspan], table table").map(told),
    "5.8": () => all("table[role=presentation], table[role=none]").map(told),
    "6.2": () => all("a[href]").filter((e) => !named(e)).map(told),
    "6.1": () => Object.entries(Object.groupBy(all("a[href]").filter((e) => seen(e)), named)).filter(([name, links]) => new Set(links.map((a) => a.pathname + a.search)).size > 1 && !links.every((a) => a.closest("tr, li, dd, p"))).map(([name]) => name),
    "11.9": () => all("button").filter((e) => !named(e)).map(told),
    "7.1": () => all("[onclick], [role=button], [tabindex]:not([tabindex='-1'])").filter((e) => !e.matches("[role=region][aria-label]")).map(told),
    "8.2": () => (() => { const ids = all("[id]").map((e) => e.id); const twice = ids.filter((id, i) => ids.indexOf(id) !== i); const lost = ["for", "aria-labelledby", "aria-describedby"].flatMap((name) => all(`[${name}]`).filter((e) => byIds(e, name).some((o) => !o)).map(told)); const nested = all("a a, button button, a button, button a, p p, form form, label label").map(told); const lists = all("ul > :not(li), ol > :not(li)").map(told); return [...twice, ...lost, ...nested, ...lists]; })(),
    "8.4": () => ["fr", "en"].includes(document.documentElement.lang) ? [] : [document.documentElement.lang],
    "8.8": () => all("[lang]").filter((e) => !["fr", "en"].includes(e.lang)).map(told),
    "8.9": () => all("center, font, big, tt, u, b:empty:not([data-live]), p:empty:not([role=status]):not([data-live]), br + br, blockquote:empty").map(told),
    "8.10": () => all("[dir]").map(told),
    "9.1": () => (() => { const heads = all("h1, h2, h3, h4, h5, h6").filter(seen); let before = 0; const wrong = []; for (const head of heads) { const level = +head.tagName[1]; if (level > before + 1 || !words(head)) wrong.push(told(head)); before = level; } if (heads.filter((h) => h.tagName === "H1").length !== 1) wrong.push("not one h1"); return wrong; })(),
    "9.2": () => ["header", "main", "footer"].filter((name) => all(`body > ${name}`).length !== 1).concat( all("nav").filter((e) => !e.getAttribute("aria-label")).map(told), all("form.search").filter((e) => e.getAttribute("role") !== "search").map(told)),
    "9.3": () => all("ul, ol").filter((e) => !e.children.length).map(told),
    "10.1": () => all("[style], [bgcolor], [align], [valign], [border], body [color], body [size], style, hr[noshade]").map(told).concat(all("h1, h2, label, button, th").filter((e) => /\b\w \w \w \w\b/.test(e.textContent)).map(told)),
    "10.5": () => all("body, button, input, select, textarea, .button, .panel, .card, .answer, pre").filter((e) => { const s = getComputedStyle(e); return !s.color || !s.backgroundColor; }).map(told),
    "11.1": () => fields.filter((e) => !e.labels.length || ![...e.labels].some((l) => l.textContent.trim())).map(told),
    "11.4": () => fields.filter(seen).filter((e) => { const l = e.labels[0].getBoundingClientRect(), f = e.getBoundingClientRect(); return Math.max(f.top - l.bottom, l.top - f.bottom, 0) > 200 || Math.max(f.left - l.right, l.left - f.right, 0) > 40; }).map(told),
    "11.5": () => all("form").filter((e) => e.querySelectorAll("input[type=checkbox]").length > 1 && !e.querySelector("fieldset")).map(told),
    "11.6": () => all("fieldset").filter((e) => e.firstElementChild.tagName !== "LEGEND" || !words(e.firstElementChild)).map(told),
    "11.10": () => all("[aria-invalid]").filter((e) => !byIds(e, "aria-describedby").some((o) => o && o.matches(".error"))) .map(told).concat(all(".error").filter((e) => !all("[aria-describedby]").some((f) => byIds(f, "aria-describedby") .includes(e))).map(told)),
    "11.13": () => fields.filter((e) => ["sign_in", "name", "password", "current", "new", "again"].includes(e.name) && !e.autocomplete).map(told),
    "12.6": () => all("main, nav, footer, header").length >= 4 && document.querySelector("a.skip")?.hash === "#main" ? [] : ["no way to jump"],
    "13.8": () => document.getAnimations().map((a) => a.effect?.target?.outerHTML || "animation").concat(all("marquee, blink, meta[http-equiv=refresh]").map(told)),
  };
  const wrong = Object.entries(checks).filter(([number]) => !but.includes(number)).map(([number, check]) => [number, check()]);
  return Object.fromEntries(wrong.filter(([, found]) => found.length));
}
